import os
from hashlib import sha256

import click
import pytest

from oracle.build import MAX_WASM_BYTES
from oracle.cli.modules import find_module, module_sha256_hex


def test_a_file_comes_before_a_shipped_guest_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_module("echo").name == "echo.wasm"
    (tmp_path / "echo").write_bytes(b"mine")
    assert find_module("echo").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["no_such_guest", "", ".", "/dev/zero", "../echo", "e" * 300])
def test_what_is_no_file_and_no_guest_is_not_found(name):
    assert find_module(name) is None


def test_the_hash_is_that_of_the_whole_file(tmp_path):
    content = os.urandom(2_500_000)
    (tmp_path / "m.wasm").write_bytes(content)
    assert module_sha256_hex(tmp_path / "m.wasm") == sha256(content).hexdigest()


def test_a_file_too_large_for_a_module_is_refused_before_it_is_read_whole(tmp_path):
    with (tmp_path / "huge.wasm").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(click.UsageError, match=f"more than {MAX_WASM_BYTES:,} bytes"):
        module_sha256_hex(tmp_path / "huge.wasm")


def test_a_file_that_cannot_be_read_is_told_with_its_reason(tmp_path):
    with pytest.raises(click.UsageError, match=r"gone\.wasm cannot be read \(No such file"):
        module_sha256_hex(tmp_path / "gone.wasm")
