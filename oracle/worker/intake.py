"""
What a block says is taken in: its requests, what it settles and the cursor are stored at once, and then begun.

Guests whose code is at hand begin even while their block is on its way to the store; what comes of them waits until it is there.
"""

import asyncio
from contextlib import AsyncExitStack

import structlog

from oracle.job import Command, Event, Renewed, Restarted, Settled, step
from oracle.model import BlockEvents, Completed, Cursor, Extended, Job, Requested, Stage, Unreadable
from oracle.worker.jobs import Jobs
from oracle.worker.live import Live
from oracle.worker.parts import Parts
from oracle.worker.patience import Patience
from oracle.worker.progress import Progress
from oracle.worker.tally import Tally
from oracle.worker.window import Windows

CATCHING_UP_BLOCKS = 20
"""Further behind the head than this, new jobs wait: most of what happened while we were away is settled already."""

_log = structlog.get_logger()


class Intake:
    """Takes in blocks, in the order of the chain."""

    def __init__(self, parts: Parts, jobs: Jobs, tally: Tally, patience: Patience) -> None:
        self._parts = parts
        self._jobs = jobs
        self._patience = patience
        self._windows = Windows(parts, tally, jobs.tell)
        self._held: list[int] = []
        self.progress = Progress()

    async def take_in(self, block: BlockEvents) -> None:
        """Store a block's news, what it settles and the cursor at once; then begin what is new."""
        if block.cursor.height <= self.progress.height:
            return  # told twice
        seen_s = self._parts.clock.monotonic_s()
        if block.events or self.progress.is_due(block.cursor, seen_s):
            await self._store_block(block, seen_s)
            self.progress.was_stored(block.cursor, seen_s)
        self.progress.cursor = block.cursor
        if self._is_near_head(block.cursor):
            begun, self._held = self._held, []
            for request_id in begun:
                await self._jobs.tell(request_id, Restarted())
        ending = await self._windows.watch([live for live in self._jobs.in_hand.values() if live.job.request_id not in self._held], block)
        if ending:
            self._jobs.spawn(self._windows.announce(ending))

    def _is_near_head(self, cursor: Cursor) -> bool:
        return self._parts.chain.head_height - cursor.height <= CATCHING_UP_BLOCKS

    async def _store_block(self, block: BlockEvents, seen_s: float) -> None:
        async with AsyncExitStack() as turns:
            asked = await self._begin(block, seen_s, turns)
            await asyncio.sleep(0)  # the guests get their jobs before the store's thread asks for its share of the interpreter
            moved: dict[int, tuple[Live, Job, list[Command]]] = {}
            for event in block.events:
                await self._hear(event, moved, turns)
            changed = [job for live, job, _ in moved.values() if job != live.job]
            for job in await self._patience.stored(lambda: self._parts.store.admit(block, changed)):
                live = self._jobs.in_hand.setdefault(job.request_id, asked.pop(job.request_id))
                if live.job.stage is Stage.QUEUED:
                    self._held.append(job.request_id)
            for known in asked.values():
                known.release()
            for live, job, commands in moved.values():
                live.job = job
                self._jobs.perform(live, commands)
                self._jobs.forget_if_done(job)

    async def _begin(self, block: BlockEvents, seen_s: float, turns: AsyncExitStack) -> dict[int, Live]:
        """
        Run the guests of a block's requests whose code is at hand, for the store to find out meanwhile which requests are new.

        What comes of them waits for their turns, which are held until the block is stored.
        """
        asked: dict[int, Live] = {}
        for event in block.events:
            if not isinstance(event, Requested) or event.request.request_id in asked:
                continue
            live = Live(self._jobs.light(Job.asked(event.request, event.origin)), seen_s, is_new=True)
            asked[live.job.request_id] = live
            await turns.enter_async_context(live.turn)
            if live.job.request_id in self._jobs.in_hand or live.job.request.input_data is None or not self._is_near_head(block.cursor):
                continue
            job, commands = self._jobs.decide(live.job, Restarted())
            if job.stage is Stage.RUNNING:
                live.job, live.is_ahead = job, True
                self._jobs.perform(live, commands)
        return asked

    async def _hear(self, event: object, moved: dict[int, tuple[Live, Job, list[Command]]], turns: AsyncExitStack) -> None:
        """Take what an event says of jobs in hand; their turns are held until it is stored."""
        match event:
            case Completed(request_id=None):
                for live in self._jobs.in_hand.values():
                    live.check_soon = live.check_soon or live.job.stage is Stage.ANSWERING
                return
            case Completed(request_id=int(request_id)):
                told: Event = Settled("event")
            case Extended(request_id, block_height):
                told = Renewed(block_height)
            case Unreadable(reason=reason, receipt_id=receipt_id):
                _log.warning("event_unreadable", receipt_id=receipt_id, reason=reason)
                return
            case _:
                return
        if request_id not in moved:
            found = self._jobs.in_hand.get(request_id)
            if found is None:
                return
            await turns.enter_async_context(found.turn)
            if self._jobs.in_hand.get(request_id) is not found:
                return  # settled while this waited for its turn
            moved[request_id] = (found, found.job, [])
        live, job, commands = moved[request_id]
        job, more = step(job, told)
        moved[request_id] = (live, job, [*commands, *more])
