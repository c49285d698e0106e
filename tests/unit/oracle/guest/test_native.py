import fcntl
import os
import stat
import tracemalloc

import pytest

from oracle.errors import ConfigurationError
from oracle.guest import native
from oracle.guest.native import NativeCache

SHA, OTHER = "ab" * 32, "cd" * 32
CODE = b"native code" * 100


@pytest.fixture
def cache(tmp_path):
    cache = NativeCache(tmp_path)
    yield cache
    cache.close()


def content(fd):
    try:
        return os.pread(fd, 1 << 20, 0)
    finally:
        os.close(fd)


def test_an_entry_comes_back_as_it_was_written(cache):
    cache.write(SHA, CODE)
    assert cache.read(SHA) == CODE
    assert cache.read(OTHER) is None


def test_another_start_of_the_same_installation_reads_it(cache, tmp_path):
    cache.write(SHA, CODE)
    assert NativeCache(tmp_path).read(SHA) == CODE


def test_an_entry_of_another_installation_does_not_hold(cache, tmp_path):
    cache.write(SHA, CODE)
    other = NativeCache(tmp_path / "other")
    other.path_of(SHA).write_bytes(cache.path_of(SHA).read_bytes())
    assert other.read(SHA) is None


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b"\0" + b[1:], lambda b: b[:40] + b"\0" + b[41:], lambda _: b""]
)
def test_a_damaged_entry_does_not_hold(cache, damage):
    cache.write(SHA, CODE)
    path = cache.path_of(SHA)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.read(SHA) is None


def test_an_entry_under_another_modules_name_does_not_hold(cache):
    cache.write(SHA, CODE)
    cache.path_of(SHA).rename(cache.path_of(OTHER))
    assert cache.read(OTHER) is None


def test_an_entry_for_other_engine_settings_is_not_found(cache, tmp_path, monkeypatch):
    cache.write(SHA, CODE)
    monkeypatch.setattr(native, "cpu_sha256_hex", lambda: "another CPU")
    assert NativeCache(tmp_path).read(SHA) is None


def test_key_and_entries_are_for_the_owner_alone(cache, tmp_path):
    cache.write(SHA, CODE)
    for path in (tmp_path / "keys" / "native-cache.key", cache.path_of(SHA)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "cache" / "native").stat().st_mode) == 0o700


@pytest.mark.parametrize("spoil", [lambda key: key.chmod(0o640), lambda key: key.write_bytes(b"short")], ids=["readable", "short"])
def test_a_key_others_could_know_is_replaced_and_its_entries_with_it(cache, tmp_path, spoil):
    cache.write(SHA, CODE)
    spoil(tmp_path / "keys" / "native-cache.key")
    again = NativeCache(tmp_path)
    assert again.read(SHA) is None
    again.write(SHA, CODE)
    assert again.read(SHA) == CODE


def test_the_disk_holds_no_more_than_its_bound_and_the_oldest_go_first(tmp_path):
    cache = NativeCache(tmp_path, max_disk_bytes=3 * (len(CODE) + 32))
    for age, sha in enumerate(("a", "b", "c")):
        cache.write(sha, CODE)
        os.utime(cache.path_of(sha), (age, age))
    assert cache.read("a") == CODE  # used: now the youngest
    cache.write("d", CODE)
    assert [sha for sha in "abcd" if cache.path_of(sha).exists()] == ["a", "c", "d"]


def test_memory_holds_no_more_than_its_bound_but_always_the_last(tmp_path):
    cache = NativeCache(tmp_path, max_memory_bytes=len(CODE))
    for sha in ("a", "b"):
        os.close(cache.keep(sha, CODE))
    assert cache.in_memory("a") is None
    assert content(cache.in_memory("b")) == CODE
    cache.close()


def test_code_in_memory_is_sealed_against_writing(cache):
    fd = cache.keep(SHA, CODE)
    assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE
    with pytest.raises(PermissionError):
        os.pwrite(fd, b"x", 0)
    os.close(fd)


def test_a_disk_that_takes_nothing_costs_only_the_entry(cache, tmp_path):
    for file in (tmp_path / "cache" / "native").iterdir():
        file.unlink()
    (tmp_path / "cache" / "native").rmdir()
    cache.write(SHA, CODE)
    assert cache.read(SHA) is None


def test_a_home_that_is_a_file_is_a_configuration_error_with_its_name(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"ORACLE_HOME=.*file"):
        NativeCache(tmp_path / "file")


def test_writing_an_entry_makes_no_copy_of_it(cache):
    native = bytes(32 * 1024 * 1024)
    tracemalloc.start()
    try:
        cache.write(SHA, native)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert cache.read(SHA) == native
    assert peak_bytes < len(native) / 4
