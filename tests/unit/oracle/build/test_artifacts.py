import hashlib
import os
import time
from pathlib import Path

import pytest

from oracle.build import artifacts
from oracle.build.artifacts import ArtifactCache
from oracle.build.builds import Built
from oracle.testing.code import TOOLCHAIN

KEY = bytes(32)
WASM = b"\0asm\1\0\0\0 one"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_module_is_found_again_by_its_hash_also_by_the_next_process(tmp_path):
    sha256_hex, path = ArtifactCache(tmp_path).put(WASM)
    assert sha256_hex == sha(WASM)
    assert path.read_bytes() == WASM
    assert ArtifactCache(tmp_path).get(sha256_hex) == path


def test_an_unknown_module_is_none_and_a_hash_that_is_none_is_an_error(tmp_path):
    cache = ArtifactCache(tmp_path)
    assert cache.get("0" * 64) is None
    for nonsense in ("", "../../etc/passwd", "A" * 64, "0" * 63):
        with pytest.raises(ValueError, match="sha256"):
            cache.get(nonsense)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_damaged_module_is_thrown_away(tmp_path, fresh):
    cache = ArtifactCache(tmp_path)
    sha256_hex, path = cache.put(WASM)
    path.write_bytes(WASM[:-1] + b"!")
    assert (ArtifactCache(tmp_path) if fresh else cache).get(sha256_hex) is None
    assert not path.exists()


def test_only_what_this_process_has_hashed_and_nobody_has_changed_since_is_known(tmp_path):
    cache = ArtifactCache(tmp_path)
    assert cache.known("0" * 64) is None
    sha256_hex, path = cache.put(WASM)
    assert cache.known(sha256_hex) == path
    assert ArtifactCache(tmp_path).known(sha256_hex) is None
    path.write_bytes(WASM[:-1] + b"!")
    assert cache.known(sha256_hex) is None
    path.unlink()
    assert cache.known(sha256_hex) is None


def test_what_was_used_longest_ago_goes_first_and_the_newest_stays(tmp_path):
    cache = ArtifactCache(tmp_path, max_bytes=250)
    old, old_path = cache.put(b"a" * 100)
    young, young_path = cache.put(b"b" * 100)
    os.utime(old_path, (1_000, 1_000))
    os.utime(young_path, (2_000, 2_000))
    assert cache.get(old) is not None  # used: younger than the other now
    newest, _ = cache.put(b"c" * 100)
    assert cache.get(young) is None
    assert cache.get(old) is not None
    large, _ = cache.put(b"d" * 500)
    assert [cache.get(kept) is not None for kept in (old, newest, large)] == [False, False, True]


def test_a_module_in_use_outlives_one_that_came_after_it(tmp_path):
    cache = ArtifactCache(tmp_path, max_bytes=250)
    (used, used_path), (idle, idle_path) = cache.put(b"a" * 100), cache.put(b"b" * 100)
    for path, minutes in ((used_path, 10), (idle_path, 5)):
        os.utime(path, (time.time() - 60 * minutes,) * 2)
    assert cache.get(used) is not None
    cache.put(b"c" * 100)
    assert cache.get(idle) is None
    assert cache.get(used) is not None


def test_a_source_leads_to_its_module_until_that_is_gone(tmp_path):
    cache = ArtifactCache(tmp_path, build_key=KEY)
    sha256_hex, path = cache.put(WASM)
    assert cache.built("repo commit") is None
    cache.remember_built("repo commit", Built(sha256_hex, TOOLCHAIN))
    assert ArtifactCache(tmp_path, build_key=KEY).built("repo commit") == Built(sha256_hex, TOOLCHAIN)
    path.unlink()
    assert cache.built("repo commit") is None


def test_a_write_that_fails_leaves_nothing_behind_and_a_killed_one_is_swept_later(tmp_path, monkeypatch):
    cache = ArtifactCache(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda _fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            cache.put(WASM)
    assert list(tmp_path.iterdir()) == []
    for name, age in ((".new-old", 1_000), (".new-young", None)):
        (tmp_path / name).write_bytes(b"half")
        if age is not None:
            os.utime(tmp_path / name, (age, age))
    ArtifactCache(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [".new-young"]


@pytest.fixture
def vanishing(monkeypatch):
    """Makes a file go away, as another process on the same directory does, just before it is looked at."""

    def vanish(path):
        look = Path.stat

        def stat_after_removal(self, **options):
            if self == path:
                self.unlink(missing_ok=True)
            return look(self, **options)

        monkeypatch.setattr(Path, "stat", stat_after_removal)

    return vanish


def test_a_half_file_that_another_process_takes_away_does_not_stop_a_start(tmp_path, vanishing):
    half = tmp_path / ".new-abc"
    half.touch()
    vanishing(half)
    ArtifactCache(tmp_path)


def test_a_module_that_another_process_evicts_does_not_stop_this_one_from_keeping_its_own(tmp_path, vanishing):
    cache = ArtifactCache(tmp_path, max_bytes=250)
    _, old_path = cache.put(b"a" * 100)
    vanishing(old_path)
    sha256_hex, _ = cache.put(b"b" * 100)
    assert cache.get(sha256_hex) is not None


def test_a_module_that_goes_away_while_it_is_marked_as_used_is_absent(tmp_path, monkeypatch):
    cache = ArtifactCache(tmp_path)
    sha256_hex, path = cache.put(WASM)
    os.utime(path, (1_000, 1_000))
    cache.get(sha256_hex)
    os.utime(path, (1_000, 1_000))
    cache._verified[sha256_hex] = artifacts._identity(path)

    def gone(gone_path):
        gone_path.unlink()
        raise FileNotFoundError(gone_path)

    monkeypatch.setattr(artifacts.os, "utime", gone)
    assert cache.known(sha256_hex) is None
