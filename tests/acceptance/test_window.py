"""The 200 blocks of a yield: slept through, stretched by progress, cancelled past the deadline, or raced for by two workers."""

import asyncio
import hashlib

import pytest
import pytest_asyncio
from wasmtime import wat2wasm

from tests.acceptance.harness import OUTLAYER, Ask, WorkerProcess, World
from tests.acceptance.harness.client import call

pytestmark = pytest.mark.asyncio(loop_scope="module")

YIELD_BLOCKS = 200
SLEEPER = """
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 200) "\\d0\\00\\00\\00\\06\\00\\00\\00rested")
  (func (export "_start")
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const NANOSECONDS))
    (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))
    (drop (call $write (i32.const 1) (i32.const 200) (i32.const 1) (i32.const 128)))))
"""
"""A guest that rests for a while on the monotonic clock and then says so."""
LIMITS = {"max_instructions": 1_000_000, "max_memory_mb": 16, "max_execution_seconds": 20}


@pytest_asyncio.fixture(loop_scope="module")
async def world(tmp_path):
    async with World(tmp_path) as world:
        await world.add_people(2)
        yield world


async def start(world):
    await asyncio.to_thread(world.start_worker)


def sleeper(world, rests_s=5):
    code = bytes(wat2wasm(SLEEPER.replace("NANOSECONDS", str(rests_s * 10**9))))
    path = world.home / "sleeper.wasm"
    path.write_bytes(code)
    return Ask(source={"WasmUrl": {"url": path.as_uri(), "hash": hashlib.sha256(code).hexdigest()}}, limits=LIMITS)


async def job(world, request_id):
    """As the worker tells it; None while it does not know it."""
    jobs = await asyncio.to_thread(world.worker.get, "/requests")
    return next((each for each in jobs["requests"] if each["request_id"] == request_id), None)


async def until(condition, timeout_s=20):
    async with asyncio.timeout(timeout_s):
        while not await condition():
            await asyncio.sleep(0.05)


async def until_running(world):
    async def runs():
        return (await asyncio.to_thread(world.worker.health))["running_guests"] == 1

    await until(runs)


async def is_announced(world):
    (request_id,) = await world.pending()
    return (await world.client.view(OUTLAYER, "get_request", request_id=request_id))["progress_announced"]


async def test_a_worker_offline_through_the_window_settles_what_the_chain_gave_up(world):
    person = world.people[0]
    await start(world)
    assert (await world.hear(person, Ask(input_data="before"))).value == "before"
    world.worker.kill()
    sent = await world.ask(person, Ask(input_data="during"))
    await world.fast_forward(YIELD_BLOCKS + 5)
    heard = await world.heard(sent["transaction"]["hash"], person.account_id)
    assert heard.value is None
    assert (await world.outcome(heard.request_id))["status"] == "TimedOut"
    await start(world)

    async def is_settled():
        found = await job(world, heard.request_id)
        return found is not None and found["stage"] == "done"

    await until(is_settled)
    assert (await world.hear(person, Ask(input_data="after"))).value == "after"
    assert set((await world.completions()).values()) == {1}


async def test_a_worker_killed_with_its_answer_ready_does_not_answer_what_timed_out_meanwhile(world):
    person = world.people[0]
    await start(world)
    sent = await world.ask(person, sleeper(world))
    await until_running(world)
    world.worker.kill()
    await world.fast_forward(YIELD_BLOCKS + 5)
    heard = await world.heard(sent["transaction"]["hash"], person.account_id)
    assert heard.value is None
    await start(world)
    assert (await world.hear(person, Ask(input_data="next"))).value == "next"
    assert set((await world.completions()).values()) == {1}


async def test_a_long_job_is_announced_and_answered_across_the_window(world):
    person = world.people[0]
    await start(world)
    sent = await world.ask(person, sleeper(world))
    await until_running(world)
    await world.fast_forward(155)
    await until(lambda: is_announced(world))
    await world.fast_forward(60)
    heard = await world.heard(sent["transaction"]["hash"], person.account_id)
    assert (heard.value, heard.extended) == ("rested", 1)
    assert (await world.completions())[heard.request_id] == 1


async def test_a_job_that_cannot_be_renewed_any_more_is_answered_with_an_error_in_time(world):
    """The chain's clock goes a second a block: 600 s after the request the contract renews no more."""
    person = world.people[0]
    await start(world)
    sent = await world.ask(person, sleeper(world, rests_s=12))
    await until_running(world)
    for _ in range(2):
        await world.fast_forward(152)
        await until(lambda: is_announced(world))
        await world.fast_forward(52)
    await world.fast_forward(180)
    heard = await world.heard(sent["transaction"]["hash"], person.account_id)
    assert (heard.value, heard.extended) == (None, 2)
    assert "could not be finished within the chain's yield window" in heard.reason
    assert (await asyncio.to_thread(world.worker.health))["status"] == "ok"


async def test_who_asked_cancels_after_the_deadline_and_the_worker_lets_go(world):
    person, other = world.people
    await start(world)
    await asyncio.to_thread(world.worker.stop)
    sent = await world.ask(person, Ask(input_data="never"))
    (request_id,) = await world.pending()
    await world.fast_forward(150)
    cancel = call("cancel_stale_execution", {"request_id": request_id})
    early = await world.client.send(person, OUTLAYER, [cancel], wait_until="FINAL")
    assert "cannot be cancelled yet" in str(early["status"])
    await announce_until_the_deadline(world, request_id)
    by_another = await world.client.send(other, OUTLAYER, [cancel], wait_until="FINAL")
    assert f"only {person.account_id}" in str(by_another["status"])
    await world.client.commit(person, OUTLAYER, [cancel])
    heard = await world.heard(sent["transaction"]["hash"], person.account_id)
    assert heard.value is None
    outcome = await world.outcome(request_id)
    assert (outcome["status"], outcome["payment_charged"]) == ("Cancelled", "0")
    await start(world)
    assert (await world.hear(other, Ask(input_data="on"))).value == "on"
    assert set((await world.completions()).values()) == {1}


async def announce_until_the_deadline(world, request_id):
    """What a worker does for a job that takes for ever."""
    for _ in range(3):
        await world.client.commit(world.operator, OUTLAYER, [call("extend_execution", {"request_id": request_id})])
        await world.fast_forward(160)


async def test_two_workers_with_one_key_answer_each_request_once(world):
    await start(world)
    rival = WorkerProcess(world.home / "rival", world.settings())
    try:
        await asyncio.to_thread(rival.start)
        asks = [world.hear(person, Ask(input_data=f"{number}"), 60.0) for number in range(6) for person in world.people]
        heard = await asyncio.gather(*asks)
        assert [told.value for told in heard] == [str(number) for number in range(6) for _ in world.people]
        assert await world.completions() == {told.request_id: 1 for told in heard}

        async def both_are_done():
            return not (await asyncio.to_thread(world.worker.health))["jobs"] and not (await asyncio.to_thread(rival.health))["jobs"]

        await until(both_are_done, 40)
    finally:
        rival.kill()
