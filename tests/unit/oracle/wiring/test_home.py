import pytest

from oracle.build.builds import Built
from oracle.errors import ConfigurationError
from oracle.testing.code import TOOLCHAIN
from oracle.wiring.home import artifacts

WASM = b"\0asm\1\0\0\0"


@pytest.mark.parametrize("is_attested", [False, True])
def test_what_an_earlier_process_built_is_believed_unless_the_worker_is_attested(tmp_path, is_attested):
    first = artifacts(tmp_path, is_attested=is_attested)
    built = Built(first.put(WASM)[0], TOOLCHAIN)
    first.remember_built("source", built)
    assert first.built("source") == built
    assert artifacts(tmp_path, is_attested=is_attested).built("source") == (None if is_attested else built)
    assert artifacts(tmp_path, is_attested=True).built("source") is None


def test_a_key_that_cannot_be_made_is_a_wrong_setting(tmp_path):
    (tmp_path / "keys").touch()
    with pytest.raises(ConfigurationError, match=r"ORACLE_HOME='.*': .*keys.* cannot be used"):
        artifacts(tmp_path, is_attested=False)
