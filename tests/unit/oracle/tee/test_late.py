"""Receipts that went out without a quote get one when the socket is back, from memory alone, and are told of where they never will."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
import structlog

from oracle.errors import StoreError, TeeUnavailable
from oracle.model import QuoteKind, TxHash
from oracle.model.receipt import ReceiptQuote, SignedReceipt
from oracle.ports import SignedTransaction, Unquoted
from oracle.tee import waiting
from oracle.tee.late import FIRST_WAIT_S, LAST_ATTEMPT_S, LONGEST_WAIT_S, LateQuotes
from oracle.tee.merkle import Tree, root_from_path
from oracle.tee.pcs import Wanted
from oracle.tee.quote import parse_quote
from oracle.tee.quoting import ReceiptQuotes
from oracle.tee.receipt import batch_report_data, receipt_report_data, receipt_sha256_hex
from oracle.tee.verify import platform_of
from oracle.testing.clock import ManualClock, rest
from oracle.testing.jobs import MemoryJobs
from tests.unit.oracle.tee.samples import sample_collateral
from tests.unit.oracle.tee.test_quoting import REAL_QUOTE, Kept, Socket, told

DOWN = TeeUnavailable("down")
HERE = Wanted(QuoteKind.TDX, *platform_of(parse_quote(REAL_QUOTE)))


class World:
    """`late` over a socket that answers as it is told, a store and a clock."""

    def __init__(self, *answers, collateral=None):
        self.clock, self.store, self.socket = ManualClock(), MemoryJobs(), Socket(*answers)
        self.late = LateQuotes(ReceiptQuotes(self.socket, self.clock, collateral=collateral), self.store, self.clock)

    async def record(self, number, quote=None):
        """As the sender does it."""
        raw = b"receipt %d" % number
        signed = SignedReceipt(number, raw, receipt_sha256_hex(raw), "k", bytes(64), quote)
        await self.store.record(SignedTransaction(TxHash(f"h{number}"), number, "k", number, 1, b"signed"), signed)
        self.late.take(signed)

    async def quote_of(self, number):
        (receipt,) = await self.store.receipts(number)
        return receipt.quote

    @asynccontextmanager
    async def stopping(self):
        """Stops with time passing, as it does outside of tests."""
        stopped = asyncio.Event()

        async def serve():
            async with self.late.quoting():
                await stopped.wait()

        serving = asyncio.create_task(serve())
        yield
        stopped.set()
        await self.clock.advance(LAST_ATTEMPT_S)
        await serving


async def test_a_receipt_is_quoted_when_the_socket_is_back():
    world = World(DOWN, DOWN)
    async with world.late.quoting():
        await world.record(7)
        assert world.late.unquoted == Unquoted(1, 0)
        await world.clock.advance(FIRST_WAIT_S)
        assert world.late.unquoted == Unquoted(1, 0)
        await world.clock.advance(10 * FIRST_WAIT_S)
        assert told(await world.quote_of(7)) == receipt_report_data(b"receipt 7")
        assert world.late.unquoted == Unquoted(0, 0)


async def test_all_that_wait_share_one_quote():
    world = World()
    async with world.late.quoting():
        for number in range(3):
            await world.record(number)
        await world.clock.advance(FIRST_WAIT_S)
        assert len(world.socket.asked) == 1
        for number in range(3):
            quote = await world.quote_of(number)
            root = root_from_path(b"receipt %d" % number, quote.batch.leaf_index, quote.batch.tree_size, quote.batch.path)
            assert told(quote) == batch_report_data(root)


async def test_a_receipt_that_comes_while_others_are_quoted_gets_the_next_quote():
    world, thinking = World(), asyncio.Event()
    quote = world.socket.quote

    async def slow(report_data):
        await thinking.wait()
        return await quote(report_data)

    world.socket.quote = slow
    async with world.late.quoting():
        await world.record(1)
        await world.clock.advance(FIRST_WAIT_S)
        await world.record(2)
        thinking.set()
        await rest()
        assert world.late.unquoted.waiting == 1
        await world.clock.advance(FIRST_WAIT_S)
        for number in (1, 2):
            assert told(await world.quote_of(number)) == receipt_report_data(b"receipt %d" % number)


async def test_a_receipt_with_a_quote_does_not_wait():
    world = World()
    await world.record(7, ReceiptQuote(b"quote", "log"))
    assert world.late.unquoted == Unquoted(0, 0)


async def test_a_receipt_that_is_quoted_with_an_answer_signed_anew_waits_no_more():
    world = World()
    with structlog.testing.capture_logs() as logs:
        async with world.late.quoting():
            await world.record(7)
            await world.record(7, ReceiptQuote(b"quote", "log"))
            assert world.late.unquoted == Unquoted(0, 0)
    assert world.socket.asked == []
    assert logs == []


async def test_a_socket_that_stays_away_is_asked_less_and_less_often():
    world = World(*[DOWN] * 1_000)
    async with world.stopping():
        await world.record(7)
        await world.clock.advance(600)
        assert 600 / LONGEST_WAIT_S <= len(world.socket.asked) < 600 / LONGEST_WAIT_S + 5


async def test_nothing_is_asked_while_nothing_waits():
    world = World()
    async with world.late.quoting():
        await world.clock.advance(600)
        assert world.socket.asked == []


async def test_a_stop_asks_once_more():
    world = World()
    async with world.stopping():
        await world.record(7)
    assert told(await world.quote_of(7)) == receipt_report_data(b"receipt 7")


async def test_a_stop_waits_a_bounded_time_and_tells_what_will_never_be_quoted():
    world = World(asyncio.get_running_loop().create_future())
    with structlog.testing.capture_logs() as logs:
        async with world.stopping():
            await world.record(7)
    assert [(line["event"], line["request_id"]) for line in logs if line["log_level"] == "error"] == [("receipt_never_quoted", 7)]
    assert await world.quote_of(7) is None
    assert len(asyncio.all_tasks()) == 1


async def test_a_quote_that_could_not_be_stored_is_kept_and_not_asked_for_again():
    world = World()
    async with world.late.quoting():
        await world.record(7)
        world.store.broken = "the disk is full"
        await world.clock.advance(FIRST_WAIT_S)
        assert (len(world.socket.asked), world.late.unquoted.waiting) == (1, 1)
        world.store.broken, world.socket.answers = None, [DOWN] * 100
        await world.record(8)
        await world.clock.advance(10 * FIRST_WAIT_S)
        assert told(await world.quote_of(7)) == receipt_report_data(b"receipt 7")
        assert world.late.unquoted.waiting == 1
        world.socket.answers = []


async def test_a_fault_of_ours_does_not_end_the_quoting():
    world = World(RuntimeError("unheard of"))
    async with world.late.quoting():
        await world.record(7)
        await world.clock.advance(10 * FIRST_WAIT_S)
        assert await world.quote_of(7) is not None


async def test_a_receipt_that_the_store_has_forgotten_is_done_with():
    world = World()
    async with world.late.quoting():
        await world.record(7)
        world.store._receipts.clear()
        await world.clock.advance(FIRST_WAIT_S)
        assert world.late.unquoted == Unquoted(0, 0)


async def test_too_many_cost_the_oldest_aloud(monkeypatch):
    monkeypatch.setattr(waiting, "MAX_WAITING", 2)
    world = World()
    with structlog.testing.capture_logs() as logs:
        for number in range(3):
            await world.record(number)
    assert [(line["event"], line["request_id"]) for line in logs] == [("receipt_never_quoted", 0)]
    assert world.late.unquoted == Unquoted(2, 1)


async def test_what_is_quoted_is_what_was_made_and_not_what_the_disk_says():
    world = World()
    async with world.late.quoting():
        await world.record(7)
        (known,) = world.store._receipts
        world.store._receipts[:] = [SignedReceipt(7, b"forged", known.receipt_sha256_hex, "k", bytes(64))]
        await world.clock.advance(FIRST_WAIT_S)
        assert told(await world.quote_of(7)) == receipt_report_data(b"receipt 7")


@pytest.mark.parametrize(
    ("then", "expected"), [({HERE: sample_collateral("tdx")}, sample_collateral("tdx").to_json()), ({}, "of now"), (None, "of now")]
)
async def test_a_late_quote_comes_with_the_collateral_of_the_receipts_own_time(then, expected):
    class OfNow:
        def to_json(self):
            return "of now"

    kept = Kept(OfNow())
    kept.kept = lambda: then if then is not None else {Wanted(HERE.kind, bytes(6), HERE.authority): sample_collateral("tdx")}
    world = World(collateral=kept)
    async with world.late.quoting():
        await world.record(7)
        kept.kept = dict
        await world.clock.advance(FIRST_WAIT_S)
        assert (await world.quote_of(7)).collateral_json == expected


async def test_a_store_that_fails_for_one_leaves_the_others_their_quotes():
    world = World()
    failures = iter([StoreError("busy")])

    async def sometimes(*args):
        if args[0] == receipt_sha256_hex(b"receipt 1") and (failure := next(failures, None)):
            raise failure
        return await world.store.add_quote(*args)

    world.late._store = SimpleNamespace(add_quote=sometimes)
    async with world.late.quoting():
        for number in range(3):
            await world.record(number)
        await world.clock.advance(10 * FIRST_WAIT_S)
        await rest()
        found = [await world.quote_of(number) for number in range(3)]
    assert len({quote.quote for quote in found}) == 1
    assert len(world.socket.asked) == 1
    assert {told(quote) for quote in found} == {batch_report_data(Tree([b"receipt %d" % number for number in range(3)]).root)}
