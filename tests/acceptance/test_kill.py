"""kill -9 of the worker or the chain at random moments of a busy run: afterwards nothing is lost, doubled, or left over."""

import asyncio
import contextlib
import json
import os
import random
import sqlite3
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from oracle.tee.bundle import read_bundle
from oracle.tee.receipt import parse_receipt, signature_message
from tests.acceptance.harness import Ask, World

ASKERS = 4
UNSETTLED_PER_ASKER = 5
LONGEST_PAUSE_S = 0.5
GIVE_UP_S = 180.0
BLOCK_TIME = "300ms"
"""A yield has 200 blocks, here a minute; with blocks on demand a busy chain makes them within seconds, before an answer lost in a kill is
looked after."""

FEW = {"max_instructions": 20_000_000, "max_memory_mb": 16, "max_execution_seconds": 1}


def kinds_of_asks():
    """What is asked, and what the caller must hear in the end."""
    long_text = "long " * 600
    return [
        (Ask(input_data="hello"), "hello"),
        (Ask(input_data=long_text), long_text),
        (Ask(input_data="x" * 12_000), "x" * 12_000),
        (Ask(guest="sha256", input_data="abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (Ask(guest="endless_loop", limits=FEW), None),
        (Ask(guest="sleep_forever", limits=FEW), None),
        (Ask(guest="exit_three", limits=FEW), None),
    ]


@dataclass
class Sent:
    """Requests that the chain took: transaction, signer, and the value that must come."""

    expected: dict[str, tuple[str, str | None]] = field(default_factory=dict)


async def ask_until(stop, world, person, rng, sent):
    """Ask one thing after another, a few at a time, until told to stop."""
    under_way = set()
    while not stop.is_set():
        ask, value = rng.choice(kinds_of_asks())
        outcome = await world.ask(person, ask)
        tx_hash = outcome["transaction"]["hash"]
        sent.expected[tx_hash] = (person.account_id, value)
        under_way.add(asyncio.create_task(world.heard(tx_hash, person.account_id, GIVE_UP_S)))
        if len(under_way) >= UNSETTLED_PER_ASKER:
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    await asyncio.gather(*under_way)


class Killer:
    """Kills and restarts, and remembers which processes must be gone."""

    def __init__(self, world, rng):
        self.world, self.rng = world, rng
        self.below: dict[int, str] = {}

    async def strike(self):
        await asyncio.sleep(self.rng.uniform(0, LONGEST_PAUSE_S))
        victim = self.rng.choice(["worker", "worker", "chain"])
        if victim == "chain":
            self.world.chain.kill()
            await asyncio.to_thread(self.world.chain.start)
            return
        self.kill_worker()
        if self.rng.random() < 0.25:  # while it still starts
            self.world.worker.spawn()
            await asyncio.sleep(self.rng.uniform(0, 1.0))
            self.kill_worker()
        await asyncio.to_thread(self.world.worker.start)

    def kill_worker(self):
        for pid in self.world.worker.tree()[1:]:
            self.below[pid] = start_time(pid)
        self.world.worker.kill()

    def left_over(self):
        return [pid for pid, started in self.below.items() if started and start_time(pid) == started]


def start_time(pid):
    """When a process started, in ticks: a number may be given to another; empty when it is gone."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    return ""


def seeds(default):
    """`NCO_SEED=N` repeats a run."""
    return int(os.environ.get("NCO_SEED", default))


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.soak)])
async def test_each_request_is_completed_exactly_once_however_often_worker_and_chain_are_killed(kills, tmp_path):
    seed = seeds(random.SystemRandom().randrange(10**6))
    sys.stderr.write(f"repeat with NCO_SEED={seed}\n")
    rng = random.Random(seed)
    async with World(tmp_path, block_time=BLOCK_TIME) as world:
        people = await world.add_people(ASKERS)
        await asyncio.to_thread(world.start_worker)
        killer, sent, stop = Killer(world, rng), Sent(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for person in people:
                tasks.create_task(ask_until(stop, world, person, random.Random(rng.random()), sent))
            for _ in range(kills):
                await killer.strike()
            stop.set()
        await world.until_settled(GIVE_UP_S)
        await everyone_has_the_right_answer(world, sent)
        await the_chain_tells_each_end_once(world, sent)
        await the_money_is_there(world)
        await the_worker_is_at_the_head(world)
        await each_answer_has_the_receipt_that_the_chain_names(world, len(sent.expected))
        assert world.worker.stop() == 0
        the_database_is_sound(world)
        assert killer.left_over() == []


async def test_no_guest_outlives_a_killed_worker(tmp_path):
    async with World(tmp_path) as world:
        (person,) = await world.add_people(1)
        await asyncio.to_thread(world.start_worker)
        await world.ask(person, Ask(guest="sleep_forever", limits=FEW | {"max_execution_seconds": 60}))
        async with asyncio.timeout(10):
            while (await asyncio.to_thread(world.worker.health))["running_guests"] < 1:
                await asyncio.sleep(0.05)
        killer = Killer(world, random.Random(0))
        killer.kill_worker()
        assert len(killer.below) >= 2
        async with asyncio.timeout(5):
            while killer.left_over():
                await asyncio.sleep(0.02)


async def everyone_has_the_right_answer(world, sent):
    assert len(sent.expected) >= ASKERS
    for tx_hash, (signer_id, value) in sent.expected.items():
        heard = await world.heard(tx_hash, signer_id)
        assert heard.value == value, f"request {heard.request_id}: {heard.reason}"


async def the_chain_tells_each_end_once(world, sent):
    events = await world.events()
    requested = [json.loads(event["request_data"])["request_id"] for event in events["execution_requested"]]
    assert sorted(requested) == list(range(len(sent.expected)))
    assert Counter(event["request_id"] for event in events["execution_completed"]) == Counter(requested)


async def each_answer_has_the_receipt_that_the_chain_names(world, count):
    """Read from the worker's interface, and held against what `get_outcome` says of the request."""
    async with aiohttp.ClientSession() as session:
        for request_id in range(count):
            outcome = await world.outcome(request_id)
            named = outcome["receipt_sha256"]
            assert named is not None, f"request {request_id} was answered without a receipt: {outcome}"
            async with session.get(f"{world.worker.api_url}/attestations/{request_id}?receipt_sha256={named}") as response:
                bundle = read_bundle(await response.read())
            assert bundle.receipt_sha256_hex == named
            receipt = parse_receipt(bundle.receipt)
            key = Ed25519PublicKey.from_public_bytes(base58.b58decode(receipt.worker.public_key.removeprefix("ed25519:")))
            key.verify(bundle.signature, signature_message(bundle.receipt))
            assert (receipt.request.request_id, receipt.outcome.success) == (request_id, outcome["success"])
            assert receipt.metrics.instructions == outcome["resources_used"]["instructions"]
            spoken_of = receipt.outcome.output_sha256_hex
            assert (spoken_of is None) == (bundle.output_bytes is None), f"request {request_id}: the output is not carried"


async def the_money_is_there(world):
    balances = await world.balances()
    assert balances.pending_count == balances.pending_payments == balances.claims == 0
    assert balances.balance >= balances.required


async def the_worker_is_at_the_head(world):
    head = await world.head_height()
    async with asyncio.timeout(10):
        while (health := world.worker.health())["cursor_height"] < head or health["jobs"]:
            await asyncio.sleep(0.05)
    assert health["status"] == "ok", health
    assert head <= health["cursor_height"] <= await world.head_height()


def the_database_is_sound(world):
    database = sqlite3.connect(world.worker.home / "jobs.sqlite")
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert {stage for (stage,) in database.execute("SELECT DISTINCT stage FROM jobs")} <= {"done"}
    finally:
        database.close()
