"""The long work of a job: what may wait for what, and what is never waited for twice."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from oracle.errors import GuestTrapped, InvalidModule, RpcUnavailable, SourceUnavailable, StoreError, Trap
from oracle.job import CodeReady, Failed, GuestDone
from oracle.model import GitHub, Job, Metrics, Origin, WasmUrl
from oracle.testing.chain import ECHO, ChainTwin, request
from oracle.testing.clock import ManualClock, rest
from oracle.testing.code import TOOLCHAIN, FakeCode
from oracle.testing.guests import FakeGuests
from oracle.testing.jobs import MemoryJobs
from oracle.testing.receipts import FakeReceipts
from oracle.worker import Parts, Place, Slots
from oracle.worker.modules import REFUSED_FOR_S
from oracle.worker.tally import Tally
from oracle.worker.work import RETRIED_WITHIN_S, SOURCE_RETRIES_S, Work

ECHO_SHA, OTHER_SHA = ECHO.sha256_hex, "0f" * 32
SLOTS = 2


class Guests(FakeGuests):
    """Modules named in `stuck` stay in the compiler until they are let go."""

    def __init__(self):
        super().__init__()
        self.stuck, self.asked = {}, []

    async def run(self, run):
        self.asked.append(run.wasm_sha256_hex)
        if run.wasm_sha256_hex in self.stuck:
            await self.stuck[run.wasm_sha256_hex].wait()
        return await super().run(run)


class Sources(FakeCode):
    """Places that may take their time, and a cache that may forget at once."""

    def __init__(self, clock):
        super().__init__()
        self.clock, self.takes_s, self.forgets = clock, 0, False

    async def get(self, source, *, force_rebuild=False):
        if self.takes_s:
            await self.clock.sleep(self.takes_s)
        return await super().get(source, force_rebuild=force_rebuild)

    def path_of(self, wasm_sha256_hex):
        return None if self.forgets else super().path_of(wasm_sha256_hex)


class World:
    def __init__(self):
        self.guests, self.clock, self.chain, self.tasks = Guests(), ManualClock(), ChainTwin(), []
        self.code = Sources(self.clock)
        parts = Parts(self.chain, self, self.chain, self.code, self.guests, MemoryJobs(), FakeReceipts(), self.clock)
        self.tally = Tally()
        self.work = Work(parts, Place("outlayer.test.near", "localnet"), Slots(guests=SLOTS), self.tally)
        self.inputs_come = asyncio.Event()

    async def request(self, request_id, *, at_least_height=0):
        """The node, which knows no input before it is there again."""
        if not self.inputs_come.is_set():
            raise RpcUnavailable("nobody answers")
        return request(request_id, input_data="long")

    def run(self, sha256_hex=ECHO_SHA, **changes):
        self.code.cached.add(sha256_hex)
        return self._begun(self.work.run_guest(job(WasmUrl("https://x/m", sha256_hex), **changes), sha256_hex))

    def get(self, number):
        return self._begun(self.work.get_code(job(source(number))))

    def _begun(self, work):
        self.tasks.append(asyncio.create_task(work))
        return self.tasks[-1]

    def stick(self, sha256_hex):
        self.guests.stuck[sha256_hex] = asyncio.Event()
        return self.guests.stuck[sha256_hex]


def job(from_source, **changes):
    return Job.asked(request(source=from_source, **changes), Origin(block_height=1))


def source(number):
    return WasmUrl(f"https://x/{number}", f"{number:02x}" * 32)


@asynccontextmanager
async def ended(world):
    try:
        yield world
    finally:
        for task in world.tasks:
            task.cancel()
        await asyncio.gather(*world.tasks, return_exceptions=True)
        await world.work.close()


@pytest.fixture
async def world():
    async with ended(World()) as made:
        yield made


async def test_a_guest_whose_module_ran_before_is_answered_beside_many_that_are_stuck_in_the_compiler(world):
    assert isinstance(await world.run(), GuestDone)
    for number in range(60):
        world.stick(f"{number % 15:064x}")
        world.run(f"{number % 15:064x}")
    await rest()
    assert await asyncio.wait_for(world.run(), 1) == await world.run()


async def test_a_guest_of_a_new_module_is_answered_beside_one_that_is_stuck_in_the_compiler(world):
    world.stick(OTHER_SHA)
    for _ in range(20):
        world.run(OTHER_SHA)
    await rest()
    assert world.guests.asked.count(OTHER_SHA) == SLOTS
    assert isinstance(await asyncio.wait_for(world.run(), 1), GuestDone)


async def test_those_who_wait_for_a_new_module_go_on_together_once_it_has_run(world):
    compiled = world.stick(OTHER_SHA)
    runs = [world.run(OTHER_SHA) for _ in range(20)]
    await rest()
    compiled.set()
    assert {type(result) for result in await asyncio.gather(*runs)} == {GuestDone}
    assert world.tally.running_guests == 0


async def test_a_module_that_has_run_has_no_more_turns_than_there_are_slots(world):
    compiled = world.stick(OTHER_SHA)
    runs = [world.run(OTHER_SHA) for _ in range(20)]
    await rest()
    world.stick(OTHER_SHA)  # their guests take long now
    compiled.set()
    await asyncio.gather(*runs[:SLOTS])
    for _ in range(20):
        world.run(OTHER_SHA)
    await rest()
    assert world.tally.running_guests == SLOTS


async def test_a_refusal_that_is_known_waits_for_nobody(world):
    world.guests.programs["0a" * 32] = None
    assert isinstance(await world.run("0a" * 32), Failed)
    for number in range(30):
        world.stick(f"{number:064x}")
        world.run(f"{number:064x}")
    await rest()
    assert isinstance(await asyncio.wait_for(world.run("0a" * 32), 1), Failed)


async def test_no_turn_is_held_while_the_chain_is_away_with_an_input(world):
    waiting = [world.run(input_data=None) for _ in range(5 * SLOTS)]
    await rest()
    assert isinstance(await asyncio.wait_for(world.run(), 1), GuestDone)
    world.inputs_come.set()
    await world.clock.advance(20)
    assert [result.output for result in await asyncio.gather(*waiting)] == [b"long"] * len(waiting)


async def test_a_module_that_was_refused_is_refused_at_once_for_a_while_and_to_all_who_wait(world):
    world.guests.otherwise = None
    compiled = world.stick(ECHO_SHA)
    runs = [world.run() for _ in range(10 * SLOTS)]
    await rest()
    compiled.set()
    assert {result.reason for result in await asyncio.gather(*runs)} == {"The code is not WebAssembly."}
    assert len(world.guests.asked) == SLOTS
    await world.clock.advance(REFUSED_FOR_S - 1)
    assert isinstance(await world.run(), Failed)
    assert len(world.guests.asked) == SLOTS
    await world.clock.advance(2)
    await world.run()
    assert len(world.guests.asked) == SLOTS + 1


async def test_a_guest_that_traps_says_nothing_against_its_module_and_one_that_never_ran_nothing_for_it(world):
    def trap(metrics):
        def program(_run):
            raise GuestTrapped(Trap.UNREACHABLE, "It trapped.", metrics=metrics)

        return program

    world.guests.otherwise = trap(Metrics())
    assert isinstance(await world.run(OTHER_SHA), Failed)
    world.guests.otherwise = trap(Metrics(instructions=5, time_ms=1))
    assert isinstance(await world.run(), Failed)
    for sha256_hex in (ECHO_SHA, OTHER_SHA):
        world.stick(sha256_hex)
        for _ in range(20):
            world.run(sha256_hex)
    await rest()
    world.guests.otherwise = lambda _run: b"well"
    assert isinstance(await world.run("0a" * 32), GuestDone)  # the newcomers' places are not ECHO's
    assert world.guests.asked.count(OTHER_SHA) == 1 + SLOTS


async def test_a_module_forgotten_by_the_cache_while_its_guest_waits_is_had_again(world):
    held = world.stick(ECHO_SHA)
    first, second = [world.run() for _ in range(SLOTS)], world.run()
    await rest()
    world.code.missing.add(ECHO_SHA)
    held.set()
    await asyncio.gather(*first)
    assert isinstance(await second, GuestDone)
    assert world.code.asked == [WasmUrl("https://x/m", ECHO_SHA)]


async def test_a_guest_ran_what_its_job_says_built_it_or_what_was_had_again_since(world):
    built = replace(job(GitHub("https://github.com/o/r", "c0ffee")), toolchain=replace(TOOLCHAIN, version="0"))
    code = await world.work.get_code(built)
    assert code.toolchain == TOOLCHAIN
    assert (await world.work.run_guest(built, code.wasm_sha256_hex)).ran.toolchain == built.toolchain
    world.code.missing.add(code.wasm_sha256_hex)
    assert (await world.work.run_guest(built, code.wasm_sha256_hex)).ran.toolchain == TOOLCHAIN


async def test_a_module_forgotten_while_it_waits_for_the_compiler_is_had_again_and_not_refused(world):
    refused = []

    def unreadable_once(run):
        if refused:
            return b"well"
        refused.append(run)
        world.code.missing.add(ECHO_SHA)
        raise InvalidModule("The code cannot be read: No such file or directory.")

    world.guests.otherwise = unreadable_once
    assert (await world.run()).output == b"well"


async def test_a_cache_that_forgets_everything_is_trouble_of_the_disk(world):
    world.code.forgets = True
    with pytest.raises(StoreError):
        await world.run()


async def test_sources_that_are_tried_again_later_do_not_keep_others_from_being_fetched(world):
    for number in range(4):
        world.code.refusals[source(number)] = [SourceUnavailable("away")] * 9
        world.get(number)
    await rest()
    assert isinstance(await asyncio.wait_for(world.get(9), 1), CodeReady)


async def test_a_source_that_fails_quickly_is_tried_four_times_and_one_that_fails_slowly_once(world):
    world.code.refusals = {source(1): [SourceUnavailable("away")] * 9}
    quick = world.get(1)
    await world.clock.advance(sum(SOURCE_RETRIES_S))
    assert isinstance(await quick, Failed)
    assert world.code.asked == [source(1)] * 4
    world.code.takes_s = 60
    world.code.refusals = {source(2): [SourceUnavailable("a tarpit")] * 9}
    tarpits = world.get(2)
    await world.clock.advance(60 + RETRIED_WITHIN_S)
    assert isinstance(await asyncio.wait_for(tarpits, 1), Failed)
    assert world.code.asked.count(source(2)) == 1


async def test_an_attempt_that_gets_its_slot_too_late_is_not_begun(world):
    world.code.refusals = {source(1): [SourceUnavailable("away")] * 9}
    late = world.get(1)
    await rest()
    world.code.takes_s = 60
    for number in range(2, 6):
        world.get(number)
    await world.clock.advance(61)
    assert (await asyncio.wait_for(late, 1)).reason == "away"
    assert world.code.asked.count(source(1)) == 1
