"""How a worker starts on what another process left."""

import asyncio

from oracle.errors import RpcUnavailable
from oracle.model import Job, Origin, WasmUrl
from oracle.testing.chain import ChainTwin
from oracle.testing.clock import ManualClock, rest
from oracle.testing.code import FakeCode
from oracle.testing.guests import FakeGuests
from oracle.testing.jobs import MemoryJobs
from oracle.testing.receipts import FakeReceipts
from oracle.worker import Parts, Place, Slots, Worker


class Disputed(ChainTwin):
    """Nodes never agree on one request."""

    disputed = -1

    async def request(self, request_id, *, at_least_height=0):
        if request_id == self.disputed:
            raise RpcUnavailable("nodes disagree")
        return await super().request(request_id, at_least_height=at_least_height)


async def test_an_earlier_request_that_nodes_do_not_agree_on_keeps_no_other_from_an_attested_worker():
    chain, store, clock = Disputed(), MemoryJobs(), ManualClock()
    chain.block()
    chain.disputed, earlier = chain.ask(), chain.ask(source=WasmUrl("https://x/m", "0f" * 32))
    for request_id in (chain.disputed, earlier):
        found = await ChainTwin.request(chain, request_id)
        await store.adopt(Job(found, Origin()))
    parts = Parts(chain, chain, chain, FakeCode(), FakeGuests(), store, FakeReceipts(is_attested=True), clock)
    stop = asyncio.Event()
    running = asyncio.create_task(Worker(parts, Place("outlayer.test.near", "localnet"), Slots(guests=2)).run(stop))
    try:
        await rest()
        later = chain.ask()
        await rest()
        assert chain.settled[earlier].success
        assert chain.settled[later].success
        assert chain.disputed not in chain.settled
    finally:
        stop.set()
        await rest()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
