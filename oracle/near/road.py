"""The state of the road to the chain, shared by the sources of blocks: how far the chain is, and what is wrong just now."""

import structlog

from oracle.errors import ChainError
from oracle.ports import Clock

_log = structlog.get_logger()

SHORTEST_WAIT_S = 0.1
LONGEST_WAIT_S = 1.0
LONGEST_TROUBLE_WAIT_S = 10.0
_GROWTH = 1.6


class Road:
    """Waits longer and longer while nothing comes, and says once when trouble begins and ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wait_s = SHORTEST_WAIT_S
        self._seen_height = self.head_height = 0
        self.trouble: str | None = None

    def seen(self, height: int) -> None:
        """A block came: all is well."""
        self._seen_height = height
        self.head_height = max(self.head_height, height)
        self._wait_s = SHORTEST_WAIT_S
        self.well()

    def head_is(self, height: int) -> None:
        """A node told the head. The latest word counts: one that told too much must not leave us behind for ever."""
        self.head_height = max(self._seen_height, height)

    def well(self) -> None:
        """The source answers, be it that there is nothing new."""
        if self.trouble is not None:
            _log.info("chain_reached_again")
            self.trouble = None

    async def nothing_new(self) -> None:
        """Wait for the next block where the source cannot wait for us."""
        self.well()
        self._wait_s = min(self._wait_s, LONGEST_WAIT_S)
        await self._wait(LONGEST_WAIT_S)

    async def failed(self, error: ChainError) -> None:
        """Say so, and back off."""
        if self.trouble is None:
            _log.warning("chain_trouble", reason=str(error))
        self.trouble = str(error)
        await self._wait(LONGEST_TROUBLE_WAIT_S)

    async def _wait(self, longest_s: float) -> None:
        waited_s, self._wait_s = self._wait_s, min(self._wait_s * _GROWTH, longest_s)
        await self._clock.sleep(waited_s)
