"""
The asyncio shell: watches the chain, feeds `job.step`, stores what it decides, and only then performs its commands.

Every task belongs to the worker's TaskGroup. Trouble of the chain or the store is waited out; a job's own trouble never reaches another.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack
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
    WindowClosing,
    step,
)
from oracle.model import Answer, BlockEvents, Completed, Cursor, Extended, Job, Metrics, Stage, Unreadable
from oracle.ports import WorkerSnapshot
from oracle.worker.live import Live
from oracle.worker.parts import Parts, Place, Slots
from oracle.worker.patience import LONG_WAIT_S, SHORT_WAIT_S, Patience
from oracle.worker.sending import Sending
from oracle.worker.tally import Tally
from oracle.worker.window import (
    ANNOUNCE_AFTER_BLOCKS,
    GIVE_UP_AFTER_BLOCKS,
    GONE_AFTER_BLOCKS,
    renewal_lies_ahead,
    renewed_unseen,
    yield_age_blocks,
)
from oracle.worker.work import Work

CATCHING_UP_BLOCKS = 20
"""Further behind the head than this, new jobs wait: most of what happened while we were away is settled already."""
UNSTORED_BLOCKS, UNSTORED_S = 100, 1.0
"""The cursor in the store is at most so many empty blocks, and about so long, behind."""
CONFIRM_TICK_S = 1.0
_UNKNOWN_YIELD_GRACE_S = 15.0
_ATTEMPTS_AT_FAULTY_WORK = 3
_WAITING = frozenset({Stage.QUEUED, Stage.RUNNING})
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
        self._live: dict[int, Live] = {}
        self._held: list[int] = []
        self._cursor: Cursor | None = None
        self._stored_cursor: Cursor | None = None
        self._stored_s = 0.0
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; unfinished jobs stay in the store for the next start."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._cursor = self._stored_cursor = await self._patience.stored(self._parts.store.cursor)
                for job in await self._patience.stored(self._parts.store.unfinished):
                    await self.take_up(job)
                tasks.create_task(self._watch())
                tasks.create_task(self._confirm())
                tasks.create_task(_end_when(stop))
        except* _Stopped:
            await self._store_cursor()
            _log.info("jobs_left_for_next_start", count=len(self._live))
        finally:
            self._tasks = None
            await self._work.close()

    async def _store_cursor(self) -> None:
        """At the end, so that the next start has no block to read again; no harm when the disk is full."""
        if self._cursor is not None and self._cursor != self._stored_cursor:
            with contextlib.suppress(StoreError):
                await self._parts.store.admit(BlockEvents(self._cursor, 0))

    def snapshot(self) -> WorkerSnapshot:
        """How the worker stands."""
        chain = self._parts.chain
        return self._tally.snapshot(self.cursor_height, chain.head_height, chain.trouble, (live.job for live in self._live.values()))

    @property
    def cursor_height(self) -> int:
        """Height of the last block taken in; 0 before the first."""
        return 0 if self._cursor is None else self._cursor.height

    @property
    def unfinished(self) -> dict[int, Job]:
        """The jobs in hand, by request."""
        return {request_id: live.job for request_id, live in self._live.items()}

    async def take_up(self, job: Job) -> None:
        """Begin, or go on with, a job that lies in the store."""
        if job.request_id not in self._live:
            self._live[job.request_id] = Live(job, self._clock.monotonic_s())
            await self.tell(job.request_id, Restarted())

    async def tell(self, request_id: int, event: Event) -> None:
        """Let an event happen to a job: decide, store, perform."""
        live = self._live.get(request_id)
        if live is None:
            return
        async with live.turn:
            if self._live.get(request_id) is not live:
                return  # settled while this waited for its turn
            try:
                job, commands = step(live.job, event)
            except OutOfOrder as error:
                _log.exception("out_of_order", request_id=request_id)
                self._tally.last_error = str(error)
                return
            if job != live.job:
                await self._patience.stored(lambda: self._parts.store.save(job))
                self._moved(live, job)
        self._perform(live, commands)

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
        await self.tell(request_id, event)

    async def _submit(self, live: Live, answer: Answer) -> None:
        if not await self._sending.submit(live, answer):
            await self.tell(answer.request_id, Settled("gone"))

    async def _watch(self) -> None:
        async with contextlib.aclosing(self._parts.chain.follow(self._cursor)) as blocks:
            async for block in blocks:
                await self._take_in(block)

    async def _take_in(self, block: BlockEvents) -> None:
        """Store a block's news, what it settles and the cursor at once; then begin what is new."""
        if block.cursor.height <= self.cursor_height:
            return  # told twice
        seen_s = self._clock.monotonic_s()
        if block.events or self._cursor_is_due(block.cursor, seen_s):
            await self._store_block(block, seen_s)
            self._stored_cursor, self._stored_s = block.cursor, seen_s
        self._cursor = block.cursor
        if self._parts.chain.head_height - block.cursor.height <= CATCHING_UP_BLOCKS:
            begun, self._held = self._held, []
            for request_id in begun:
                await self.tell(request_id, Restarted())
        await self._watch_windows(block)

    def _cursor_is_due(self, cursor: Cursor, now_s: float) -> bool:
        """Empty blocks are many, and reading them again costs little: the cursor follows them from time to time."""
        stored = self._stored_cursor
        return stored is None or cursor.height - stored.height >= UNSTORED_BLOCKS or now_s - self._stored_s >= UNSTORED_S

    async def _store_block(self, block: BlockEvents, seen_s: float) -> None:
        async with AsyncExitStack() as turns:
            moved: dict[int, tuple[Live, Job, list[Command]]] = {}
            for event in block.events:
                await self._hear(event, moved, turns)
            changed = [job for live, job, _ in moved.values() if job != live.job]
            for job in await self._patience.stored(lambda: self._parts.store.admit(block, changed)):
                self._live.setdefault(job.request_id, Live(job, seen_s, is_new=True))
                self._held.append(job.request_id)
            for live, job, _ in moved.values():
                self._moved(live, job)
        for live, _, commands in moved.values():
            self._perform(live, commands)

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

    def _moved(self, live: Live, job: Job) -> None:
        """The store has the job's new state: so has the worker."""
        live.job = job
        if job.stage is Stage.DONE:
            self._live.pop(job.request_id, None)
            _log.info("request_settled", request_id=job.request_id, by=job.settled_by)

    async def _watch_windows(self, block: BlockEvents) -> None:
        """Announce what takes long, and answer in time what cannot be announced."""
        ending: list[Live] = []
        for live in list(self._live.values()):
            age = yield_age_blocks(live.job, block.cursor.height, block.timestamp_ns)
            if age < ANNOUNCE_AFTER_BLOCKS or live.job.stage not in _WAITING or live.job.request_id in self._held:
                continue
            if not live.job.yield_height and self._clock.monotonic_s() - live.seen_s < _UNKNOWN_YIELD_GRACE_S:
                continue  # found late, by asking: it gets a little time all the same
            window = live.job.yield_height
            in_time = age < GIVE_UP_AFTER_BLOCKS or not window
            if live.announced_for != window and in_time and renewal_lies_ahead(live.job, block.timestamp_ns):
                live.announced_for = window
                ending.append(live)
            elif age >= GIVE_UP_AFTER_BLOCKS and live.extended_for != window:
                await self.tell(live.job.request_id, WindowClosing(can_extend=False))
            elif age >= GONE_AFTER_BLOCKS:
                live.check_soon = True
        if ending:
            self._spawn(self._announce(ending))

    async def _announce(self, ending: list[Live]) -> None:
        try:
            can_extend = await self._parts.contract.can_extend()
        except ChainError as error:
            self._tally.last_error = str(error)
            for live in ending:
                live.announced_for = None  # the next block tries again
            return
        if can_extend:
            for live in ending:
                await self.tell(live.job.request_id, WindowClosing(can_extend=True))

    async def _confirm(self) -> None:
        """See to it that what was sent is settled: the chain's word counts, not a transaction's success."""
        while True:
            await self._clock.sleep(CONFIRM_TICK_S)
            due = [live for live in self._live.values() if live.check_soon or self._sending.is_overdue(live)]
            for start in range(0, len(due), _CONFIRMED_AT_ONCE):
                await asyncio.gather(*(self._check(live) for live in due[start : start + _CONFIRMED_AT_ONCE]))

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
        elif live.job.stage in _WAITING:
            # Its yield has ended and it still waits: so the yield was renewed, and the source of blocks does not tell when.
            await self.tell(request_id, Renewed(renewed_unseen(live.job, self.cursor_height)))
        elif self._sending.is_overdue(live) and live.job.answer is not None:
            _log.warning("answer_not_settled", request_id=request_id, times_sent=live.times_sent)
            live.sending = self._spawn(self._submit(live, live.job.answer))


async def _end_when(stop: asyncio.Event) -> None:
    await stop.wait()
    raise _Stopped
