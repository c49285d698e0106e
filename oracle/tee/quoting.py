"""
Quotes for receipts: one each, or one for all that become ready within a moment.

A socket that is down holds a receipt back for a bounded time, well inside the yield of a request that was answered at the last moment; then
the receipt goes out without a quote, because the caller must hear, and is quoted later (`oracle.tee.late`). What is quoted are bytes that
this process has made.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeVar

import structlog

from oracle.errors import EvidenceRefused, TeeError
from oracle.model import Attestation
from oracle.model.receipt import BatchProof, ReceiptQuote
from oracle.ports import Clock
from oracle.tee.collateral import Collateral
from oracle.tee.merkle import Tree
from oracle.tee.pcs import Wanted
from oracle.tee.quote import parse_quote
from oracle.tee.receipt import batch_report_data, receipt_report_data
from oracle.tee.verify import platform_of
from oracle.tee.waiting import Late

PATIENCE_S = 8.0
"""A request is answered 30 blocks before its yield ends at the latest; at 0.6 s a block this leaves the answer half of them."""
MAX_BATCH = 1_024

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 2.0

_log = structlog.get_logger()
_T = TypeVar("_T")


class AskForQuotes(Protocol):
    """The machine's socket."""

    async def quote(self, report_data: bytes) -> Attestation:
        """
        A quote with this REPORTDATA (64 bytes) and the event log.

        Raises:
            TeeUnavailable, EvidenceRefused
        """
        ...


class HaveCollateral(Protocol):
    """What is kept of Intel's word."""

    def at_hand(self, raw: bytes) -> Collateral | None:
        """
        Collateral of a quote's platform, without waiting for anybody.

        Raises:
            EvidenceRefused: the quote does not name its platform.
        """
        ...

    def kept(self) -> Mapping[Wanted, Collateral]:
        """All that is good now, by platform."""
        ...


class ReceiptQuotes:
    """
    Gets receipts quoted.

    `batch_ms`: how long a receipt waits for others to share a quote with; 0 gives each its own. `collateral`: None leaves it to who exports
    the receipt.
    """

    def __init__(self, socket: AskForQuotes, clock: Clock, *, batch_ms: int = 0, collateral: HaveCollateral | None = None) -> None:
        self._socket, self._clock, self._batch_s, self._collateral = socket, clock, batch_ms / 1_000, collateral
        self._batch: _Batch | None = None

    async def quote(self, receipt: bytes) -> ReceiptQuote | None:
        """The quote that covers a receipt's exact bytes; None when the socket gave none in time."""
        asking = self._quote_alone(receipt) if not self._batch_s else self._quote_together(receipt)
        found = await within(self._clock, PATIENCE_S, asking)
        if found is None:
            _log.warning("receipt_without_quote", waited_s=PATIENCE_S)
        return found

    async def quote_late(self, asked: Sequence[Late]) -> list[ReceiptQuote]:
        """
        One quote for receipts that were made before, by one attempt.

        Each gets the collateral that was good when it was made, where there was some of this platform, else that of now.

        Raises:
            TeeUnavailable, EvidenceRefused: the socket gives none, or one of no use.
        """
        batch = _Batch([late.receipt for late in asked])
        found = await self._ask(batch.report_data())
        platform, today = _platform(found.quote), self._collateral_of(found.quote)
        then = [None if platform is None else late.collateral.get(platform) for late in asked]
        return [
            ReceiptQuote(found.quote, found.event_log, batch.proof(index), today if kept is None else kept.to_json())
            for index, kept in enumerate(then)
        ]

    def collateral_kept(self) -> Mapping[Wanted, Collateral]:
        """What there is of Intel's word now."""
        return {} if self._collateral is None else self._collateral.kept()

    async def _quote_alone(self, receipt: bytes) -> ReceiptQuote:
        found = await self._insist(receipt_report_data(receipt))
        return ReceiptQuote(found.quote, found.event_log, collateral_json=self._collateral_of(found.quote))

    async def _quote_together(self, receipt: bytes) -> ReceiptQuote:
        batch = self._batch
        if batch is None:
            batch = self._batch = _Batch()
            batch.asking = asyncio.create_task(self._ask_for(batch))
        index = len(batch.receipts)
        batch.receipts.append(receipt)
        if len(batch.receipts) == MAX_BATCH:
            self._close(batch)
        batch.waiting += 1
        try:
            found = await asyncio.shield(batch.asking)
        finally:
            batch.waiting -= 1
            if not batch.waiting:  # nobody hears what comes of it
                self._close(batch)
                batch.asking.cancel()
        return ReceiptQuote(found.quote, found.event_log, batch.proof(index), self._collateral_of(found.quote))

    def _collateral_of(self, quote: bytes) -> str | None:
        """A bundle that is exported later has to speak of this moment."""
        try:
            found = None if self._collateral is None else self._collateral.at_hand(quote)
        except EvidenceRefused as error:
            _log.warning("receipt_without_collateral", reason=str(error))
            return None
        return None if found is None else found.to_json()

    async def _ask_for(self, batch: "_Batch") -> Attestation:
        await self._clock.sleep(self._batch_s)
        self._close(batch)
        return await self._insist(batch.report_data())

    def _close(self, batch: "_Batch") -> None:
        """No more receipts join it."""
        if self._batch is batch:
            self._batch = None

    async def _insist(self, report_data: bytes) -> Attestation:
        """Ask until there is a quote; whoever waits gives up by itself."""
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                return await self._ask(report_data)
            except TeeError as error:
                _log.warning("quote_not_had", reason=str(error))
            await self._clock.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _ask(self, report_data: bytes) -> Attestation:
        found = await self._socket.quote(report_data)
        if parse_quote(found.quote).report.report_data != report_data:
            raise EvidenceRefused("the socket gave a quote with another report data than was asked for")
        return found


async def within(clock: Clock, patience_s: float, work: Coroutine[Any, Any, _T]) -> _T | None:
    """What the work gives; None, and the work ended, when it takes longer."""
    working, patience = asyncio.ensure_future(work), asyncio.ensure_future(clock.sleep(patience_s))
    try:
        await asyncio.wait({working, patience}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        patience.cancel()
        await asyncio.gather(working, patience, return_exceptions=True)


def _platform(raw: bytes) -> Wanted | None:
    """Whose collateral a quote needs."""
    quote = parse_quote(raw)
    try:
        return Wanted(quote.report.kind, *platform_of(quote))
    except EvidenceRefused:
        return None  # `_collateral_of` says so


class _Batch:
    """Receipts that wait for one quote, in the order in which they came."""

    def __init__(self, receipts: Sequence[bytes] = ()) -> None:
        self.receipts = list(receipts)
        self.waiting = 0
        self.asking: asyncio.Task[Attestation]

    @cached_property
    def tree(self) -> Tree:
        """Over the receipts, once no more join."""
        return Tree(self.receipts)

    def report_data(self) -> bytes:
        """What the quote must carry; a receipt that stayed alone is quoted as such."""
        return receipt_report_data(self.receipts[0]) if len(self.receipts) == 1 else batch_report_data(self.tree.root)

    def proof(self, index: int) -> BatchProof | None:
        """Of a receipt's place; None where it stayed alone."""
        return None if self.tree.size == 1 else BatchProof(self.tree.size, index, self.tree.path(index))
