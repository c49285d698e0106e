"""
Borsh, written and read: integers little endian, bytes and lists after a u32 length.

What is read comes from outside: every length is held against the bytes that are left before anything is made of it.
"""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class BorshError(ValueError):
    """The bytes are not what the format says; the text tells what and where."""


class Writer:
    """Collects the parts of a message."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def fixed(self, data: bytes) -> None:
        """Bytes whose length the format knows."""
        self._parts.append(data)

    def u8(self, value: int) -> None:
        """One byte."""
        self._parts.append(value.to_bytes(1, "little"))

    def u32(self, value: int) -> None:
        """Four bytes."""
        self._parts.append(value.to_bytes(4, "little"))

    def u64(self, value: int) -> None:
        """Eight bytes."""
        self._parts.append(value.to_bytes(8, "little"))

    def u128(self, value: int) -> None:
        """Sixteen bytes."""
        self._parts.append(value.to_bytes(16, "little"))

    def data(self, data: bytes) -> None:
        """Bytes after their length."""
        self.u32(len(data))
        self._parts.append(data)

    def text(self, text: str) -> None:
        """UTF-8 after its length."""
        self.data(text.encode())

    def done(self) -> bytes:
        """The message."""
        return b"".join(self._parts)


class Reader:
    """Walks through a message; every method raises `BorshError` where the message ends too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return len(self._data) - self._at

    def fixed(self, length: int) -> bytes:
        """Bytes whose length the format knows."""
        if length > self.left:
            raise BorshError(f"{length} bytes are wanted at byte {self._at}, where {self.left} are left")
        start, self._at = self._at, self._at + length
        return self._data[start : self._at]

    def u8(self) -> int:
        """One byte."""
        return self.fixed(1)[0]

    def u32(self) -> int:
        """Four bytes."""
        return int.from_bytes(self.fixed(4), "little")

    def u64(self) -> int:
        """Eight bytes."""
        return int.from_bytes(self.fixed(8), "little")

    def u128(self) -> int:
        """Sixteen bytes."""
        return int.from_bytes(self.fixed(16), "little")

    def data(self) -> bytes:
        """Bytes after their length."""
        return self.fixed(self.u32())

    def text(self) -> str:
        """UTF-8 after its length."""
        start = self._at
        try:
            return self.data().decode()
        except UnicodeDecodeError as error:
            raise BorshError(f"the text at byte {start} is not UTF-8") from error

    def option(self, read: Callable[[], T]) -> T | None:
        """A value that may be missing."""
        match self.u8():
            case 0:
                return None
            case 1:
                return read()
            case tag:
                raise BorshError(f"the option at byte {self._at - 1} has tag {tag} instead of 0 or 1")

    def many(self, read: Callable[[], T], *, what: str, most: int) -> tuple[T, ...]:
        """A list; `most` bounds its length, since an entry may be as short as one byte."""
        count = self.u32()
        if count > min(most, self.left):
            raise BorshError(f"{count} {what} at byte {self._at - 4}; at most {min(most, self.left)} can be there")
        return tuple(read() for _ in range(count))

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self.left:
            raise BorshError(f"{self.left} bytes are left after the message's end at byte {self._at}")
