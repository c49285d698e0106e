"""
Transactions whose hash was given before they were judged: a file that grows at its end, so that a killed process loses none.

Each is one write, which is not waited for on the disk: as with the database, only a failing machine may lose the last ones. A write that
was cut short is taken back, and a reader stops at a piece that is not whole.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from localnet.state.store import StateError
from localnet.values.borsh import BorshError
from localnet.values.transaction import MOST_BYTES_READ, SignedTransaction, read_signed_transaction

_LENGTH_BYTES = 4


class IntakeLog(Protocol):
    """What keeps the transactions that wait to be judged."""

    @property
    def size_bytes(self) -> int:
        """How much is kept."""
        ...

    @property
    def refused(self) -> str | None:
        """Why the last write failed, in `StateError`'s words; None when it went through."""
        ...

    def append(self, encoded: bytes) -> None:
        """Keep one. Raises `StateError` when it cannot be written; then nothing of it is kept."""
        ...

    def entries(self) -> tuple[bytes, ...]:
        """What is kept, oldest first."""
        ...

    def clear(self) -> None:
        """Everything was judged. Raises `StateError`."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def transactions_of(log: IntakeLog) -> list[SignedTransaction]:
    """What a log keeps, but for what cannot be read: a failing machine may leave zeros where the last ones were."""
    found = []
    for encoded in log.entries():
        with suppress(BorshError):
            found.append(read_signed_transaction(encoded))
    return found


class NoIntakeLog:
    """Of a chain in memory, which a killed process takes with it anyway."""

    size_bytes = 0
    refused = None

    def append(self, encoded: bytes) -> None:
        """Nothing to keep."""

    def entries(self) -> tuple[bytes, ...]:
        """None."""
        return ()

    def clear(self) -> None:
        """Nothing to forget."""

    def close(self) -> None:
        """Nothing to let go of."""


class IntakeLogFile:
    """One file, open as long as its chain; each entry is its length (4 bytes, big endian) and its bytes."""

    def __init__(self, path: Path) -> None:
        """Raises `StateError`: the file cannot be opened."""
        self._path = path
        self.refused: str | None = None
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise StateError(f"{path} cannot be opened ({error.strerror}); see that its directory is yours") from error
        self._size = os.fstat(self._file.fileno()).st_size

    @property
    def size_bytes(self) -> int:
        """How much is kept."""
        return self._size

    def append(self, encoded: bytes) -> None:
        """Keep one. Raises `StateError` when it cannot be written; then nothing of it is kept."""
        entry = len(encoded).to_bytes(_LENGTH_BYTES, "big") + encoded
        try:
            written = self._file.write(entry)
        except OSError as error:
            raise self._cannot_write(error.strerror or str(error)) from error
        if written != len(entry):
            self._cut(self._size)
            raise self._cannot_write("the disk is full")
        self._size += len(entry)
        self.refused = None

    def entries(self) -> tuple[bytes, ...]:
        """What is kept, oldest first."""
        found = []
        with self._path.open("rb") as file:
            while len(head := file.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
                length = int.from_bytes(head, "big")
                if length > MOST_BYTES_READ or len(encoded := file.read(length)) < length:
                    break
                found.append(encoded)
        return tuple(found)

    def clear(self) -> None:
        """Everything was judged. Raises `StateError`."""
        if self._size:
            self._cut(0)
            self._size = 0
            self.refused = None

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _cut(self, size: int) -> None:
        try:
            self._file.truncate(size)
        except OSError as error:
            raise self._cannot_write(error.strerror or str(error)) from error

    def _cannot_write(self, why: str) -> StateError:
        self.refused = f"{self._path} cannot be written ({why}); nothing of it is lost: make room, and go on"
        return StateError(self.refused)
