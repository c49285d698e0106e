"""
The asyncio shell: watches the chain, feeds `job.step`, performs its commands and stores what it decides.

Commands are safe to repeat, so they begin while the job's new stage is on its way to the store, and guests whose code is at hand even while
their block is; a job's next event waits until both are there. A stage that a crash may take back is stored only if it lasts (ADR 0006).

Every task belongs to the worker's TaskGroup. Trouble of the chain or the store is waited out; a job's own trouble never reaches another.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from oracle.errors import ChainError, OutOfOrder, StoreError
from oracle.job import (
    Command,
    Event,
    Extend,
    Failed,
    GetCode,
    Release,
    Renewed,
    Restarted,
    RunGuest,
    Settled,
    Submit,
    loses_nothing_by_a_crash,
    step,
)
from oracle.model import Answer, BlockEvents, Completed, Cursor, Extended, Job, Metrics, Requested, Stage, Unreadable
from oracle.ports import WorkerSnapshot
from oracle.worker.live import Live
from oracle.worker.parts import Parts, Place, Slots
from oracle.worker.patience import LONG_WAIT_S, SHORT_WAIT_S, Patience
from oracle.worker.progress import Progress
from oracle.worker.sending import Sending
from oracle.worker.tally import Tally
from oracle.worker.window import WAITING, Windows, renewed_unseen
from oracle.worker.work import Work

CATCHING_UP_BLOCKS = 20
"""Further behind the head than this, new jobs wait: most of what happened while we were away is settled already."""
INPUTS_IN_HAND = 2_000
"""Of so many jobs the inputs, up to 10 KB each, are held in memory; others are read from the store when their turn comes."""
CONFIRM_TICK_S = 1.0
_ATTEMPTS_AT_FAULTY_WORK = 3
_CONFIRMED_AT_ONCE = 8

_log = structlog.get_logger()


class _Stopped(Exception):
    """Ends the TaskGroup."""


class Worker:
    """One worker; `run` it once."""

    def __init__(self, parts: Parts, place: Place, slots: Slots) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._tally = Tally()
        self._patience = Patience(parts.clock, self._tally)
        self._work = Work(parts, place, slots, self._tally)
        self._sending = Sending(parts, self._tally)
        self._windows = Windows(parts, self._tally, self.tell)
        self._live: dict[int, Live] = {}
        self._held: list[int] = []
        self._progress = Progress()
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; unfinished jobs stay in the store for the next start."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._progress.resume(await self._patience.stored(self._parts.store.cursor))
                tasks.create_task(_end_when(stop))
                for job in await self._patience.stored(self._parts.store.unfinished):
                    if self._parts.receipts.is_attested:
                        tasks.create_task(self._begin_anew(job))  # by itself: nodes may never agree on one of them
                    else:
                        await self.take_up(job)
                tasks.create_task(self._watch())
                tasks.create_task(self._confirm())
        except* _Stopped:
            await self._store_cursor()
            _log.info("jobs_left_for_next_start", count=len(self._live))
        finally:
            self._tasks = None
            await self._work.close()

    async def _store_cursor(self) -> None:
        """At the end, so that the next start has no block to read again; no harm when the disk is full."""
        if self._progress.unstored is not None:
            with contextlib.suppress(StoreError):
                await self._parts.store.admit(BlockEvents(self._progress.unstored, 0))

    def snapshot(self) -> WorkerSnapshot:
        """How the worker stands."""
        chain = self._parts.chain
        return self._tally.snapshot(self.cursor_height, chain.head_height, chain.trouble, self.unfinished.values())

    @property
    def cursor_height(self) -> int:
        """Height of the last block taken in; 0 before the first."""
        return self._progress.height

    @property
    def unfinished(self) -> dict[int, Job]:
        """The jobs in hand, by request."""
        return {request_id: live.job for request_id, live in self._live.items() if live.job.stage is not Stage.DONE}

    async def take_up(self, job: Job) -> None:
        """Begin, or go on with, a job that lies in the store."""
        if job.request_id not in self._live:
            self._live[job.request_id] = Live(self._light(job), self._clock.monotonic_s())
            await self.tell(job.request_id, Restarted())

    async def _begin_anew(self, job: Job) -> None:
        """Work out anew what an earlier process left, because it is not to be said in this one's name."""
        if (asked := await self._work.ask_again(job)) is not None:
            await self.take_up(asked)
        else:
            self._live[job.request_id] = Live(job, self._clock.monotonic_s())
            await self.tell(job.request_id, Settled("gone"))

    async def tell(self, request_id: int, event: Event) -> None:
        """Let an event happen to a job: decide, perform, store."""
        if live := self._live.get(request_id):
            await self._happen(live, event)

    async def _happen(self, live: Live, event: Event) -> None:
        async with live.turn:
            if self._live.get(live.job.request_id) is not live:
                return  # settled while this waited for its turn
            try:
                job, commands = self._decide(live.job, event)
            except OutOfOrder as error:
                _log.exception("out_of_order", request_id=live.job.request_id)
                self._tally.last_error = str(error)
                return
            # A first answer that was quickly had is safe with its signed transaction, which is in the journal before it is sent.
            is_quick = job.stage is Stage.ANSWERING and live.is_ahead and live.is_new
            may_wait = is_quick or loses_nothing_by_a_crash(live.job, job)
            live.is_ahead = may_wait and (live.is_ahead or job != live.job)
            live.job = job
            self._perform(live, commands)
            if not may_wait:
                await self._patience.stored(lambda: self._parts.store.save(job))
            self._end_if_done(job)

    def _decide(self, job: Job, event: Event) -> tuple[Job, list[Command]]:
        """What follows from an event; code that is at hand is not waited for."""
        job, commands = step(job, event)
        if commands == [GetCode()] and (ready := self._work.code_at_hand(job)) is not None:
            return step(job, ready)
        return job, commands

    def _perform(self, live: Live, commands: Iterable[Command]) -> None:
        for command in commands:
            match command:
                case GetCode():
                    live.work = self._spawn(self._long_work(live, partial(self._work.get_code, live.job)))
                case RunGuest(wasm_sha256_hex):
                    live.work = self._spawn(self._long_work(live, partial(self._work.run_guest, live.job, wasm_sha256_hex)))
                case Submit(answer):
                    live.sending = self._spawn(self._submit(live, answer))
                case Extend():
                    self._spawn(self._sending.extend(live))
                case Release():
                    if live.job.stage is Stage.DONE:
                        live.release_everything()
                    else:
                        live.release()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        if self._tasks is None:
            work.close()
            raise RuntimeError("the worker does not run")
        return self._tasks.create_task(work)

    async def _long_work(self, live: Live, work: Callable[[], Awaitable[Event]]) -> None:
        """Perform a command and tell what came of it; a fault of ours is tried again, and then told to the caller too."""
        request_id, faults, wait_s = live.job.request_id, 0, SHORT_WAIT_S
        event: Event = Failed("The worker could not run this request because of a fault of its own; ask again.", Metrics())
        while faults < _ATTEMPTS_AT_FAULTY_WORK:
            try:
                event = await work()
                break
            except StoreError as error:  # the artifact cache's disk: waited out like the database's, unless the window closes
                self._tally.last_error = str(error)
                _log.warning("work_waits", request_id=request_id, reason=str(error))
            except Exception as error:  # noqa: BLE001  whatever it is, the caller has to hear, and other jobs go on
                faults += 1
                _log.exception("work_failed", request_id=request_id, attempt=faults)
                self._tally.last_error = f"request {request_id}: {type(error).__name__}"
            await self._clock.sleep(wait_s)
            wait_s = min(2 * wait_s, LONG_WAIT_S)
        await self._happen(live, event)

    async def _submit(self, live: Live, answer: Answer) -> None:
        if not await self._sending.submit(live, answer):
            await self.tell(answer.request_id, Settled("gone"))

    async def _watch(self) -> None:
        async with contextlib.aclosing(self._parts.chain.follow(self._progress.cursor)) as blocks:
            async for block in blocks:
                await self._take_in(block)

    async def _take_in(self, block: BlockEvents) -> None:
        """Store a block's news, what it settles and the cursor at once; then begin what is new."""
        if block.cursor.height <= self.cursor_height:
            return  # told twice
        seen_s = self._clock.monotonic_s()
        if block.events or self._progress.is_due(block.cursor, seen_s):
            await self._store_block(block, seen_s)
            self._progress.was_stored(block.cursor, seen_s)
        self._progress.cursor = block.cursor
        if self._is_near_head(block.cursor):
            begun, self._held = self._held, []
            for request_id in begun:
                await self.tell(request_id, Restarted())
        ending = await self._windows.watch([live for live in self._live.values() if live.job.request_id not in self._held], block)
        if ending:
            self._spawn(self._windows.announce(ending))

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
                live = self._live.setdefault(job.request_id, asked.pop(job.request_id))
                if live.job.stage is Stage.QUEUED:
                    self._held.append(job.request_id)
            for known in asked.values():
                known.release()
            for live, job, commands in moved.values():
                live.job = job
                self._perform(live, commands)
                self._end_if_done(job)

    async def _begin(self, block: BlockEvents, seen_s: float, turns: AsyncExitStack) -> dict[int, Live]:
        """
        Run the guests of a block's requests whose code is at hand, for the store to find out meanwhile which requests are new.

        What comes of them waits for their turns, which are held until the block is stored.
        """
        asked: dict[int, Live] = {}
        for event in block.events:
            if not isinstance(event, Requested) or event.request.request_id in asked:
                continue
            live = Live(self._light(Job.asked(event.request, event.origin)), seen_s, is_new=True)
            asked[live.job.request_id] = live
            await turns.enter_async_context(live.turn)
            if live.job.request_id in self._live or live.job.request.input_data is None or not self._is_near_head(block.cursor):
                continue
            job, commands = self._decide(live.job, Restarted())
            if job.stage is Stage.RUNNING:
                live.job, live.is_ahead = job, True
                self._perform(live, commands)
        return asked

    def _light(self, job: Job) -> Job:
        """The job, without its input when many are in hand."""
        return job if len(self._live) < INPUTS_IN_HAND else replace(job, request=replace(job.request, input_data=None))

    async def _hear(self, event: object, moved: dict[int, tuple[Live, Job, list[Command]]], turns: AsyncExitStack) -> None:
        """Take what an event says of jobs in hand; their turns are held until it is stored."""
        match event:
            case Completed(request_id=None):
                for live in self._live.values():
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
            found = self._live.get(request_id)
            if found is None:
                return
            await turns.enter_async_context(found.turn)
            if self._live.get(request_id) is not found:
                return  # settled while this waited for its turn
            moved[request_id] = (found, found.job, [])
        live, job, commands = moved[request_id]
        job, more = step(job, told)
        moved[request_id] = (live, job, [*commands, *more])

    def _end_if_done(self, job: Job) -> None:
        """The store knows that the job is DONE: the worker may forget it."""
        if job.stage is Stage.DONE:
            self._live.pop(job.request_id, None)
            _log.info("request_settled", request_id=job.request_id, by=job.settled_by)

    async def _confirm(self) -> None:
        """See to it that what was sent is settled: the chain's word counts, not a transaction's success."""
        while True:
            await self._clock.sleep(CONFIRM_TICK_S)
            await self._store_what_lasts()
            due = [live for live in self._live.values() if live.check_soon or self._sending.is_overdue(live)]
            for start in range(0, len(due), _CONFIRMED_AT_ONCE):
                await asyncio.gather(*(self._check(live) for live in due[start : start + _CONFIRMED_AT_ONCE]))

    async def _store_what_lasts(self) -> None:
        """A guest that takes its time, which people may ask the store about, and an answer that is kept from the chain."""
        for live in [live for live in self._live.values() if live.is_ahead]:
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
            await self.tell(request_id, Settled("gone"))
        elif live.job.stage in WAITING:
            # Its yield has ended and it still waits: so the yield was renewed, and the source of blocks does not tell when.
            await self.tell(request_id, Renewed(renewed_unseen(live.job, self.cursor_height)))
        elif self._sending.is_overdue(live) and live.job.answer is not None:
            _log.warning("answer_not_settled", request_id=request_id, times_sent=live.times_sent)
            live.sending = self._spawn(self._submit(live, live.job.answer))


async def _end_when(stop: asyncio.Event) -> None:
    await stop.wait()
    raise _Stopped
