"""
The unfinished jobs in hand: what happens to one is decided by `job.step`, performed, and stored, one event of a job at a time.

Commands are safe to repeat, so they begin while the job's new stage is on its way to the store; a job's next event waits until it is there.
A stage that a crash may take back is stored only if it lasts (ADR 0006).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from oracle.errors import OutOfOrder, StoreError
from oracle.job import (
    Command,
    Event,
    Extend,
    Failed,
    GetCode,
    Release,
    Restarted,
    RunGuest,
    Settled,
    Submit,
    loses_nothing_by_a_crash,
    step,
)
from oracle.model import Answer, Job, Metrics, Stage
from oracle.worker.live import Live
from oracle.worker.parts import Parts, Place, Slots
from oracle.worker.patience import LONG_WAIT_S, SHORT_WAIT_S, Patience
from oracle.worker.sending import Sending
from oracle.worker.tally import Tally
from oracle.worker.work import Work

INPUTS_IN_HAND = 2_000
"""Of so many jobs the inputs, up to 10 KB each, are held in memory; others are read from the store when their turn comes."""
_ATTEMPTS_AT_FAULTY_WORK = 3

_log = structlog.get_logger()


class Jobs:
    """What the worker has under way. Its tasks belong to the worker's TaskGroup, which `own` names."""

    def __init__(self, parts: Parts, place: Place, slots: Slots, tally: Tally, patience: Patience) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._tally = tally
        self._patience = patience
        self._work = Work(parts, place, slots, tally)
        self._tasks: asyncio.TaskGroup | None = None
        self.sending = Sending(parts, tally)
        self.in_hand: dict[int, Live] = {}

    def own(self, tasks: asyncio.TaskGroup | None) -> None:
        """Who has the tasks from now on; None, nobody."""
        self._tasks = tasks

    async def close(self) -> None:
        """End the fetches that still run."""
        await self._work.close()

    async def take_up(self, job: Job) -> None:
        """Begin, or go on with, a job that lies in the store."""
        if job.request_id not in self.in_hand:
            self.in_hand[job.request_id] = Live(self.light(job), self._clock.monotonic_s())
            await self.tell(job.request_id, Restarted())

    async def begin_anew(self, job: Job) -> None:
        """Work out anew what an earlier process left, because it is not to be said in this one's name."""
        if (asked := await self._work.ask_again(job)) is not None:
            await self.take_up(asked)
        else:
            self.in_hand[job.request_id] = Live(job, self._clock.monotonic_s())
            await self.tell(job.request_id, Settled("gone"))

    async def tell(self, request_id: int, event: Event) -> None:
        """Let an event happen to a job: decide, perform, store."""
        if live := self.in_hand.get(request_id):
            await self._happen(live, event)

    async def _happen(self, live: Live, event: Event) -> None:
        async with live.turn:
            if self.in_hand.get(live.job.request_id) is not live:
                return  # settled while this waited for its turn
            try:
                job, commands = self.decide(live.job, event)
            except OutOfOrder as error:
                _log.exception("out_of_order", request_id=live.job.request_id)
                self._tally.last_error = str(error)
                return
            # A first answer that was quickly had is safe with its signed transaction, which is in the journal before it is sent.
            is_quick = job.stage is Stage.ANSWERING and live.is_ahead and live.is_new
            may_wait = is_quick or loses_nothing_by_a_crash(live.job, job)
            live.is_ahead = may_wait and (live.is_ahead or job != live.job)
            live.job = job
            self.perform(live, commands)
            if not may_wait:
                await self._patience.stored(lambda: self._parts.store.save(job))
            self.forget_if_done(job)

    def decide(self, job: Job, event: Event) -> tuple[Job, list[Command]]:
        """What follows from an event; code that is at hand is not waited for."""
        job, commands = step(job, event)
        if commands == [GetCode()] and (ready := self._work.code_at_hand(job)) is not None:
            return step(job, ready)
        return job, commands

    def perform(self, live: Live, commands: Iterable[Command]) -> None:
        """Begin what was decided."""
        for command in commands:
            match command:
                case GetCode():
                    live.work = self.spawn(self._long_work(live, partial(self._work.get_code, live.job)))
                case RunGuest(wasm_sha256_hex):
                    live.work = self.spawn(self._long_work(live, partial(self._work.run_guest, live.job, wasm_sha256_hex)))
                case Submit(answer):
                    live.sending = self.spawn(self.submit(live, answer))
                case Extend():
                    self.spawn(self.sending.extend(live))
                case Release():
                    if live.job.stage is Stage.DONE:
                        live.release_everything()
                    else:
                        live.release()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task of the worker's."""
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

    async def submit(self, live: Live, answer: Answer) -> None:
        """Bring an answer to a node, or hear that nobody waits for it any more."""
        if not await self.sending.submit(live, answer):
            await self.tell(answer.request_id, Settled("gone"))

    def light(self, job: Job) -> Job:
        """The job, without its input when many are in hand."""
        return job if len(self.in_hand) < INPUTS_IN_HAND else replace(job, request=replace(job.request, input_data=None))

    def forget_if_done(self, job: Job) -> None:
        """The store knows that the job is DONE: the worker may forget it."""
        if job.stage is Stage.DONE:
            self.in_hand.pop(job.request_id, None)
            _log.info("request_settled", request_id=job.request_id, by=job.settled_by)
