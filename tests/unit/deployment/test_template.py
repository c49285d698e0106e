import pytest
from hypothesis import given
from hypothesis import strategies as st
from phala.refused import Refused
from phala.template import MAX_FILE_BYTES, fill, read_text, read_values

IMAGE = "docker.io/me/worker@sha256:" + "ab" * 32


def test_values_and_defaults_are_written_in_and_only_the_secret_is_left():
    template = 'a: "${WORKER_IMAGE:?an image}"\nb: "${PCCS_URL:-https://x.example}"\nc: "${INIT_ACCOUNT_PRIVATE_KEY:?secret}"\nd: $$5\n'
    filled = fill(template, {"WORKER_IMAGE": IMAGE})
    assert filled.text == f'a: "{IMAGE}"\nb: "https://x.example"\nc: "${{INIT_ACCOUNT_PRIVATE_KEY:?secret}}"\nd: $$5\n'
    assert filled.secrets == ("INIT_ACCOUNT_PRIVATE_KEY",)


def test_every_problem_is_told_at_once():
    with pytest.raises(Refused) as refused:
        fill("${A:?the first} ${B} $x", {"C": "1", "D": 'a"b'})
    assert str(refused.value).splitlines() == [
        "D: a value has up to 2,000 printable ASCII characters without space, double quote, dollar or backslash",
        "A is not set; wanted: the first",
        "B is not set; wanted: a value",
        "the compose file has a lone '$' at character 21; write $$",
        "C: the compose file does not use it; it uses A, B",
        "D: the compose file does not use it; it uses A, B",
    ]


def test_a_secret_is_refused_as_a_value_and_not_shown():
    with pytest.raises(Refused, match="INIT_ACCOUNT_PRIVATE_KEY is secret") as refused:
        fill("${INIT_ACCOUNT_PRIVATE_KEY}", {"INIT_ACCOUNT_PRIVATE_KEY": "ed25519:hunter2"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("image", ["worker", "me/worker:1.0", "me/worker@sha256:ab", IMAGE + "0", "me/worker@sha256:" + "AB" * 32])
def test_an_image_that_is_not_named_by_its_digest_is_refused(image):
    with pytest.raises(Refused, match="WORKER_IMAGE"):
        fill("${WORKER_IMAGE}", {"WORKER_IMAGE": image})


@pytest.mark.parametrize("value", ["a b", 'a"', "a$b", "a\\b", "a\nb", "a\tb", "é", "\x7f", "a" * 2_001])
def test_a_value_with_a_character_that_means_something_is_refused(value):
    with pytest.raises(Refused, match="printable ASCII"):
        fill("${A}", {"A": value})


@given(st.text(max_size=40))
def test_a_value_that_is_taken_stays_one_scalar(value):
    """Between YAML's double quotes nothing ends it, escapes from it or is interpolated again."""
    try:
        text = fill('a: "${A:-}"\n', {"A": value}).text
    except Refused:
        return
    assert text == f'a: "{value}"\n'
    assert text.count('"') == 2
    assert text.count("\n") == 1
    assert not {"$", "\\", "\t", "\r"} & set(text)


def test_a_settings_file_has_a_value_a_line(tmp_path):
    (tmp_path / "a.env").write_text("# one\nA=1 \n\nB=x=y\nC=\n")
    assert read_values(tmp_path / "a.env") == {"A": "1", "B": "x=y"}


def test_a_line_that_is_no_setting_is_told_and_not_passed_over(tmp_path):
    (tmp_path / "a.env").write_text('{"A": 1}\nA=1\nexport B=2\nA=2\n')
    with pytest.raises(Refused) as refused:
        read_values(tmp_path / "a.env")
    assert [line.partition(", ")[2].partition(":")[0] for line in str(refused.value).splitlines()] == ["line 1", "line 3", "line 4"]


def test_a_file_that_is_missing_too_large_or_no_text_is_told(tmp_path):
    with pytest.raises(Refused, match="cannot be read: No such file"):
        read_text(tmp_path / "none")
    (tmp_path / "large").write_bytes(b" " * (MAX_FILE_BYTES + 1))
    with pytest.raises(Refused, match="more than 262,144 bytes"):
        read_text(tmp_path / "large")
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(Refused, match="not UTF-8"):
        read_text(tmp_path / "binary")
