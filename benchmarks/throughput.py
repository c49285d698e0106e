"""A thousand requests within a second from twenty accounts, a block every 600 ms: how fast they are answered, and with how much memory."""

import asyncio
import tempfile
import time
from collections import Counter

import base58
from py_near import transactions as near

from benchmarks.load import Call, Load
from benchmarks.report import Row
from tests.acceptance.harness import Ask, World
from tests.acceptance.harness.world import OUTLAYER

TAKEN_GOAL_S, RATE_GOAL, MEMORY_GOAL_MIB = 1.0, 40, 400
ACCOUNTS = 20
MIB = 1024 * 1024


def run(*, quick: bool) -> list[Row]:
    count = 100 if quick else 1000
    sent_s, settled_s, completions, peak = asyncio.run(_measure(count))
    rate = count / settled_s
    once = sum(1 for times in completions.values() if times == 1)
    how = f"{count} requests of {ACCOUNTS} accounts, --block-time 600ms"
    return [
        Row("requests taken by the node in", sent_s, "s", how, f"<= {TAKEN_GOAL_S:g}", sent_s <= TAKEN_GOAL_S),
        Row("answered exactly once", once, "requests", how, f"= {count}", once == count == len(completions)),
        Row("answered a second, first request to last answer", rate, "1/s", how, f">= {RATE_GOAL}", rate >= RATE_GOAL),
        Row("worker and its children, peak", peak / MIB, "MiB", "PSS, sampled", f"<= {MEMORY_GOAL_MIB}", peak / MIB <= MEMORY_GOAL_MIB),
    ]


async def _measure(count: int) -> tuple[float, float, Counter[int], int]:
    with tempfile.TemporaryDirectory() as home:
        async with World(home, block_time="600ms") as world:
            people = await world.add_people(ACCOUNTS, balance=200 * 10**24)
            world.start_worker()
            await world.hear(people[0])
            lists = [[Call("broadcast_tx_async", [each]) for each in part] for part in await _signed(world, people, count)]
            memory = asyncio.create_task(_peak_memory(world))
            async with Load(world.chain.rpc_url, lists) as load:
                began = time.perf_counter()
                sent_s = await load.send()
            await _until_completed(world, count + 1)
            settled_s = time.perf_counter() - began
            memory.cancel()
            completions = await world.completions()
            completions.pop(0)
            return sent_s, settled_s, completions, await _result(memory)


async def _signed(world: World, people, count: int) -> list[list[str]]:
    status = await world.client.rpc("status", [])
    block_hash = base58.b58decode(status["sync_info"]["latest_block_hash"])
    parts = []
    for person in people:
        await world.client.sign(person, OUTLAYER, [])  # learns the nonce
        first = person.nonce
        action = Ask().action()
        key = person.seed + person.public_bytes
        parts.append(
            [
                near.sign_and_serialize_transaction(person.account_id, key, OUTLAYER, first + index, [action], block_hash)
                for index in range(1, count // ACCOUNTS + 1)
            ]
        )
    return parts


async def _until_completed(world: World, total: int) -> None:
    async with asyncio.timeout(300):
        while True:
            executions, _fees = await world.client.view(OUTLAYER, "get_stats")
            if int(executions) >= total and not await world.pending():
                return
            await asyncio.sleep(0.1)


async def _peak_memory(world: World) -> int:
    peak = 0
    try:
        while True:
            peak = max(peak, await asyncio.to_thread(world.worker.resident_bytes))
            await asyncio.sleep(0.5)
    except asyncio.CancelledError:
        return peak


async def _result(task: asyncio.Task[int]) -> int:
    return await task
