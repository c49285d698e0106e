"""
The asyncio shell: watches the chain, feeds `job.step`, stores what it decides, and only then performs its commands.

Every task belongs to the worker's TaskGroup. Trouble of the chain or the store is waited out; a job's own trouble never reaches another.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

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
from oracle.worker.parts import Parts, Place, Slots
from oracle.worker.tally import Tally
from oracle.worker.window import (
    ANNOUNCE_AFTER_BLOCKS,
    GIVE_UP_AFTER_BLOCKS,
    GONE_AFTER_BLOCKS,
    renewal_lies_ahead,
    yield_age_blocks,
)
from oracle.worker.work import Work

CATCHING_UP_BLOCKS = 20
"""Further behind the head than this, new jobs wait: most of what happened while we were away is settled already."""
CONFIRM_TICK_S = 1.0
RESEND_AFTER_S = (15.0, 30.0, 60.0, 120.0)
"""How long an answer's transaction may stay without a settled request, by the number of times it was sent."""
_UNKNOWN_YIELD_GRACE_S = 15.0
_ATTEMPTS_AT_FAULTY_WORK = 3
_SHORT_WAIT_S, _LONG_WAIT_S = 0.5, 30.0
_CONFIRMED_AT_ONCE = 8

_T = TypeVar("_T")
_log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Live:
    """An unfinished job in the worker's hands."""

    job: Job
    seen_s: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    work: asyncio.Task[None] | None = None
    sending: asyncio.Task[None] | None = None
    sent_s: float | None = None
    times_sent: int = 0
    announced_for: int | None = None
    """`yield_height` of the window whose end was announced, or tried to be."""
    extended_for: int | None = None
    check_soon: bool = False


class _Stopped(Exception):
    """Ends the TaskGroup."""


