"""
Receipts that went out without a quote and wait for one, in the order in which they came.

Bounded in number and size, for a socket may be away for long: what is over the bounds costs the oldest. `oracle.tee.late` performs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from oracle.model.receipt import ReceiptQuote
from oracle.tee.collateral import Collateral
from oracle.tee.pcs import Wanted

MAX_WAITING = 1_024
MAX_WAITING_BYTES = 16 * 1024 * 1024
"""Of receipts; one has about 1.5 KiB, and at most 128."""


@dataclass(frozen=True, slots=True)
class Late:
    """
    A receipt's exact bytes, as they were made in this process.

    `collateral`: what was good when it was made, by platform, for it is judged as of then. `quote`: None until the socket gives one; then
    it waits for the store.
    """

    request_id: int
    receipt_sha256_hex: str
    receipt: bytes = field(repr=False)
    collateral: Mapping[Wanted, Collateral] = field(default_factory=dict, repr=False)
    quote: ReceiptQuote | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """All of them, oldest first."""

    receipts: tuple[Late, ...] = ()

    def taking(self, late: Late) -> tuple["Waiting", tuple[Late, ...]]:
        """With one more, and those that are given up for it; one that waits already changes nothing."""
        if any(known.receipt_sha256_hex == late.receipt_sha256_hex for known in self.receipts):
            return self, ()
        receipts = (*self.receipts, late)
        size, over = sum(len(known.receipt) for known in receipts), 0
        while len(receipts) - over > MAX_WAITING or size > MAX_WAITING_BYTES:
            size, over = size - len(receipts[over].receipt), over + 1
        return Waiting(receipts[over:]), receipts[:over]

    @property
    def for_the_socket(self) -> tuple[Late, ...]:
        """Those without a quote."""
        return tuple(late for late in self.receipts if late.quote is None)

    @property
    def for_the_store(self) -> tuple[tuple[Late, ReceiptQuote], ...]:
        """Those whose quote is not stored yet."""
        return tuple((late, late.quote) for late in self.receipts if late.quote is not None)

    def quoted(self, quotes: Mapping[str, ReceiptQuote]) -> "Waiting":
        """With quotes, by their receipts' sha256; quotes of receipts that were given up meanwhile are of no use."""
        return Waiting(tuple(replace(late, quote=quotes.get(late.receipt_sha256_hex, late.quote)) for late in self.receipts))

    def without(self, receipt_sha256_hex: str) -> "Waiting":
        """One is done with."""
        return Waiting(tuple(late for late in self.receipts if late.receipt_sha256_hex != receipt_sha256_hex))
