"""The worker with twins: what it answers, what it survives, and that each request is resolved exactly once."""

import asyncio
import hashlib
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from oracle.errors import GuestTrapped, SourceRefused, SourceUnavailable, Trap
from oracle.flows.reconcile import reconcile
from oracle.model import Completed, GitHub, Job, Metrics, Origin, OutputFormat, SecretsRef, Stage, Unreadable, WasmUrl
from oracle.testing.chain import ECHO, ChainTwin
from oracle.testing.clock import ManualClock, rest
from oracle.testing.code import TOOLCHAIN, FakeCode
from oracle.testing.guests import FakeGuests
from oracle.testing.jobs import MemoryJobs
from oracle.testing.receipts import FakeReceipts
from oracle.worker import Parts, Place, Slots, Worker, jobs
from oracle.worker.sending import RESEND_AFTER_S


class World:
    """Everything that outlives a worker, and a way to start one."""

    def __init__(self, **chain):
        self.chain = ChainTwin(**chain)
        self.chain.block()
        self.store, self.code, self.guests, self.clock = MemoryJobs(), FakeCode(), FakeGuests(), ManualClock()
        self.receipts = FakeReceipts()

    def parts(self, wrap=lambda port: port):
        chain = wrap(self.chain)
        return Parts(chain, chain, chain, wrap(self.code), wrap(self.guests), wrap(self.store), self.receipts, self.clock)

    @asynccontextmanager
    async def worker(self, wrap=lambda port: port, guests=4):
        worker = Worker(self.parts(wrap), Place("outlayer.test.near", "localnet"), Slots(guests=guests))
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        await rest()
        try:
            yield worker
        finally:
            stop.set()
            await rest()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def answer(self, request_id):
        return self.chain.settled[request_id]


@pytest.fixture
def world():
    return World()


async def test_a_request_is_answered_with_the_guests_output(world):
    async with world.worker() as worker:
        request_id = world.chain.ask(input_data="hi")
        await rest()
        assert world.answer(request_id).output == b"hi"
        job = await world.store.get(request_id)
        assert (job.stage, job.settled_by) == (Stage.DONE, "event")
        snapshot = worker.snapshot()
        assert (snapshot.answered_ok, snapshot.answered_failed, snapshot.jobs_by_stage) == (1, 0, {})
        assert sum(snapshot.event_to_sent.counts) == 1


async def test_a_guest_finds_in_its_environment_where_its_request_came_from(world):
    async with world.worker():
        request_id = world.chain.ask(project_id="alice.near/app", project_uuid="u\0id")
        await rest()
    environment = dict(world.guests.runs[0].environment)
    assert environment["NEAR_SENDER_ID"] == "alice.test.near"
    assert environment["NEAR_REQUEST_ID"] == str(request_id)
    assert environment["NEAR_TRANSACTION_HASH"] == f"tx{request_id}"
    assert environment["NEAR_NETWORK_ID"] == "localnet"
    assert environment["OUTLAYER_PROJECT_OWNER"] == "alice.near"
    assert environment["OUTLAYER_PROJECT_NAME"] == "app"
    assert environment["OUTLAYER_PROJECT_UUID"] == "uid"
    assert len(environment) == 24


async def test_a_long_input_is_read_from_the_contracts_state(world):
    async with world.worker():
        request_id = world.chain.ask(input_data="x" * 20_000)
        await rest()
    assert world.answer(request_id).output == b"x" * 20_000


async def test_a_failed_guest_is_answered_with_its_reason_and_what_it_spent(world):
    def trap(_run):
        raise GuestTrapped(Trap.OUT_OF_FUEL, "The guest ran out of instructions.", metrics=Metrics(instructions=1_000))

    world.guests.otherwise = trap
    async with world.worker() as worker:
        request_id = world.chain.ask()
        await rest()
        assert worker.snapshot().answered_failed == 1
    assert (world.answer(request_id).error, world.answer(request_id).metrics.instructions) == ("The guest ran out of instructions.", 1_000)


