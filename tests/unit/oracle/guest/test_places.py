import asyncio

import pytest

from oracle.guest.places import PROCESS_BYTES, Places

MIB = 1024 * 1024


class Guests:
    """Guests that run until they are told to end."""

    def __init__(self, places):
        self._places = places
        self._ends = {}
        self.running = []

    async def come(self, name, memory_bytes):
        self._ends[name] = (asyncio.Event(), asyncio.create_task(self._run(name, memory_bytes)))
        await settled()

    async def _run(self, name, memory_bytes):
        async with self._places.take(memory_bytes):
            self.running.append(name)
            try:
                await self._ends[name][0].wait()
            finally:
                self.running.remove(name)

    async def end(self, name):
        self._ends[name][0].set()
        await settled()

    async def cancel(self, name):
        self._ends[name][1].cancel()
        await settled()


async def settled():
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def guests():
    """Four places, and memory for two guests of 100 MiB."""
    return Guests(Places(4, 2 * (100 * MIB + PROCESS_BYTES)))


async def test_no_more_run_at_once_than_there_are_places():
    guests = Guests(Places(2, 2**40))
    for name in "abc":
        await guests.come(name, MIB)
    assert guests.running == ["a", "b"]
    await guests.end("a")
    assert guests.running == ["b", "c"]


async def test_guests_whose_memory_together_is_too_much_wait_for_one_another(guests):
    for name in "abc":
        await guests.come(name, 100 * MIB)
    assert guests.running == ["a", "b"]
    await guests.end("b")
    assert guests.running == ["a", "c"]


async def test_a_guest_that_may_reach_more_than_all_there_is_runs_alone(guests):
    await guests.come("small", MIB)
    await guests.come("huge", 4096 * MIB)
    assert guests.running == ["small"]
    await guests.end("small")
    await guests.come("late", MIB)
    assert guests.running == ["huge"]
    await guests.end("huge")
    assert guests.running == ["late"]


async def test_nobody_overtakes_one_that_waits_for_much_memory(guests):
    await guests.come("a", 100 * MIB)
    await guests.come("large", 200 * MIB)
    await guests.come("b", MIB)
    assert guests.running == ["a"]
    await guests.end("a")
    assert guests.running == ["large"]


async def test_one_that_is_cancelled_while_it_waits_lets_those_behind_it_pass(guests):
    await guests.come("a", 100 * MIB)
    await guests.come("large", 200 * MIB)
    await guests.come("b", MIB)
    await guests.cancel("large")
    assert guests.running == ["a", "b"]


async def test_a_place_is_free_again_when_its_guest_is_cancelled_running_or_just_admitted():
    guests = Guests(Places(1, 2**40))
    await guests.come("running", MIB)
    await guests.come("next", MIB)
    await guests.cancel("running")
    assert guests.running == ["next"]
    await guests.come("admitted", MIB)
    await guests.come("last", MIB)
    guests._ends["next"][0].set()
    while guests.running:
        await asyncio.sleep(0)
    await guests.cancel("admitted")
    assert guests.running == ["last"]


def test_no_place_at_all_is_a_mistake():
    with pytest.raises(ValueError, match="at least 1"):
        Places(0, 2**40)
