import hashlib
import os

import pytest

from oracle.build.artifacts import ArtifactCache

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


def test_a_source_leads_to_its_module_until_that_is_gone(tmp_path):
    cache = ArtifactCache(tmp_path)
    sha256_hex, path = cache.put(WASM)
    assert cache.built("repo commit") is None
    cache.remember_built("repo commit", sha256_hex)
    assert ArtifactCache(tmp_path).built("repo commit") == sha256_hex
    path.unlink()
    assert cache.built("repo commit") is None


def test_a_damaged_note_counts_as_absent(tmp_path):
    cache = ArtifactCache(tmp_path)
    cache.remember_built("key", "x")
    assert cache.built("key") is None
    cache._index_path("key").write_bytes(b"\xff\xfe")
    assert cache.built("key") is None


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
