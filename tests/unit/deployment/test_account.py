import pytest
from phala.account import KeyFile
from phala.refused import Refused


@pytest.mark.parametrize("name", ["private_key", "secret_key"])
def test_both_spellings_of_a_key_file_are_read(tmp_path, name):
    (tmp_path / "k.json").write_text(f'{{"account_id": "a.near", "{name}": "ed25519:hunter2"}}')
    key = KeyFile.read(tmp_path / "k.json")
    assert (key.account_id, key.secret_key) == ("a.near", "ed25519:hunter2")
    assert "hunter2" not in repr(key)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"account_id": "a.near"}', "ed25519:hunter2"])
def test_a_key_file_of_another_shape_is_refused_without_showing_it(tmp_path, content):
    (tmp_path / "k.json").write_text(content)
    with pytest.raises(Refused, match="wanted: JSON with account_id") as refused:
        KeyFile.read(tmp_path / "k.json")
    assert "hunter2" not in str(refused.value)
