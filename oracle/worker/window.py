"""
How long a request may still take.

A yield gives up 200 blocks after it began or was renewed (NEAR `yield_timeout_length_in_blocks`). Early enough before that the contract is
told that work goes on, where it knows how; later, and still early enough for a transaction to land, the caller gets an error.
"""

from collections.abc import Awaitable, Callable, Iterable

from oracle.errors import ChainError
from oracle.job import Event, WindowClosing
from oracle.model import BlockEvents, Job, Stage
from oracle.worker.live import Live
from oracle.worker.parts import Parts
from oracle.worker.tally import Tally

YIELD_BLOCKS = 200
ANNOUNCE_AFTER_BLOCKS = 150
GIVE_UP_AFTER_BLOCKS = 170
GONE_AFTER_BLOCKS = YIELD_BLOCKS + 10

EXTENSION_DEADLINE_NS = 600 * 10**9
"""The contract renews a yield until so long after the request (PROTOCOL, "extend_execution")."""
_TO_RENEWAL_NS = 60 * 10**9
"""From the announcement to the block that renews, generously."""
_BLOCK_NS = 600_000_000
"""NEAR's time between blocks, where only a request's age in time is known."""
_UNKNOWN_YIELD_GRACE_S = 15.0

WAITING = frozenset({Stage.QUEUED, Stage.RUNNING})
"""Stages without an answer."""


def yield_age_blocks(job: Job, height: int, block_timestamp_ns: int) -> int:
    """Blocks since the yield began or was renewed; estimated from the request's timestamp when that height is unknown."""
    if job.yield_height:
        return height - job.yield_height
    return max(0, block_timestamp_ns - job.request.timestamp_ns) // _BLOCK_NS


def renewal_lies_ahead(job: Job, block_timestamp_ns: int) -> bool:
    """Whether the contract would still renew the yield when it times out."""
    return block_timestamp_ns + _TO_RENEWAL_NS < job.request.timestamp_ns + EXTENSION_DEADLINE_NS


def renewed_unseen(job: Job, height: int) -> int:
    """Where a yield was renewed that still waits although it has ended; where its beginning is unknown, rather too early than too late."""
    return job.yield_height + YIELD_BLOCKS if job.yield_height else max(1, height - YIELD_BLOCKS // 2)


class Windows:
    """Announces what takes long, and lets be answered in time what cannot be announced."""

    def __init__(self, parts: Parts, tally: Tally, tell: Callable[[int, Event], Awaitable[None]]) -> None:
        self._parts = parts
        self._tally = tally
        self._tell = tell

    async def watch(self, jobs: Iterable[Live], block: BlockEvents) -> list[Live]:
        """Look at each job's yield; returns those whose end is to be announced now."""
        ending: list[Live] = []
        for live in jobs:
            age = yield_age_blocks(live.job, block.cursor.height, block.timestamp_ns)
            if age < ANNOUNCE_AFTER_BLOCKS or live.job.stage not in WAITING:
                continue
            if not live.job.yield_height and self._parts.clock.monotonic_s() - live.seen_s < _UNKNOWN_YIELD_GRACE_S:
                continue  # found late, by asking: it gets a little time all the same
            window = live.job.yield_height
            in_time = age < GIVE_UP_AFTER_BLOCKS or not window
            if live.announced_for != window and in_time and renewal_lies_ahead(live.job, block.timestamp_ns):
                live.announced_for = window
                ending.append(live)
            elif age >= GIVE_UP_AFTER_BLOCKS and live.extended_for != window:
                await self._tell(live.job.request_id, WindowClosing(can_extend=False))
            elif age >= GONE_AFTER_BLOCKS:
                live.check_soon = True
        return ending

    async def announce(self, ending: Iterable[Live]) -> None:
        """Tell the contract that work goes on, where it knows how."""
        try:
            can_extend = await self._parts.contract.can_extend()
        except ChainError as error:
            self._tally.last_error = str(error)
            for live in ending:
                live.announced_for = None  # the next block tries again
            return
        if can_extend:
            for live in ending:
                await self._tell(live.job.request_id, WindowClosing(can_extend=True))
