"""Time, and the machine's own."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time, so that tests own it. The wall clock may jump; the monotonic one does not."""

    def now_ns(self) -> int:
        """Unix time in nanoseconds."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own time."""

    def now_ns(self) -> int:
        """See `Clock`."""
        return time.time_ns()

    def monotonic_s(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)
