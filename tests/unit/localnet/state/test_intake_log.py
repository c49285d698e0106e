"""The log of transactions that are not judged yet: what is in it stays, whatever happens to the process."""

import errno

import pytest

from localnet.state.intake_log import IntakeLogFile
from localnet.state.store import StateError


class Disk:
    """A file that takes so many bytes and no more, as a full disk does."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def write(self, data):
        if self._room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._file.write(data[: self._room])
        self._room -= written
        return written

    def __getattr__(self, name):
        return getattr(self._file, name)


@pytest.fixture
def log(tmp_path):
    log = IntakeLogFile(tmp_path / "intake.log")
    yield log
    log.close()


def reopened(log):
    again = IntakeLogFile(log._path)
    try:
        return again.entries(), again.size_bytes
    finally:
        again.close()


def test_entries_come_back_in_order_until_they_are_cleared(log):
    for entry in (b"one", b"", b"three"):
        log.append(entry)
    # Not closed: a killed process does not close its files either.
    assert reopened(log) == ((b"one", b"", b"three"), 20)
    log.clear()
    log.append(b"four")
    assert reopened(log) == ((b"four",), 8)


@pytest.mark.parametrize("torn", [b"\0", b"\0\0\0\5half", b"\xff\xff\xff\xff" + bytes(100)])
def test_a_reader_stops_at_what_is_not_whole(log, torn):
    log.append(b"whole")
    with log._path.open("ab") as file:
        file.write(torn)
    assert reopened(log)[0] == (b"whole",)


@pytest.mark.parametrize("room", [0, 7])
def test_a_full_disk_is_said_and_leaves_whole_entries_only(log, room):
    log.append(b"whole")
    file, log._file = log._file, Disk(log._file, room)
    with pytest.raises(StateError, match=r"cannot be written .*(full|No space).*make room"):
        log.append(b"too much")
    assert "make room" in log.refused
    log._file = file
    log.append(b"after")
    assert log.refused is None
    assert reopened(log) == ((b"whole", b"after"), log.size_bytes)


def test_a_directory_that_may_not_be_written_is_named(tmp_path):
    (tmp_path / "intake.log").mkdir()
    with pytest.raises(StateError, match=r"intake.log cannot be opened"):
        IntakeLogFile(tmp_path / "intake.log")
