"""Receipts get quotes: one each or one for many, from sockets that are well, slow, broken or lying, and never later than is useful."""

import asyncio
from pathlib import Path

import pytest

from oracle.errors import EvidenceRefused, TeeUnavailable
from oracle.model import Attestation
from oracle.tee.merkle import Tree, root_from_path
from oracle.tee.quote import parse_quote, read_quote
from oracle.tee.quoting import MAX_BATCH, PATIENCE_S, ReceiptQuotes
from oracle.tee.receipt import batch_report_data, receipt_report_data
from oracle.testing.clock import ManualClock, rest
from tests.unit.oracle.tee.samples import sample_collateral

REAL_QUOTE = read_quote((Path(__file__).parents[3] / "vectors" / "quotes" / "tdx_quote").read_bytes())
REPORT_DATA = slice(568, 632)
"""Of a TDX quote of version 4 (Intel TDX DCAP Quoting Library API, A.3)."""


def quote_with(report_data):
    return REAL_QUOTE[: REPORT_DATA.start] + report_data + REAL_QUOTE[REPORT_DATA.stop :]


def told(quote):
    return parse_quote(quote.quote).report.report_data


class Socket:
    """Answers with what `answers` holds, in order, and then as a machine does."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    async def quote(self, report_data):
        self.asked.append(report_data)
        answer = self.answers.pop(0) if self.answers else quote_with(report_data)
        if isinstance(answer, asyncio.Future):
            await answer
        if isinstance(answer, Exception):
            raise answer
        return Attestation(answer, "[]")


@pytest.fixture
def clock():
    return ManualClock()


async def test_a_receipt_gets_a_quote_of_its_own(clock):
    quotes = ReceiptQuotes(Socket(), clock)
    found = await quotes.quote(b"receipt")
    assert told(found) == receipt_report_data(b"receipt")
    assert (found.event_log, found.batch) == ("[]", None)


class Kept:
    """Collateral at hand, or what asking for it raises."""

    def __init__(self, found):
        self.found = found

    def at_hand(self, _quote):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.mark.parametrize("batch_ms", [0, 20])
async def test_a_quote_comes_with_the_collateral_of_its_moment(clock, batch_ms):
    quotes = ReceiptQuotes(Socket(), clock, batch_ms=batch_ms, collateral=Kept(sample_collateral("tdx")))
    asking = asyncio.create_task(quotes.quote(b"receipt"))
    await rest()
    await clock.advance(batch_ms / 1_000)
    assert (await asking).collateral_json == sample_collateral("tdx").to_json()


@pytest.mark.parametrize("found", [None, EvidenceRefused("the quote does not name its platform")])
async def test_a_receipt_does_not_wait_for_collateral(clock, found):
    quotes = ReceiptQuotes(Socket(), clock, collateral=Kept(found))
    assert (await quotes.quote(b"receipt")).collateral_json is None


async def test_receipts_that_are_ready_within_a_moment_share_a_quote(clock):
    socket = Socket()
    quotes = ReceiptQuotes(socket, clock, batch_ms=20)
    receipts = [f"receipt {number}".encode() for number in range(5)]
    asking = [asyncio.create_task(quotes.quote(receipt)) for receipt in receipts]
    await clock.advance(0.019)
    assert socket.asked == []
    await clock.advance(0.001)
    assert socket.asked == [batch_report_data(Tree(receipts).root)]
    for receipt, task in zip(receipts, asking, strict=True):
        found = await task
        assert told(found) == batch_report_data(root_from_path(receipt, found.batch.leaf_index, found.batch.tree_size, found.batch.path))


async def test_a_receipt_that_comes_later_joins_the_next_batch(clock):
    socket = Socket()
    quotes = ReceiptQuotes(socket, clock, batch_ms=20)
    early = asyncio.create_task(quotes.quote(b"early"))
    await clock.advance(0.02)
    late = asyncio.create_task(quotes.quote(b"late"))
    await clock.advance(0.02)
    assert [told(await early), told(await late)] == [receipt_report_data(b"early"), receipt_report_data(b"late")]


async def test_a_batch_is_bounded(clock):
    socket = Socket()
    quotes = ReceiptQuotes(socket, clock, batch_ms=20)
    asking = [asyncio.create_task(quotes.quote(b"%d" % number)) for number in range(MAX_BATCH + 1)]
    await clock.advance(0.02)
    sizes = [found.batch.tree_size if found.batch else 1 for found in await asyncio.gather(*asking)]
    assert sizes == [MAX_BATCH] * MAX_BATCH + [1]


@pytest.mark.parametrize("batch_ms", [0, 20])
async def test_a_socket_that_comes_back_in_time_is_waited_for(clock, batch_ms):
    socket = Socket(TeeUnavailable("down"), TeeUnavailable("down"))
    asking = asyncio.create_task(ReceiptQuotes(socket, clock, batch_ms=batch_ms).quote(b"receipt"))
    await clock.advance(PATIENCE_S / 2)
    assert told(await asking) == receipt_report_data(b"receipt")
    assert len(socket.asked) == 3


@pytest.mark.parametrize("batch_ms", [0, 20])
@pytest.mark.parametrize("wrong", [TeeUnavailable("down"), b"garbage", b"", REAL_QUOTE, quote_with(bytes(64))])
async def test_a_receipt_goes_without_a_quote_when_the_socket_gives_none_of_use_in_time(clock, batch_ms, wrong):
    quotes = ReceiptQuotes(Socket(*[wrong] * 1_000), clock, batch_ms=batch_ms)
    asking = asyncio.create_task(quotes.quote(b"receipt"))
    await clock.advance(PATIENCE_S - 0.001)
    assert not asking.done()
    await clock.advance(0.001)
    assert await asking is None


@pytest.mark.parametrize("batch_ms", [0, 20])
async def test_a_socket_that_hangs_is_not_waited_for_longer(clock, batch_ms):
    silence = asyncio.get_running_loop().create_future()
    asking = asyncio.create_task(ReceiptQuotes(Socket(silence), clock, batch_ms=batch_ms).quote(b"receipt"))
    await clock.advance(PATIENCE_S)
    assert await asking is None
    await rest()
    assert silence.cancelled()
    assert len(asyncio.all_tasks()) == 1


async def test_who_gives_up_does_not_take_the_quote_from_the_others(clock):
    socket = Socket()
    quotes = ReceiptQuotes(socket, clock, batch_ms=20)
    one, other = (asyncio.create_task(quotes.quote(receipt)) for receipt in (b"one", b"other"))
    await rest()
    one.cancel()
    await clock.advance(0.02)
    found = await other
    assert root_from_path(b"other", 1, 2, found.batch.path) == Tree([b"one", b"other"]).root
    assert one.cancelled()


async def test_a_batch_that_nobody_waits_for_is_not_quoted_and_takes_nobody_in(clock):
    socket = Socket()
    quotes = ReceiptQuotes(socket, clock, batch_ms=20)
    gone = asyncio.create_task(quotes.quote(b"gone"))
    await rest()
    gone.cancel()
    await rest()
    asking = asyncio.create_task(quotes.quote(b"stays"))
    await clock.advance(0.02)
    assert told(await asking) == receipt_report_data(b"stays")
    assert len(socket.asked) == 1