async def test_refused_code_is_answered_with_its_reason(world):
    bad = WasmUrl("https://example.com/x", "00" * 32)
    world.code.refusals[bad] = [SourceRefused("The code has another hash.")]
    async with world.worker():
        request_id = world.chain.ask(source=bad)
        await rest()
    assert world.answer(request_id).error == "The code has another hash."


async def test_code_that_cannot_be_had_is_asked_for_again_and_then_given_up(world):
    gone = WasmUrl("https://example.com/x", "00" * 32)
    world.code.refusals[gone] = [SourceUnavailable("Nobody answers.") for _ in range(4)]
    async with world.worker():
        request_id = world.chain.ask(source=gone)
        await world.clock.advance(20)
    assert world.code.asked.count(gone) == 4
    assert world.answer(request_id).error == "Nobody answers."


async def test_requests_of_one_source_share_one_fetch(world):
    source = GitHub("https://github.com/o/r", "c0ffee")
    code, held = world.code, asyncio.Event()

    class Slow:
        path_of = code.path_of

        async def get(self, asked, *, force_rebuild=False):
            await held.wait()
            return await code.get(asked, force_rebuild=force_rebuild)

    world.code = Slow()
    async with world.worker():
        ids = [world.chain.ask(source=source) for _ in range(5)]
        await rest()
        held.set()
        await rest()
    assert code.asked == [source]
    assert all(world.answer(request_id).success for request_id in ids)


async def test_a_job_knows_what_built_its_module_and_that_one_came_built(world):
    async with world.worker():
        built, fetched = world.chain.ask(source=GitHub("https://github.com/o/r", "c0ffee")), world.chain.ask()
        await rest()
    assert (await world.store.get(built)).toolchain == TOOLCHAIN
    assert (await world.store.get(fetched)).toolchain is None


async def test_secrets_are_answered_with_a_clear_failure(world):
    async with world.worker():
        request_id = world.chain.ask(secrets_ref=SecretsRef("default", "alice.test.near"))
        await rest()
    assert "no keystore" in world.answer(request_id).error
    assert world.code.asked == []


async def test_compile_only_runs_no_guest(world):
    async with world.worker():
        request_id = world.chain.ask(limits=None)
        await rest()
    assert (world.answer(request_id).success, world.answer(request_id).output) == (True, None)
    assert world.guests.runs == []


async def test_no_more_guests_run_at_once_than_there_are_slots(world):
    release, running, most = asyncio.Event(), 0, 0

    class Slow:
        async def run(self, run):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await release.wait()
            running -= 1
            return await FakeGuests().run(run)

    world.guests = Slow()
    async with world.worker(guests=3) as worker:
        ids = [world.chain.ask() for _ in range(10)]
        await rest()
        assert worker.snapshot().running_guests == 3
        release.set()
        await rest()
    assert most == 3
    assert all(world.answer(request_id).success for request_id in ids)


async def test_a_fault_of_the_guest_room_is_tried_again_and_told_to_the_caller(world):
    def faulty(_run):
        raise RuntimeError("a defect")

    world.guests.otherwise = faulty
    async with world.worker():
        broken = world.chain.ask()
        await world.clock.advance(10)
        assert "fault of its own" in world.answer(broken).error
        world.guests.otherwise = lambda run: b"well"
        fine = world.chain.ask()
        await rest()
    assert world.answer(fine).output == b"well"


async def test_an_unreadable_event_is_recorded_and_stops_nothing(world):
    async with world.worker():
        world.chain.block(Unreadable(2, "receipt", "not an event", "EVENT_JSON:{"))
        request_id = world.chain.ask()
        await rest()
    assert (await world.store.counts())["unreadable"] == 1
    assert world.answer(request_id).success


async def test_a_lost_answer_is_sent_again(world):
    async with world.worker():
        world.chain.loses_answers = True
        request_id = world.chain.ask()
        await rest()
        world.chain.loses_answers = False
        await world.clock.advance(RESEND_AFTER_S[0] + 2)
    assert world.answer(request_id).success
    assert world.chain.refused == 0


