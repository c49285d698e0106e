"""A store that cannot be written is waited out: the disk is made room on, the lock is given back."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from oracle.errors import StoreError
from oracle.ports import Clock
from oracle.worker.tally import Tally

SHORT_WAIT_S, LONG_WAIT_S = 0.5, 30.0

_T = TypeVar("_T")
_log = structlog.get_logger()


class Patience:
    """Does what is to be done with the store, however long it takes until it can be done."""

    def __init__(self, clock: Clock, tally: Tally) -> None:
        self._clock = clock
        self._tally = tally

    async def stored(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Repeat the work until the store takes it."""
        wait_s = SHORT_WAIT_S
        while True:
            try:
                result = await work()
            except StoreError as error:
                if self._tally.store_trouble is None:
                    _log.error("store_trouble", reason=str(error))
                self._tally.store_trouble = self._tally.last_error = str(error)
                await self._clock.sleep(wait_s)
                wait_s = min(2 * wait_s, LONG_WAIT_S)
            else:
                if self._tally.store_trouble is not None:
                    _log.info("store_well_again")
                    self._tally.store_trouble = None
                return result
