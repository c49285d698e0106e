"""Notes of what was built: found again by who holds the key, and believed only as they were written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from oracle.build import builds
from oracle.build.builds import MAX_ENTRY_BYTES, BuildIndex, Built
from oracle.testing.code import TOOLCHAIN

KEY, OTHER_KEY = bytes(32), bytes([1]) * 32
BUILT = Built("ab" * 32, TOOLCHAIN)


@pytest.fixture
def index(tmp_path):
    return BuildIndex(tmp_path, KEY)


def test_a_build_is_found_again_by_the_next_process_of_the_installation_and_by_nobody_else(index, tmp_path):
    assert index.find("repo commit") is None
    index.remember("repo commit", BUILT)
    assert BuildIndex(tmp_path, KEY).find("repo commit") == BUILT
    assert BuildIndex(tmp_path, OTHER_KEY).find("repo commit") is None
    assert index.find("repo other") is None


def test_without_a_key_only_this_process_believes_itself(tmp_path):
    alone = BuildIndex(tmp_path, None)
    alone.remember("repo commit", BUILT)
    assert alone.find("repo commit") == BUILT
    assert BuildIndex(tmp_path, None).find("repo commit") is None


def test_the_last_build_counts(index):
    index.remember("repo commit", BUILT)
    again = Built("cd" * 32, replace(TOOLCHAIN, version="2"))
    index.remember("repo commit", again)
    assert index.find("repo commit") == again


def test_each_byte_of_a_note_is_under_its_mac(index):
    index.remember("repo commit", BUILT)
    path = index._path("repo commit")
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert index.find("repo commit") is None
        path.write_bytes(whole[:at])
        assert index.find("repo commit") is None
    path.write_bytes(whole + b" ")
    assert index.find("repo commit") is None


def test_a_note_counts_for_its_own_source(index):
    index.remember("repo good", BUILT)
    index._path("repo good").rename(index._path("repo evil"))
    assert index.find("repo evil") is None


@pytest.mark.parametrize(
    "said",
    ["", "null", "[]", '["x", []]', json.dumps(["ab" * 32, []]), json.dumps(["ab" * 32, ["n", "v", "t", "f", "x"]]), json.dumps([7, 7])],
)
def test_a_note_of_another_version_counts_as_absent(index, tmp_path, said):
    index._path("key").write_bytes(index._mac("key", said.encode()) + said.encode())
    assert index.find("key") is None


def test_a_note_that_is_too_long_counts_as_absent(index):
    said = json.dumps([BUILT.wasm_sha256_hex, []]).encode() + b" " * MAX_ENTRY_BYTES
    index._path("key").write_bytes(index._mac("key", said) + said)
    assert index.find("key") is None


def test_of_too_many_the_oldest_go_and_what_another_process_takes_away_does_no_harm(index, monkeypatch):
    monkeypatch.setattr(builds, "MAX_BUILDS_REMEMBERED", 2)
    for name in ("one", "two"):
        index.remember(name, BUILT)
    look, gone = Path.stat, index._path("one")

    def stat_after_removal(self, **options):
        if self == gone:
            self.unlink(missing_ok=True)
        return look(self, **options)

    monkeypatch.setattr(Path, "stat", stat_after_removal)
    index.remember("three", BUILT)
    assert index.find("three") == BUILT
    monkeypatch.undo()
    monkeypatch.setattr(builds, "MAX_BUILDS_REMEMBERED", 1)
    index.remember("four", BUILT)
    assert [index.find(name) is not None for name in ("one", "two", "four")] == [False, False, True]
