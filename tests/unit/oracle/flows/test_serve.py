"""Serving: everything together with twins, and that it begins, compares and ends as it should."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from oracle.errors import ConfigurationError
from oracle.flows.reconcile import PERIOD_S, reconcile
from oracle.flows.serve import serve
from oracle.model import Stage
from oracle.ports import ChainIdentity
from oracle.testing.chain import ChainTwin
from oracle.testing.clock import ManualClock, rest
from oracle.testing.code import FakeCode
from oracle.testing.guests import FakeGuests
from oracle.testing.jobs import MemoryJobs
from oracle.testing.receipts import FakeReceipts
from oracle.worker import Parts, Place, Slots, Worker

HERE = ChainIdentity("localnet", "outlayer.test.near", "genesis")


class World:
    def __init__(self):
        self.chain, self.store, self.clock = ChainTwin(), MemoryJobs(), ManualClock()
        self.chain.block()
        self.parts = Parts(self.chain, self.chain, self.chain, FakeCode(), FakeGuests(), self.store, FakeReceipts(), self.clock)
        self.worker = Worker(self.parts, Place("outlayer.test.near", "localnet"), Slots(guests=2))
        self.told = []

    @asynccontextmanager
    async def companion(self):
        self.told.append(("in", self.worker.cursor_height))
        yield
        self.told.append(("out", self.worker.cursor_height))

    @asynccontextmanager
    async def serving(self):
        stop = asyncio.Event()
        running = asyncio.create_task(serve(self.worker, self.parts, HERE, stop, [self.companion()]))
        await rest()
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(running, 5)


async def test_what_waits_on_chain_at_the_first_start_is_answered():
    world = World()
    ids = [world.chain.ask() for _ in range(3)]
    world.chain.blocks(5)
    async with world.serving():
        await world.clock.advance(5)
    assert sorted(world.chain.settled) == ids
    assert all(world.chain.settled[request_id].success for request_id in ids)


async def test_companions_live_as_long_as_the_worker():
    world = World()
    async with world.serving():
        world.chain.ask()
        await rest()
    assert [what for what, _ in world.told] == ["in", "out"]
    assert world.told[0][1] == 0
    assert world.told[1][1] == world.chain.head_height


async def test_a_request_lost_on_the_way_is_found_by_the_next_comparison():
    world = World()
    async with world.serving():
        await world.clock.advance(1)
        world.chain.trouble = "away"
        request_id = world.chain.ask()
        world.chain.lose_block(world.chain.head_height)
        world.chain.recover()
        await rest()
        assert request_id not in world.chain.settled
        await world.clock.advance(PERIOD_S + 1)
    assert world.chain.settled[request_id].success


async def test_a_chain_in_trouble_at_the_start_is_waited_for():
    world = World()
    request_id = world.chain.ask()
    world.chain.trouble = "nobody answers"
    async with world.serving():
        await world.clock.advance(30)
        assert not world.worker.snapshot().chain_ok
        world.chain.recover()
        await world.clock.advance(10)
    assert world.chain.settled[request_id].success


async def test_a_request_made_before_the_first_block_is_read_is_found_by_the_first_comparison(monkeypatch):
    world, begun = World(), asyncio.Event()
    follow = world.chain.follow

    async def begins_late(after):
        await begun.wait()
        async for block in follow(after):
            yield block

    monkeypatch.setattr(world.chain, "follow", begins_late)
    async with world.serving():
        request_id = world.chain.ask()
        world.chain.block()
        begun.set()
        await world.clock.advance(5)
        assert world.chain.settled[request_id].success


async def test_the_store_of_another_contract_stops_the_start():
    world = World()
    await world.store.bind(ChainIdentity("localnet", "other.test.near", "genesis"))
    with pytest.raises(ConfigurationError):
        await serve(world.worker, world.parts, HERE, asyncio.Event())


async def test_a_long_input_found_by_asking_stays_on_chain_until_it_is_needed():
    world = World()
    stop = asyncio.Event()
    request_id = world.chain.ask(input_data="x" * 20_000)
    world.chain.lose_block(world.chain.head_height)
    running = asyncio.create_task(world.worker.run(stop))
    await rest()
    adopted = []
    adopt = world.store.adopt

    async def look(job):
        adopted.append(job.request.input_data)
        return await adopt(job)

    class Looking:
        def __getattr__(self, name):
            return look if name == "adopt" else getattr(world.store, name)

    await reconcile(world.worker, world.chain, Looking(), world.chain, world.clock)
    await rest()
    assert adopted == [None]
    assert world.chain.settled[request_id].output == b"x" * 20_000
    assert (await world.store.get(request_id)).stage is Stage.DONE
    stop.set()
    await running
