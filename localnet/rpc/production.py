"""
When blocks are made: on demand, or one each period.

On demand, a submission starts a run of blocks that ends when nothing is in flight. Each block is a job of its own in the chain's queue, so
that the transactions that come in meanwhile share the next one.
"""

import asyncio
from typing import NoReturn

import structlog

from localnet.chain import Chain
from localnet.rpc.owner import ChainOwner
from localnet.state.store import StateError

_FIRST_RETRY_S = 0.1
_LONGEST_RETRY_S = 5.0

log = structlog.get_logger()


class BlockProducer:
    """Makes blocks until it is cancelled. When the state cannot be written it says so in `trouble` and tries again."""

    def __init__(self, owner: ChainOwner, *, block_time_s: float | None) -> None:
        """`block_time_s`: seconds from block to block; None makes blocks on demand."""
        self._owner = owner
        self._block_time_s = block_time_s
        self._work = asyncio.Event()
        # Transactions may wait from before the last stop.
        self._work.set()
        self.trouble: str | None = None

    def nudge(self) -> None:
        """Something was submitted."""
        self._work.set()

    async def run(self) -> NoReturn:
        """Make blocks."""
        try:
            if self._block_time_s is None:
                await self._on_demand()
            await self._each(self._block_time_s)
        except Exception as error:
            self.trouble = f"no more blocks are made: {type(error).__name__}: {error}"
            log.exception("block_production_stopped")
            raise

    async def _on_demand(self) -> NoReturn:
        while True:
            await self._work.wait()
            self._work.clear()
            while await self._make_block(only_if_needed=True):
                pass

    async def _each(self, period_s: float) -> NoReturn:
        loop = asyncio.get_running_loop()
        due = loop.time() + period_s
        while True:
            await asyncio.sleep(due - loop.time())
            await self._make_block(only_if_needed=False)
            # After a late block the period begins anew: blocks are not made up for.
            due = max(due + period_s, loop.time())

    async def _make_block(self, *, only_if_needed: bool) -> bool:
        """Whether a block was made."""
        retry_s = _FIRST_RETRY_S
        while True:
            try:
                made = await self._owner.run_judged(_make_one_if_needed if only_if_needed else _make_one)
            except (StateError, OSError) as error:
                if isinstance(error, OSError) and self.trouble is None:  # of a `StateError` the owner tells
                    log.warning("block_not_written", reason=str(error))
                self.trouble = f"blocks cannot be written: {error}"
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, _LONGEST_RETRY_S)
            else:
                self.trouble = None
                return made


def _make_one(chain: Chain) -> bool:
    chain.produce_block()
    return True


def _make_one_if_needed(chain: Chain) -> bool:
    return chain.has_work and _make_one(chain)