async def test_trouble_of_the_chain_is_waited_out(world):
    async with world.worker() as worker:
        held = asyncio.Event()

        class Slow:
            async def run(self, run):
                await held.wait()
                return await FakeGuests().run(run)

        object.__setattr__(worker._parts, "guests", Slow())
        request_id = world.chain.ask()
        await rest()
        world.chain.trouble = "nobody answers"
        held.set()
        await world.clock.advance(100)
        assert not worker.snapshot().chain_ok
        assert request_id not in world.chain.settled
        world.chain.recover()
        await world.clock.advance(5)
        assert world.answer(request_id).success  # ready for long, and a yield does not wait
        await world.clock.advance(60)
        assert worker.snapshot().chain_ok
    assert world.answer(request_id).success


async def test_a_full_disk_is_waited_out(world):
    async with world.worker() as worker:
        world.store.broken = "database or disk is full"
        request_id = world.chain.ask()
        await world.clock.advance(60)
        assert worker.snapshot().store_trouble == "database or disk is full"
        assert request_id not in world.chain.settled
        world.store.broken = None
        await world.clock.advance(60)
        assert worker.snapshot().store_ok
    assert world.answer(request_id).success


async def test_a_jump_of_the_wall_clock_changes_nothing(world):
    async with world.worker():
        world.clock.jump(-10_000_000)
        first = world.chain.ask()
        await rest()
        world.clock.jump(20_000_000)
        second = world.chain.ask()
        await rest()
    assert world.answer(first).success
    assert world.answer(second).success


async def hold_guests(world):
    held = asyncio.Event()

    class Slow:
        async def run(self, run):
            await held.wait()
            return await FakeGuests().run(run)

    world.guests = Slow()
    return held


@pytest.mark.parametrize("tells_extensions", [True, False], ids=["told", "untold"])
async def test_a_long_request_is_extended_over_the_yield_window(tells_extensions):
    world = World(tells_extensions=tells_extensions)
    held = await hold_guests(world)
    async with world.worker():
        request_id = world.chain.ask()
        for _ in range(700):
            world.chain.block()
            await world.clock.advance(0.6)
        assert request_id not in world.chain.settled
        held.set()
        await rest()
    assert world.answer(request_id).success


async def test_past_the_deadline_the_caller_hears_an_error_in_time(world):
    await hold_guests(world)
    async with world.worker():
        request_id = world.chain.ask()
        for _ in range(1_200):
            world.chain.block()
            await rest()
            if request_id in world.chain.settled:
                break
    assert "yield window" in world.answer(request_id).error


async def test_without_extension_the_caller_hears_an_error_before_the_yield_ends():
    world = World(extends=False)
    await hold_guests(world)
    async with world.worker():
        request_id = world.chain.ask()
        for _ in range(180):
            world.chain.block()
            await rest()
    assert "yield window" in world.answer(request_id).error


async def test_a_completion_without_a_number_is_checked_by_asking():
    world = World(tells_numbers=False)
    async with world.worker():
        request_id = world.chain.ask()
        await world.clock.advance(3)
        job = await world.store.get(request_id)
    assert (job.stage, job.settled_by) == (Stage.DONE, "gone")
    assert world.chain.refused == 0


async def test_a_request_settled_elsewhere_stops_its_guest(world):
    await hold_guests(world)
    async with world.worker() as worker:
        request_id = world.chain.ask()
        await rest()
        assert worker.snapshot().running_guests == 1
        world.chain.cancel(request_id)
        await rest()
        assert worker.snapshot().running_guests == 0
        assert worker.unfinished == {}


async def test_jobs_wait_while_the_worker_catches_up_and_dead_ones_are_never_run(world):
    async with world.worker():
        pass
    await world.store.admit(world.chain._blocks[0])
    dead = world.chain.ask()
    world.chain.cancel(dead)
    world.chain.blocks(50)
    alive = world.chain.ask()
    async with world.worker():
        await rest()
    assert world.answer(alive).success
    assert [run.environment[5][1] for run in world.guests.runs] == [str(alive)]


class SlowStore(MemoryJobs):
    """Admits no block while `may_admit` is cleared, and remembers what is saved, with a block or by itself."""

    def __init__(self):
        super().__init__()
        self.may_admit, self.saved = asyncio.Event(), []
        self.may_admit.set()

    async def admit(self, block, changed=()):
        await self.may_admit.wait()
        return await super().admit(block, changed)

    async def save(self, job):
        self.saved.append((job.request_id, job.stage))
        await super().save(job)


