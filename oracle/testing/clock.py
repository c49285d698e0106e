"""Time in the hands of a test."""

import asyncio
import heapq
from itertools import count

_START_NS = 1_700_000_000 * 10**9
_LOOPS_TO_REST = 100


class ManualClock:
    """A `Clock` that stands still until it is moved; who sleeps wakes in the order of the deadlines."""

    def __init__(self, now_ns: int = _START_NS) -> None:
        self._now_ns = now_ns
        self._elapsed_ns = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    def now_ns(self) -> int:
        """See `Clock`."""
        return self._now_ns + self._elapsed_ns

    def monotonic_s(self) -> float:
        """See `Clock`."""
        return self._elapsed_ns / 10**9

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed_ns + round(seconds * 10**9), next(self._order), woken))
        await woken

    def jump(self, seconds: float) -> None:
        """Let the wall clock jump, as NTP may make it; the monotonic one does not notice."""
        self._now_ns += round(seconds * 10**9)

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking each sleeper at its own moment and letting it do what it then does."""
        until_ns = self._elapsed_ns + round(seconds * 10**9)
        await rest()
        while self._sleepers and self._sleepers[0][0] <= until_ns:
            deadline_ns, _, woken = heapq.heappop(self._sleepers)
            self._elapsed_ns = max(self._elapsed_ns, deadline_ns)
            if not woken.done():
                woken.set_result(None)
            await rest()
        self._elapsed_ns = until_ns


class EagerClock(ManualClock):
    """A `Clock` on which sleeping takes no time but passes it, and is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.slept_s: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        self.slept_s.append(seconds)
        self._elapsed_ns += round(seconds * 10**9)
        await asyncio.sleep(0)


async def rest() -> None:
    """Let every task run until all of them wait for something outside the event loop."""
    for _ in range(_LOOPS_TO_REST):
        await asyncio.sleep(0)
