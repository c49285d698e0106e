"""The machine's wall clock is set forward and back while a worker works: every request is answered once, and receipts alone tell of it."""

import asyncio
import hashlib
import json
import time

from aiohttp import web

from tests.acceptance.harness import Ask, World, proxy
from tests.acceptance.harness.clock import WallClock
from tests.acceptance.harness.world import guest_path

DAY_S = 86_400
TOLD_WITHIN_S = 20.0
JUMPS_S = (DAY_S, -DAY_S, 0)
GUESTS = {"echo": "a b a", "sha256": "abc", "word_count": json.dumps({"text": "a b a"})}
"""A module each, so that code is fetched, compiled and kept under every clock too."""


async def test_a_clock_that_jumps_a_day_on_and_back_loses_and_doubles_nothing(tmp_path):
    clock = WallClock(tmp_path)
    async with World(tmp_path, worker_settings=clock.settings) as world:
        people = await world.add_people(4)
        await asyncio.to_thread(world.start_worker)
        for guest, off_by_s in zip(GUESTS, JUMPS_S, strict=True):
            on_their_way = [await asked(world, person, Ask(guest=guest, input_data=GUESTS[guest])) for person in people[:2]]
            clock.set(off_by_s)
            afterwards = [await asked(world, person, Ask(input_data=f"{off_by_s} s")) for person in people[2:]]
            heard = [await answer for answer in (*on_their_way, *afterwards)]
            assert all(told.completed["success"] for told in heard), heard
            assert [told.value for told in heard[2:]] == [f"{off_by_s} s"] * 2
            assert abs(made_s(world, heard[-1].request_id) - time.time() - off_by_s) < DAY_S / 2
        assert await world.completions() == dict.fromkeys(range(4 * len(JUMPS_S)), 1)
        health = await asyncio.to_thread(world.worker.health)
        assert (health["status"], health["jobs"]) == ("ok", {})
        assert await asyncio.to_thread(world.worker.stop) == 0


async def test_code_that_is_not_there_yet_is_asked_for_again_though_the_clock_jumps_meanwhile(tmp_path):
    clock = WallClock(tmp_path)
    async with World(tmp_path, worker_settings=clock.settings) as world, Shop() as shop:
        (person,) = await world.add_people(1)
        await asyncio.to_thread(world.start_worker)
        waits = await asked(world, person, Ask(source=shop.source("echo"), input_data="in stock"))
        await shop.turned_away()
        clock.set(DAY_S)
        assert (await waits).value == "in stock"


async def test_an_answer_that_was_lost_is_sent_again_though_the_clock_jumps_back_meanwhile(tmp_path):
    clock, lost = WallClock(tmp_path), asyncio.Event()

    async def lose_one(request, ask):
        if not lost.is_set() and b"broadcast_tx_async" in await request.read():
            lost.set()
            return web.json_response({"jsonrpc": "2.0", "id": 1, "result": "1" * 32})
        return await proxy.pass_on(request, ask)

    async with World(tmp_path) as world, proxy.Proxy(world.chain.rpc_url) as between:
        between.trouble = lose_one
        world.worker_settings |= clock.settings | {"NEAR_RPC_URL": between.url}
        (person,) = await world.add_people(1)
        await asyncio.to_thread(world.start_worker)
        waits = await asked(world, person, Ask(input_data="told twice"))
        await asyncio.wait_for(lost.wait(), TOLD_WITHIN_S)
        async with asyncio.timeout(TOLD_WITHIN_S):
            while '"answer_sent"' not in world.worker.tail():  # from then on it waits
                await asyncio.sleep(0.05)
        clock.set(-DAY_S)
        assert (await waits).value == "told twice"


async def asked(world, person, ask):
    """A request that is on chain; what comes of it is still to be awaited."""
    outcome = await world.ask(person, ask)
    return world.heard(outcome["transaction"]["hash"], person.account_id)


def made_s(world, request_id):
    """When the worker says that it made a receipt."""
    bundle = world.worker.get(f"/attestations/{request_id}")
    return int(json.loads(bundle["receipt"])["made_at_ns"]) / 10**9


class Shop:
    """A guest over HTTP, which is out of stock when it is first asked for."""

    def __init__(self):
        self._turned_away = asyncio.Event()
        app = web.Application()
        app.router.add_get("/{name}", self._answer)
        self._runner = web.AppRunner(app)

    async def __aenter__(self):
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_):
        await self._runner.cleanup()

    def source(self, guest):
        url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/{guest}"
        return {"WasmUrl": {"url": url, "hash": hashlib.sha256(guest_path(guest).read_bytes()).hexdigest()}}

    async def turned_away(self):
        """Until the worker was."""
        await asyncio.wait_for(self._turned_away.wait(), TOLD_WITHIN_S)

    async def _answer(self, request):
        if not self._turned_away.is_set():
            self._turned_away.set()
            return web.Response(status=404)
        return web.Response(body=guest_path(request.match_info["name"]).read_bytes())