@pytest.fixture
def slow(world):
    """A world that has the code of every request at hand."""
    world.store = SlowStore()
    world.code.cached.add(ECHO.sha256_hex)
    return world


async def test_a_guest_runs_while_its_block_is_stored_and_its_answer_waits_for_that(slow):
    async with slow.worker():
        slow.store.may_admit.clear()
        request_id = slow.chain.ask()
        await rest()
        assert len(slow.guests.runs) == 1
        assert request_id not in slow.chain.settled
        slow.store.may_admit.set()
        await rest()
    assert slow.answer(request_id).output == b"hello"
    assert len(slow.guests.runs) == 1


async def test_a_quick_request_is_stored_with_the_blocks_that_begin_and_settle_it_alone(slow):
    async with slow.worker():
        request_id = slow.chain.ask()
        await slow.clock.advance(5)
    assert (await slow.store.get(request_id)).answer == slow.answer(request_id)
    assert slow.store.saved == [(request_id, Stage.DONE)]  # with its block


async def test_the_answer_of_a_guest_that_took_its_time_is_stored_at_once(slow):
    held = await hold_guests(slow)
    async with slow.worker():
        slow.chain.ask()
        await slow.clock.advance(2)
        slow.chain.loses_answers = True
        held.set()
        await rest()
    assert [stage for _, stage in slow.store.saved] == [Stage.RUNNING, Stage.ANSWERING]


async def test_of_many_jobs_in_hand_the_inputs_stay_in_the_store_until_their_turn(world, monkeypatch):
    monkeypatch.setattr(jobs, "INPUTS_IN_HAND", 3)
    held = await hold_guests(world)
    async with world.worker(guests=1) as worker:
        ids = [world.chain.ask(input_data=f"input {number}") for number in range(6)]
        await rest()
        assert [job.request.input_data for job in worker.unfinished.values()] == ["input 0", "input 1", "input 2", None, None, None]
        await world.clock.advance(2)  # their stages are stored without them
        for request_id in ids:  # as the contract does with short ones
            world.chain._pending[request_id] = replace(world.chain._pending[request_id], input_data="")
        held.set()
        await rest()
    async with world.worker():
        await rest()
    assert [world.answer(request_id).output for request_id in ids] == [f"input {number}".encode() for number in range(6)]


async def test_a_request_that_turns_out_to_be_known_already_is_run_and_answered_no_second_time(slow):
    held = await hold_guests(slow)
    async with slow.worker() as worker:
        slow.store.may_admit.clear()
        request_id = slow.chain.ask()
        await slow.store.adopt(Job(slow.chain._pending[request_id], Origin(), Stage.DONE))
        await rest()
        assert worker.snapshot().running_guests == 1
        slow.store.may_admit.set()
        await rest()
        assert worker.snapshot().running_guests == 0
        assert worker.unfinished == {}
        held.set()
        await rest()
    assert request_id not in slow.chain.settled


async def test_an_answer_kept_from_the_chain_is_stored_and_outlives_the_worker(slow):
    slow.chain.loses_answers = True
    async with slow.worker():
        request_id = slow.chain.ask()
        await slow.clock.advance(2)
    assert (await slow.store.get(request_id)).answer.output == b"hello"
    slow.chain.loses_answers = False
    async with slow.worker():
        await rest()
    assert slow.answer(request_id).output == b"hello"
    assert len(slow.guests.runs) == 1


async def test_code_under_something_that_is_no_hash_is_refused_with_the_reason(world):
    async with world.worker():
        request_id = world.chain.ask(source=WasmUrl("https://example.com/x", "abcde"))
        await world.clock.advance(10)
    assert "64 hex digits" in world.answer(request_id).error


async def test_a_stopped_worker_leaves_its_jobs_to_the_next(world):
    held = await hold_guests(world)
    async with world.worker():
        request_id = world.chain.ask()
        await world.clock.advance(2)
    assert (await world.store.get(request_id)).stage is Stage.RUNNING
    held.set()
    async with world.worker():
        await rest()
    assert world.answer(request_id).success


