"""A guest's linear memory as calls see it: every address is checked against its present size."""

import ctypes
import struct
from typing import Protocol

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_IOVEC = struct.Struct("<II")

MAX_IOVECS = 1024
"""Linux' own bound (IOV_MAX)."""


class Fault(Exception):
    """An address range that is not wholly inside the memory."""


class TooManyBuffers(Exception):
    """A vector of more than MAX_IOVECS buffers."""


class LocateMemory(Protocol):
    """Where the memory lies now; it may have grown since the last call."""

    def __call__(self) -> tuple[int, int]:
        """Address in this process, size in bytes."""
        ...


class GuestMemory:
    """Little-endian reads and writes; all raise `Fault` for a range outside."""

    def __init__(self, locate: LocateMemory) -> None:
        self._locate = locate

    def _address(self, at: int, length: int) -> int:
        base, size = self._locate()
        if at + length > size:
            raise Fault
        return base + at

    def read(self, at: int, length: int) -> bytes:
        """A copy."""
        return ctypes.string_at(self._address(at, length), length)

    def write(self, at: int, data: bytes) -> None:
        """Copy into the guest."""
        ctypes.memmove(self._address(at, len(data)), data, len(data))

    def check(self, at: int, length: int) -> None:
        """Only check the range."""
        self._address(at, length)

    def write_u32(self, at: int, value: int) -> None:
        """Four bytes."""
        self.write(at, _U32.pack(value))

    def write_u64(self, at: int, value: int) -> None:
        """Eight bytes."""
        self.write(at, _U64.pack(value))

    def buffers(self, at: int, count: int) -> list[tuple[int, int]]:
        """
        Read a vector of (address, length).

        Raises:
            TooManyBuffers
        """
        if count > MAX_IOVECS:
            raise TooManyBuffers
        return list(_IOVEC.iter_unpack(self.read(at, count * _IOVEC.size)))
