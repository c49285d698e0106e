"""
Quotes for receipts whose answers went out without one, once the socket gives quotes again.

What is quoted are bytes that this process has made, kept in its memory since; nothing is read back from the store for it. So a kill loses
the quotes that were to come, and never a receipt: that is stored with its answer. All that wait share one quote (RFC 6962), whatever
QUOTE_BATCH_MS says, so that a socket which is back for a moment is enough.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import structlog

from oracle.errors import StoreError, TeeError
from oracle.model.receipt import ReceiptQuote, SignedReceipt
from oracle.ports import Clock, Unquoted
from oracle.tee.quoting import ReceiptQuotes, within
from oracle.tee.waiting import MAX_WAITING, MAX_WAITING_BYTES, Late, Waiting

LAST_ATTEMPT_S = 2.0
"""How long a clean stop waits for a socket that may be back."""
FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 30.0

_log = structlog.get_logger()


class KeepQuotes(Protocol):
    """The store of receipts."""

    async def add_quote(self, receipt_sha256_hex: str, quote: ReceiptQuote) -> bool:
        """
        Keep the quote of a receipt that has none; False where there is no such receipt.

        Raises:
            StoreError
        """
        ...


class LateQuotes:
    """Told of every receipt that is stored; quotes those without a quote while `quoting` is entered."""

    def __init__(self, quotes: ReceiptQuotes, store: KeepQuotes, clock: Clock) -> None:
        self._quotes, self._store, self._clock = quotes, store, clock
        self._waiting = Waiting()
        self._given_up = 0
        self._news = asyncio.Event()

    @property
    def unquoted(self) -> Unquoted:
        """How many wait, and how many will never be quoted."""
        return Unquoted(len(self._waiting.receipts), self._given_up)

    def take(self, signed: SignedReceipt) -> None:
        """A receipt is stored, for the first time or again; with a quote it waits no more."""
        if signed.quote is not None:
            self._waiting = self._waiting.without(signed.receipt_sha256_hex)
            return
        late = Late(signed.request_id, signed.receipt_sha256_hex, signed.receipt, self._quotes.collateral_kept())
        self._waiting, over = self._waiting.taking(late)
        for lost in over:
            self._given_up += 1
            _log.error(
                "receipt_never_quoted",
                request_id=lost.request_id,
                receipt_sha256=lost.receipt_sha256_hex,
                reason=f"more than {MAX_WAITING:,} receipts, or {MAX_WAITING_BYTES:,} bytes of them, wait for the socket",
            )
        self._news.set()

    @asynccontextmanager
    async def quoting(self) -> AsyncIterator[None]:
        """Quote what waits while the block runs; after it there is one short attempt more."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if self._waiting.receipts:
                await within(self._clock, LAST_ATTEMPT_S, self._attempt())
            for lost in self._waiting.receipts:
                _log.error(
                    "receipt_never_quoted",
                    request_id=lost.request_id,
                    receipt_sha256=lost.receipt_sha256_hex,
                    reason="the worker stops, and a quote of it can be made by no other process",
                )

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            wait_s = FIRST_WAIT_S
            while self._waiting.receipts:
                await self._clock.sleep(wait_s)
                wait_s = FIRST_WAIT_S if await self._attempt() else min(2 * wait_s, LONGEST_WAIT_S)
            self._news.clear()

    async def _attempt(self) -> bool:
        """Ask socket and store once; whether both did what they should."""
        try:
            await self._keep()  # what the store did not take before does not wait for the socket
            await self._ask()
            await self._keep()
        except (TeeError, StoreError) as error:
            _log.warning("late_quotes_wait", receipts=len(self._waiting.receipts), reason=str(error))
            return False
        except Exception:  # noqa: BLE001  a fault of ours, which must not end the others' chance
            _log.exception("late_quotes_wait", receipts=len(self._waiting.receipts))
            return False
        return True

    async def _ask(self) -> None:
        asked = self._waiting.for_the_socket
        if asked:
            found = await self._quotes.quote_late(asked)
            self._waiting = self._waiting.quoted({late.receipt_sha256_hex: quote for late, quote in zip(asked, found, strict=True)})

    async def _keep(self) -> None:
        for late, quote in self._waiting.for_the_store:
            known = await self._store.add_quote(late.receipt_sha256_hex, quote)
            self._waiting = self._waiting.without(late.receipt_sha256_hex)
            _log.info("receipt_quoted_late", request_id=late.request_id, receipt_sha256=late.receipt_sha256_hex, kept=known)