async def test_an_answer_goes_out_with_a_receipt_of_the_module_and_the_input_that_ran(world):
    async with world.worker():
        request_id = world.chain.ask(input_data="x" * 20_000)
        await rest()
    job = await world.store.get(request_id)
    assert (job.wasm_sha256_hex, job.input_sha256_hex) == ("ec" * 32, hashlib.sha256(b"x" * 20_000).hexdigest())
    assert world.chain.receipts[request_id] == world.receipts.made[0]
    assert len(world.receipts.made) == 1


async def test_a_guest_that_failed_is_receipted_with_its_input_and_code_that_could_not_be_had_without(world):
    def trap(_run):
        raise GuestTrapped(Trap.OUT_OF_FUEL, "The guest ran out of instructions.", metrics=Metrics(instructions=1_000))

    world.guests.otherwise = trap
    bad = WasmUrl("https://example.com/x", "00" * 32)
    world.code.refusals[bad] = [SourceRefused("The code has another hash.")]
    async with world.worker():
        failed, refused = world.chain.ask(input_data="abc"), world.chain.ask(source=bad)
        await rest()
    assert (await world.store.get(failed)).input_sha256_hex == hashlib.sha256(b"abc").hexdigest()
    assert (await world.store.get(refused)).input_sha256_hex is None
    assert set(world.chain.receipts) == {failed, refused}


@pytest.mark.parametrize("trouble", ["the receipt has 200000 bytes", KeyError("a defect")])
async def test_the_caller_hears_also_where_there_can_be_no_receipt(world, trouble):
    world.receipts.trouble = trouble
    async with world.worker():
        request_id = world.chain.ask(input_data="hi")
        await rest()
    assert world.answer(request_id).output == b"hi"
    assert world.chain.receipts[request_id] is None


async def test_an_answer_that_is_sent_again_has_the_same_receipt(world):
    world.chain.loses_answers = True
    async with world.worker():
        request_id = world.chain.ask()
        await rest()
        world.chain.loses_answers = False
        await world.clock.advance(RESEND_AFTER_S[0] + 1)
    assert world.answer(request_id).success
    assert len(world.receipts.made) == 1


async def answering_job(world, lie):
    """A request whose answer a first worker could not bring to the chain, and what became of it in the store since."""
    world.chain.loses_answers = True
    async with world.worker():
        request_id = world.chain.ask(input_data="hi")
        await rest()
        await world.clock.advance(2)
    world.chain.loses_answers = False
    await world.store.save(lie(await world.store.get(request_id)))
    return request_id


def another_answer(job):
    return replace(job, request=replace(job.request, input_data="lie"), answer=replace(job.answer, output=b"lie"))


async def test_a_worker_without_a_tee_goes_on_with_the_answer_in_its_store(world):
    request_id = await answering_job(world, lambda job: job)
    async with world.worker():
        await rest()
    assert len(world.guests.runs) == 1
    assert world.answer(request_id).output == b"hi"


async def test_an_attested_worker_takes_nothing_for_true_that_another_process_left_on_the_disk(world):
    request_id = await answering_job(world, another_answer)
    world.receipts = FakeReceipts(name="two", is_attested=True)
    async with world.worker():
        await rest()
    assert world.answer(request_id).output == b"hi"
    assert world.guests.runs[-1].input_bytes == b"hi"
    assert world.chain.receipts[request_id] == world.receipts.made[0]


async def test_an_attested_worker_settles_what_was_settled_while_it_was_away(world):
    request_id = await answering_job(world, lambda job: job)
    world.chain.cancel(request_id)
    world.receipts = FakeReceipts(name="two", is_attested=True)
    async with world.worker() as worker:
        await rest()
        assert worker.unfinished == {}
    assert (await world.store.get(request_id)).stage is Stage.DONE
    assert world.receipts.made == []


