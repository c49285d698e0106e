"""A machine's socket goes away and comes back: receipts made meanwhile are quoted then, and verify like any other."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oracle.flows.verify.check import Verdict
from oracle.flows.verify.offline import check_offline
from oracle.flows.verify.report import Overall, verdict_of
from oracle.flows.verify.terms import Terms
from oracle.model import Answer, BlockEvents, Cursor, Job, Origin, Requested, Stage, TxHash
from oracle.model.receipt import TeeMode
from oracle.ports import SignedTransaction, Unquoted
from oracle.store import SqliteJobs
from oracle.tee.bundle import bundle_of
from oracle.tee.documents import HttpDocuments
from oracle.tee.dstack import Dstack
from oracle.tee.late import LONGEST_WAIT_S, LateQuotes
from oracle.tee.making import ReceiptMaker, Standing
from oracle.tee.pccs import REFRESH_AFTER_S, CollateralSource
from oracle.tee.policy import AcceptedMeasurements, Policy
from oracle.tee.quoting import PATIENCE_S, ReceiptQuotes
from oracle.tee.root import Root
from oracle.tee.simulator import Simulator, SimulatorOptions
from oracle.testing.chain import request
from oracle.testing.clock import ManualClock, rest
from oracle.testing.receipts import receipt
from oracle.wiring.receipts import Completing
from oracle.wiring.tee import Machine

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
MEASURED = ("mr_td", "rt_mr0", "rt_mr1", "rt_mr2", "rt_mr3")


class World:
    """
    A worker's receipts from being made to being served, on a machine whose socket is at `socket` while it is there.

    `clock` is the machine's, the collateral service's and the worker's.
    """

    def __init__(self, simulator, clock, source, store, directory):
        self.simulator, self.clock, self.store = simulator, clock, store
        self.root, self.socket = Root(simulator.root_der), directory / "dstack.sock"
        self.machine = Machine(Dstack(str(self.socket)), source)
        self.jobs = {}
        self.start()

    def start(self):
        """Another process: nothing is left but the store."""
        quotes = ReceiptQuotes(self.machine.socket, self.clock, collateral=self.machine.collateral)
        self.late = LateQuotes(quotes, self.store, self.clock)
        plain = receipt()
        public_key = "ed25519:" + base58.b58encode(KEY.public_key().public_bytes_raw()).decode()
        worker = replace(plain.worker, public_key=public_key, tee_mode=TeeMode.TDX, root_sha256_hex=self.root.sha256_hex, is_test_root=True)
        standing = Standing(plain.chain, plain.engine, worker, plain.settings_sha256_hex, Policy.DEFAULT.sha256_hex)
        self.making = ReceiptMaker(standing, KEY.sign, self.clock, quotes)

    async def comes(self):
        self.socket.symlink_to(self.simulator.socket_path)

    async def goes(self):
        self.socket.unlink()
        await self.machine.socket._forget(self.machine.socket._agent)

    async def answers(self, number):
        """As the sender does it: receipt and transaction are stored, and who asks is told."""
        asked, origin = replace(request(number)), Origin(block_height=number)
        await self.store.admit(BlockEvents(Cursor(number, "b"), 1, (Requested(asked, origin),)))
        answer = Answer(number, True, b"out %d" % number)
        self.jobs[number] = Job(asked, origin, Stage.ANSWERING, asked.source.sha256_hex, input_sha256_hex="1a" * 32, answer=answer)
        making = asyncio.create_task(self.making.make(self.jobs[number], answer))
        await self.until(making.done, PATIENCE_S)
        signed = making.result()
        await self.store.record(SignedTransaction(TxHash(f"h{number}"), number, signed.public_key, number, 1, b"signed"), signed)
        self.late.take(signed)
        return signed

    async def verdict(self, number):
        (kept,) = await self.store.receipts(number)
        bundle = await Completing(self.machine)(bundle_of(self.jobs[number], kept))
        measurements = self.simulator.machine.measurements
        accepted = AcceptedMeasurements(*(getattr(measurements, name).hex() for name in MEASURED))
        terms = Terms(Policy(measurements=(accepted,), two_nodes=False), self.root, self.clock.now_ns() // 10**9)
        checks = check_offline(bundle.to_json().encode(), terms).checks
        return verdict_of(checks), {check.number for check in checks if check.verdict is not Verdict.PASS}

    async def until(self, done, within_s):
        """Time passes as far as it must for those who wait on the clock; sockets have their own."""
        until_s = self.clock.monotonic_s() + within_s
        async with asyncio.timeout(10):
            while not done():
                await rest()
                await asyncio.sleep(0.005)
                if self.clock.monotonic_s() < until_s:
                    await self.clock.advance(0.25)


@pytest.fixture
async def world(tmp_path):
    clock = ManualClock()
    options = SimulatorOptions(seed="late", clock=lambda: clock.now_ns() // 10**9)
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Simulator(options))
        documents = await stack.enter_async_context(HttpDocuments())
        store = await stack.enter_async_context(SqliteJobs(tmp_path / "jobs.sqlite"))
        source = CollateralSource(simulator.pccs_url, documents, tmp_path, clock, Root(simulator.root_der))
        found = World(simulator, clock, source, store, tmp_path)
        await source.for_quote(simulator.quote(bytes(64)))  # as the registration does
        yield found
        await found.machine.socket.__aexit__()


async def test_receipts_made_while_the_socket_is_away_are_proven_once_it_is_back(world):
    await world.comes()
    async with world.late.quoting():
        assert (await world.answers(1)).quote is not None
        await world.goes()
        for number in (2, 3):
            assert (await world.answers(number)).quote is None
        assert await world.verdict(2) == (Overall.UNPROVEN, set(range(5, 14)))
        await world.comes()
        await world.until(lambda: world.late.unquoted == Unquoted(0, 0), 2 * LONGEST_WAIT_S)
        assert [(await world.verdict(number))[0] for number in (1, 2, 3)] == [Overall.PROVEN] * 3


async def test_a_receipt_is_proven_also_when_intel_signed_anew_before_it_was_quoted(world):
    async with world.late.quoting():
        await world.answers(1)
        world.clock.jump(2 * REFRESH_AFTER_S)
        (then,) = world.machine.collateral.kept().values()
        now = await world.machine.collateral.for_quote(world.simulator.quote(bytes(64)))
        assert now.issued_s > then.issued_s
        await world.comes()
        await world.until(lambda: world.late.unquoted == Unquoted(0, 0), 2 * LONGEST_WAIT_S)
        assert await world.verdict(1) == (Overall.PROVEN, set())


async def test_a_kill_loses_the_quote_and_never_the_receipt(world):
    killed = asyncio.create_task(world.late._run())
    signed = await world.answers(1)
    killed.cancel()  # nothing of a clean stop is done
    world.start()
    await world.comes()
    async with world.late.quoting():
        await world.answers(2)
        assert world.late.unquoted == Unquoted(0, 0)
        await world.clock.advance(2 * LONGEST_WAIT_S)
    assert await world.store.receipts(1) == [signed]
    assert (await world.verdict(2))[0] is Overall.PROVEN
