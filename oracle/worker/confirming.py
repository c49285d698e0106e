"""What was sent is settled, or sent again: the chain's word counts, not a transaction's success."""

import asyncio
from functools import partial

import structlog

from oracle.errors import ChainError
from oracle.job import Renewed, Settled
from oracle.worker.jobs import Jobs
from oracle.worker.live import Live
from oracle.worker.parts import Parts
from oracle.worker.patience import Patience
from oracle.worker.progress import Progress
from oracle.worker.tally import Tally
from oracle.worker.window import WAITING, renewed_unseen

CONFIRM_TICK_S = 1.0
_CONFIRMED_AT_ONCE = 8

_log = structlog.get_logger()


class Confirming:
    """Looks at the jobs in hand from time to time."""

    def __init__(self, parts: Parts, jobs: Jobs, progress: Progress, tally: Tally, patience: Patience) -> None:
        self._parts = parts
        self._jobs = jobs
        self._progress = progress
        self._tally = tally
        self._patience = patience

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._parts.clock.sleep(CONFIRM_TICK_S)
            await self._store_what_lasts()
            due = [live for live in self._jobs.in_hand.values() if live.check_soon or self._jobs.sending.is_overdue(live)]
            for start in range(0, len(due), _CONFIRMED_AT_ONCE):
                await asyncio.gather(*(self._check(live) for live in due[start : start + _CONFIRMED_AT_ONCE]))

    async def _store_what_lasts(self) -> None:
        """A guest that takes its time, which people may ask the store about, and an answer that is kept from the chain."""
        for live in [live for live in self._jobs.in_hand.values() if live.is_ahead]:
            async with live.turn:
                if live.is_ahead:
                    await self._patience.stored(partial(self._parts.store.save, live.job))
                    live.is_ahead = False

    async def _check(self, live: Live) -> None:
        request_id = live.job.request_id
        try:
            pending = await self._parts.contract.request(request_id, at_least_height=live.job.origin.block_height)
        except ChainError as error:
            self._tally.last_error = str(error)
            return
        live.check_soon = False
        if pending is None:
            await self._jobs.tell(request_id, Settled("gone"))
        elif live.job.stage in WAITING:
            # Its yield has ended and it still waits: so the yield was renewed, and the source of blocks does not tell when.
            await self._jobs.tell(request_id, Renewed(renewed_unseen(live.job, self._progress.height)))
        elif self._jobs.sending.is_overdue(live) and live.job.answer is not None:
            _log.warning("answer_not_settled", request_id=request_id, times_sent=live.times_sent)
            live.sending = self._jobs.spawn(self._jobs.submit(live, live.job.answer))