async def test_an_attested_worker_can_be_stopped_while_the_chain_is_away(world):
    await answering_job(world, lambda job: job)
    world.receipts = FakeReceipts(name="two", is_attested=True)
    world.chain.trouble = "nobody answers"
    worker, stop = Worker(world.parts(), Place("outlayer.test.near", "localnet"), Slots(guests=1)), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await world.clock.advance(5)
    stop.set()
    await rest()
    assert running.done()


async def test_what_no_block_tells_any_more_is_found_by_asking_the_contract(world):
    request_id = world.chain.ask()
    world.chain.lose_block(2)
    async with world.worker() as worker:
        parts = world.parts()
        found = await reconcile(worker, parts.contract, parts.store, parts.chain, world.clock)
        await rest()
    assert found.adopted == (request_id,)
    assert world.answer(request_id).success


async def test_what_the_contract_knows_no_more_is_settled_by_asking(world):
    held = await hold_guests(world)
    async with world.worker() as worker:
        request_id = world.chain.ask()
        await rest()
        world.chain.cancel(request_id)
        world.chain.lose_block(world.chain.head_height)
        parts = world.parts()
        found = await reconcile(worker, parts.contract, parts.store, parts.chain, world.clock)
        held.set()
        await rest()
    job = await world.store.get(request_id)
    assert job.stage is Stage.DONE
    assert found.vanished in {(request_id,), ()}
    assert world.chain.refused == 0


async def test_a_request_about_to_come_by_the_stream_is_not_adopted_without_its_facts(world):
    async with world.worker() as worker:
        await rest()
        world.chain.trouble = "block API is down"
        request_id = world.chain.ask()
        world.chain.trouble = None  # views answer; the stream still waits
        parts = world.parts()
        comparing = asyncio.create_task(reconcile(worker, parts.contract, parts.store, parts.chain, world.clock))
        await rest()
        await world.clock.advance(1)
        assert (await comparing).adopted == ()
    assert (await world.store.get(request_id)).origin.transaction_hash == f"tx{request_id}"


class Crash:
    """Counts the calls to the outside; at the chosen one the worker dies, before or after its effect."""

    def __init__(self, at, *, after):
        self.left, self.after, self.crashed = at, after, asyncio.Event()

    def __call__(self, port):
        return _Crashing(port, self)


class _Crashing:
    def __init__(self, port, crash):
        self._port, self._crash = port, crash

    def __getattr__(self, name):
        found = getattr(self._port, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*args, **kwargs):
            self._crash.left -= 1
            if self._crash.left == 0 and not self._crash.after:
                await self._die()
            result = await found(*args, **kwargs)
            if self._crash.left == 0:
                await self._die()
            return result

        return call

    async def _die(self):
        self._crash.crashed.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_at_any_call_to_the_outside_each_request_is_resolved_exactly_once(after):
    at = 0
    crashed = True
    while crashed:
        at += 1
        world = World()
        crash = Crash(at, after=after)
        async with world.worker(wrap=crash):
            ids = [world.chain.ask(input_data="a"), world.chain.ask(input_data="b" * 12_000), world.chain.ask(limits=None)]
            await rest()
            crashed = crash.crashed.is_set()
        async with world.worker() as worker:
            parts = world.parts()
            comparing = asyncio.create_task(reconcile(worker, parts.contract, parts.store, parts.chain, world.clock))
            await world.clock.advance(40)
            await comparing
            await world.clock.advance(40)
        assert sorted(world.chain.settled) == ids
        assert all(world.answer(request_id).success for request_id in ids)
        assert [(await world.store.get(request_id)).stage for request_id in ids] == [Stage.DONE] * 3
        assert world.chain.refused == 0  # whenever an answer may have arrived unheard of, the contract is asked before it goes out again
    assert at > 15


async def test_a_json_request_asks_the_guest_room_for_json(world):
    async with world.worker():
        world.chain.ask(response_format=OutputFormat.JSON, input_data="{}")
        await rest()
    assert world.guests.runs[0].output_format is OutputFormat.JSON


async def test_a_completion_of_a_request_never_seen_is_passed_over(world):
    async with world.worker() as worker:
        world.chain.block(Completed(999, True, None))
        await rest()
        assert worker.cursor_height == world.chain.head_height