class Worker:
    """One worker; `run` it once."""

    def __init__(self, parts: Parts, place: Place, slots: Slots) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._tally = Tally()
        self._work = Work(parts, place, slots, self._tally)
        self._live: dict[int, _Live] = {}
        self._held: list[int] = []
        self._cursor: Cursor | None = None
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; unfinished jobs stay in the store for the next start."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._cursor = await self._stored(self._parts.store.cursor)
                for job in await self._stored(self._parts.store.unfinished):
                    await self.take_up(job)
                tasks.create_task(self._watch())
                tasks.create_task(self._confirm())
                tasks.create_task(_end_when(stop))
        except* _Stopped:
            _log.info("jobs_left_for_next_start", count=len(self._live))
        finally:
            self._tasks = None
            await self._work.close()

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
            self._live[job.request_id] = _Live(job, self._clock.monotonic_s())
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
                await self._stored(lambda: self._parts.store.save(job))
                live.job = job
            if job.stage is Stage.DONE:
                del self._live[request_id]
                _log.info("request_settled", request_id=request_id, by=job.settled_by)
        self._perform(live, commands)

    def _perform(self, live: _Live, commands: Iterable[Command]) -> None:
        for command in commands:
            match command:
                case GetCode():
                    live.work = self._spawn(self._long_work(live, partial(self._work.get_code, live.job)))
                case RunGuest(wasm_sha256_hex):
                    live.work = self._spawn(self._long_work(live, partial(self._work.run_guest, live.job, wasm_sha256_hex)))
                case Submit(answer):
                    live.sending = self._spawn(self._submit(live, answer))
                case Extend():
                    self._spawn(self._extend(live))
                case Release():
                    _cancel(live.work)
                    if live.job.stage is Stage.DONE:
                        _cancel(live.sending)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        if self._tasks is None:
            work.close()
            raise RuntimeError("the worker does not run")
        return self._tasks.create_task(work)

    async def _long_work(self, live: _Live, work: Callable[[], Awaitable[Event]]) -> None:
        """Perform a command and tell what came of it; a fault of ours is tried again, and then told to the caller too."""
        request_id, faults, wait_s = live.job.request_id, 0, _SHORT_WAIT_S
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
            wait_s = min(2 * wait_s, _LONG_WAIT_S)
        await self.tell(request_id, event)

    async def _submit(self, live: _Live, answer: Answer) -> None:
        wait_s = _SHORT_WAIT_S
        while True:
            try:
                transaction_hash = await self._parts.send.submit(answer)
                break
            except (ChainError, StoreError) as error:
                self._tally.last_error = str(error)
                _log.warning("answer_not_sent", request_id=answer.request_id, reason=str(error))
            except Exception as error:  # noqa: BLE001  a fault of ours must not leave the caller without an answer
                self._tally.last_error = f"request {answer.request_id}: {type(error).__name__}"
                _log.exception("answer_not_sent", request_id=answer.request_id)
            await self._clock.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONG_WAIT_S)
        now_s = self._clock.monotonic_s()
        if live.times_sent == 0:
            self._tally.sent(answer, now_s - live.seen_s)
        live.sent_s, live.times_sent = now_s, live.times_sent + 1
        _log.info("answer_sent", request_id=answer.request_id, success=answer.success, transaction_hash=transaction_hash)

    async def _extend(self, live: _Live) -> None:
        request_id, window = live.job.request_id, live.job.yield_height
        for attempt in range(1, _ATTEMPTS_AT_FAULTY_WORK + 1):
            try:
                await self._parts.send.extend(request_id)
            except (ChainError, StoreError) as error:
                self._tally.last_error = str(error)
                _log.warning("extension_not_sent", request_id=request_id, reason=str(error))
                await self._clock.sleep(_SHORT_WAIT_S * attempt)
            else:
                live.extended_for = window
                return

    async def _watch(self) -> None:
        async for block in self._parts.chain.follow(self._cursor):
            await self._take_in(block)

    async def _take_in(self, block: BlockEvents) -> None:
        seen_s = self._clock.monotonic_s()
        for job in await self._stored(lambda: self._parts.store.admit(block)):
            self._live.setdefault(job.request_id, _Live(job, seen_s))
            self._held.append(job.request_id)
        self._cursor = block.cursor
        if self._parts.chain.head_height - block.cursor.height <= CATCHING_UP_BLOCKS:
            released, self._held = self._held, []
            for request_id in released:
                await self.tell(request_id, Restarted())
        for event in block.events:
            await self._heard(event)
        await self._watch_windows(block)

    async def _heard(self, event: object) -> None:
        match event:
            case Completed(request_id=None):
                for live in self._live.values():
                    live.check_soon = live.check_soon or live.job.stage is Stage.ANSWERING
            case Completed(request_id=int(request_id)):
                await self.tell(request_id, Settled("event"))
            case Extended(request_id, block_height):
                await self.tell(request_id, Renewed(block_height))
            case Unreadable(reason=reason, receipt_id=receipt_id):
                _log.warning("event_unreadable", receipt_id=receipt_id, reason=reason)
            case _:
                pass

    async def _watch_windows(self, block: BlockEvents) -> None:
        closing = [
            (live, age)
            for live in self._live.values()
            if (age := yield_age_blocks(live.job, block.cursor.height, block.timestamp_ns)) >= ANNOUNCE_AFTER_BLOCKS
        ]
        for live, age in closing:
            if live.job.stage not in {Stage.QUEUED, Stage.RUNNING} or live.job.request_id in self._held:
                continue
            if not live.job.yield_height and self._clock.monotonic_s() - live.seen_s < _UNKNOWN_YIELD_GRACE_S:
                continue  # found late, by asking: it gets a little time all the same
            window = live.job.yield_height
            if live.announced_for != window and renewal_lies_ahead(live.job, block.timestamp_ns):
                live.announced_for = window
                self._spawn(self._announce(live))
            elif age >= GIVE_UP_AFTER_BLOCKS and live.extended_for != window:
                await self.tell(live.job.request_id, WindowClosing(can_extend=False))
            elif age >= GONE_AFTER_BLOCKS:
                live.check_soon = True

    async def _announce(self, live: _Live) -> None:
        try:
            can_extend = await self._parts.contract.can_extend()
        except ChainError as error:
            self._tally.last_error = str(error)
            return
        if can_extend:
            await self.tell(live.job.request_id, WindowClosing(can_extend=True))

    async def _confirm(self) -> None:
        """See to it that what was sent is settled: the chain's word counts, not a transaction's success."""
        while True:
            await self._clock.sleep(CONFIRM_TICK_S)
            due = [live for live in self._live.values() if live.check_soon or self._is_overdue(live)]
            for start in range(0, len(due), _CONFIRMED_AT_ONCE):
                await asyncio.gather(*(self._check(live) for live in due[start : start + _CONFIRMED_AT_ONCE]))

    def _is_overdue(self, live: _Live) -> bool:
        if live.sent_s is None or (live.sending is not None and not live.sending.done()):
            return False
        patience_s = RESEND_AFTER_S[min(live.times_sent, len(RESEND_AFTER_S)) - 1]
        return self._clock.monotonic_s() - live.sent_s >= patience_s

    async def _check(self, live: _Live) -> None:
        request_id = live.job.request_id
        try:
            pending = await self._parts.contract.request(request_id, at_least_height=live.job.origin.block_height)
        except ChainError as error:
            self._tally.last_error = str(error)
            return
        live.check_soon = False
        if pending is None:
            await self.tell(request_id, Settled("gone"))
        elif self._is_overdue(live) and live.job.answer is not None:
            _log.warning("answer_not_settled", request_id=request_id, times_sent=live.times_sent)
            live.sending = self._spawn(self._submit(live, live.job.answer))

    async def _stored(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Do something with the store, however long it takes until it can be done."""
        wait_s = _SHORT_WAIT_S
        while True:
            try:
                result = await work()
            except StoreError as error:
                if self._tally.store_trouble is None:
                    _log.error("store_trouble", reason=str(error))
                self._tally.store_trouble = self._tally.last_error = str(error)
                await self._clock.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONG_WAIT_S)
            else:
                if self._tally.store_trouble is not None:
                    _log.info("store_well_again")
                    self._tally.store_trouble = None
                return result


async def _end_when(stop: asyncio.Event) -> None:
    await stop.wait()
    raise _Stopped


def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None and task is not asyncio.current_task():
        task.cancel()
