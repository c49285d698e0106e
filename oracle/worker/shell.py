"""
The asyncio shell: watches the chain, has `job.step` decide what follows, and stops cleanly.

Every task belongs to the worker's TaskGroup. Trouble of the chain or the store is waited out; a job's own trouble never reaches another.
"""

import asyncio
import contextlib

import structlog

from oracle.errors import StoreError
from oracle.job import Event
from oracle.model import BlockEvents, Job, Stage
from oracle.ports import WorkerSnapshot
from oracle.worker.confirming import Confirming
from oracle.worker.intake import Intake
from oracle.worker.jobs import Jobs
from oracle.worker.parts import Parts, Place, Slots
from oracle.worker.patience import Patience
from oracle.worker.tally import Tally

_log = structlog.get_logger()


class _Stopped(Exception):
    """Ends the TaskGroup."""


class Worker:
    """One worker; `run` it once."""

    def __init__(self, parts: Parts, place: Place, slots: Slots) -> None:
        self._parts = parts
        self._tally = Tally()
        self._patience = Patience(parts.clock, self._tally)
        self._jobs = Jobs(parts, place, slots, self._tally, self._patience)
        self._intake = Intake(parts, self._jobs, self._tally, self._patience)
        self._confirming = Confirming(parts, self._jobs, self._intake.progress, self._tally, self._patience)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; unfinished jobs stay in the store for the next start."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._jobs.own(tasks)
                self._intake.progress.resume(await self._patience.stored(self._parts.store.cursor))
                tasks.create_task(_end_when(stop))
                for job in await self._patience.stored(self._parts.store.unfinished):
                    if self._parts.receipts.is_attested:
                        tasks.create_task(self._jobs.begin_anew(job))  # by itself: nodes may never agree on one of them
                    else:
                        await self._jobs.take_up(job)
                tasks.create_task(self._watch())
                tasks.create_task(self._confirming.run())
        except* _Stopped:
            await self._store_cursor()
            _log.info("jobs_left_for_next_start", count=len(self._jobs.in_hand))
        finally:
            self._jobs.own(None)
            await self._jobs.close()

    async def _watch(self) -> None:
        async with contextlib.aclosing(self._parts.chain.follow(self._intake.progress.cursor)) as blocks:
            async for block in blocks:
                await self._intake.take_in(block)

    async def _store_cursor(self) -> None:
        """At the end, so that the next start has no block to read again; no harm when the disk is full."""
        if (unstored := self._intake.progress.unstored) is not None:
            with contextlib.suppress(StoreError):
                await self._parts.store.admit(BlockEvents(unstored, 0))

    def snapshot(self) -> WorkerSnapshot:
        """How the worker stands."""
        chain = self._parts.chain
        return self._tally.snapshot(self.cursor_height, chain.head_height, chain.trouble, self.unfinished.values())

    @property
    def cursor_height(self) -> int:
        """Height of the last block taken in; 0 before the first."""
        return self._intake.progress.height

    @property
    def unfinished(self) -> dict[int, Job]:
        """The jobs in hand, by request."""
        return {request_id: live.job for request_id, live in self._jobs.in_hand.items() if live.job.stage is not Stage.DONE}

    async def take_up(self, job: Job) -> None:
        """Begin, or go on with, a job that lies in the store."""
        await self._jobs.take_up(job)

    async def tell(self, request_id: int, event: Event) -> None:
        """Let an event happen to a job: decide, perform, store."""
        await self._jobs.tell(request_id, event)


async def _end_when(stop: asyncio.Event) -> None:
    await stop.wait()
    raise _Stopped
