"""
Who may run now: so many guests at once, and only as many as the memory set aside for all of them holds.

Each guest's process is limited by itself, but their limits together can pass what the machine has; the kernel would then end whichever
process it likes. First come, first served: nobody overtakes a guest that waits for much memory, so it cannot wait for ever.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

PROCESS_BYTES: Final = 64 * 1024 * 1024
"""What a guest's process takes beside the guest's memory: its tables, interpreter, engine and native code (5 MiB for small ones)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    memory_bytes: int
    turn: "asyncio.Future[None]"


class Places:
    """
    Bounds how many guests run and how much memory they may reach together.

    Args:
        count: guests at once, at least 1.
        memory_bytes: for all of them; a guest that may reach more than that runs alone.
    """

    def __init__(self, count: int, memory_bytes: int) -> None:
        if count < 1:
            raise ValueError(f"at least 1 guest must be able to run at once, not {count}")
        self._count, self._all_bytes = count, memory_bytes
        self._running = self._used_bytes = 0
        self._waiting: deque[_Waiting] = deque()

    @asynccontextmanager
    async def take(self, guest_memory_bytes: int) -> AsyncIterator[None]:
        """Wait for a place for a guest that may reach so much memory, and hold it."""
        memory_bytes = min(guest_memory_bytes + PROCESS_BYTES, self._all_bytes)
        await self._admitted(memory_bytes)
        try:
            yield
        finally:
            self._leave(memory_bytes)

    async def _admitted(self, memory_bytes: int) -> None:
        waiting = _Waiting(memory_bytes, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._admit()
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting.turn.cancelled():
                self._waiting.remove(waiting)
                self._admit()  # who waited behind it may fit
            else:
                self._leave(memory_bytes)  # its turn came in the very moment it was cancelled
            raise

    def _leave(self, memory_bytes: int) -> None:
        self._running -= 1
        self._used_bytes -= memory_bytes
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._running < self._count and self._used_bytes + self._waiting[0].memory_bytes <= self._all_bytes:
            first = self._waiting.popleft()
            self._running += 1
            self._used_bytes += first.memory_bytes
            first.turn.set_result(None)
