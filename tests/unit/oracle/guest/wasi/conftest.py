import ctypes
from collections.abc import Callable

import pytest

from oracle.guest.wasi.calls import Calls
from oracle.guest.wasi.memory import GuestMemory
from oracle.guest.wasi.world import CountedClock, World

PAGE = 65_536


class Guest:
    """Calls over one page of memory that Python owns."""

    def __init__(self, stdin: bytes = b"", environment: tuple[bytes, ...] = ()) -> None:
        self.page = ctypes.create_string_buffer(PAGE)
        self.memory = GuestMemory(lambda: (ctypes.addressof(self.page), PAGE))
        self.world = World(stdin, (b"guest",), environment, CountedClock(1_000_000, 2**62), random=lambda length: b"\x07" * length)
        self.calls = Calls(self.world, self.memory)

    def u32(self, at: int) -> int:
        return int.from_bytes(self.memory.read(at, 4), "little")

    def u64(self, at: int) -> int:
        return int.from_bytes(self.memory.read(at, 8), "little")

    def put_buffers(self, at: int, *buffers: tuple[int, int]) -> None:
        for index, (address, length) in enumerate(buffers):
            self.memory.write_u32(at + 8 * index, address)
            self.memory.write_u32(at + 8 * index + 4, length)


@pytest.fixture
def make_guest() -> Callable[..., Guest]:
    return Guest
