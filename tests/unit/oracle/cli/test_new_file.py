"""A file that is written appears whole, alone, and in nobody's place."""

import os

import pytest

from oracle.cli.new_file import write_new


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_with_all_its_bytes_and_nothing_beside_it(tmp_path):
    write_new(tmp_path / "new", b"whole", replaces=False)
    assert ((tmp_path / "new").read_bytes(), names(tmp_path)) == (b"whole", ["new"])


def test_a_name_may_be_as_long_as_names_of_files_are(tmp_path):
    write_new(tmp_path / ("x" * 255), b"whole", replaces=False)
    assert names(tmp_path) == ["x" * 255]


def test_a_file_that_came_meanwhile_keeps_its_place(tmp_path):
    (tmp_path / "new").write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "new", b"mine", replaces=False)
    assert ((tmp_path / "new").read_bytes(), names(tmp_path)) == (b"theirs", ["new"])


def test_a_file_is_replaced_when_that_is_said(tmp_path):
    (tmp_path / "new").write_bytes(b"theirs")
    write_new(tmp_path / "new", b"mine", replaces=True)
    assert ((tmp_path / "new").read_bytes(), names(tmp_path)) == (b"mine", ["new"])


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("theirs"), os.mkdir])
def test_what_is_no_plain_file_is_not_replaced(tmp_path, make):
    """As root a device could be lost, and a link says where somebody else wants it."""
    (tmp_path / "theirs").write_bytes(b"theirs")
    make(tmp_path / "new")
    kind = (tmp_path / "new").lstat().st_mode
    for replaces in (True, False):
        with pytest.raises(FileExistsError):
            write_new(tmp_path / "new", b"mine", replaces=replaces)
    assert ((tmp_path / "new").lstat().st_mode, (tmp_path / "theirs").read_bytes()) == (kind, b"theirs")
    assert names(tmp_path) == ["new", "theirs"]


def test_where_nothing_can_be_linked_no_file_is_replaced_either(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write_new(tmp_path / "new", b"first", replaces=False)
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "new", b"second", replaces=False)
    assert ((tmp_path / "new").read_bytes(), names(tmp_path)) == (b"first", ["new"])


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_new(tmp_path / "new", b"whole", replaces=True)
    assert names(tmp_path) == []
