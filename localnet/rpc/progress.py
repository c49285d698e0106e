"""How far a transaction has got, in the words of nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from localnet.chain import Chain
from localnet.values import account_id
from localnet.values.errors import UnknownTransaction
from localnet.values.final_outcome import FinalOutcome
from localnet.values.hashes import CryptoHash
from localnet.values.merkle import MerklePath


class WaitUntil(StrEnum):
    """nearcore's `TxExecutionStatus`. Every block of this chain is final at once, so that it never reports the optimistic ones."""

    NONE = "NONE"
    INCLUDED = "INCLUDED"
    EXECUTED_OPTIMISTIC = "EXECUTED_OPTIMISTIC"
    INCLUDED_FINAL = "INCLUDED_FINAL"
    EXECUTED = "EXECUTED"
    FINAL = "FINAL"

    def satisfies(self, wanted: "WaitUntil") -> bool:
        """Whether a transaction that got this far got as far as wanted."""
        return wanted is WaitUntil.NONE or self in _ENOUGH[wanted]


_EXECUTED = frozenset({WaitUntil.EXECUTED, WaitUntil.FINAL})
_INCLUDED = _EXECUTED | {WaitUntil.INCLUDED_FINAL}
_ENOUGH = {
    WaitUntil.INCLUDED: _INCLUDED,
    WaitUntil.INCLUDED_FINAL: _INCLUDED,
    WaitUntil.EXECUTED_OPTIMISTIC: _EXECUTED,
    WaitUntil.EXECUTED: _EXECUTED,
    WaitUntil.FINAL: frozenset({WaitUntil.FINAL}),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """A transaction at one moment."""

    height: int
    """The latest block when it was looked at."""
    outcome: FinalOutcome | None
    """None: it waits for a block."""
    paths: Mapping[CryptoHash, MerklePath]
    """By the ids of its outcomes."""

    @property
    def status(self) -> WaitUntil:
        """How far it got. Refunds may be on their way when it is executed."""
        if self.outcome is None:
            return WaitUntil.NONE
        if not self.outcome.pending:
            return WaitUntil.FINAL
        refunds = {receipt.receipt_id for receipt in self.outcome.receipts if receipt.predecessor_id == account_id.SYSTEM}
        return WaitUntil.EXECUTED if refunds.issuperset(self.outcome.pending) else WaitUntil.INCLUDED_FINAL


def progress_of(tx_hash: CryptoHash, chain: Chain) -> Progress:
    """
    Look at a transaction.

    Raises:
        UnknownTransaction: it was never accepted.
        InvalidTransaction: it was accepted, but a block refused it.
    """
    try:
        outcome = chain.transaction(tx_hash)
    except UnknownTransaction:
        if chain.is_waiting(tx_hash):
            return Progress(chain.head.height, None, {})
        raise
    paths = {each.id: chain.outcome_path(each) for each in (outcome.transaction_outcome, *outcome.receipt_outcomes)}
    return Progress(chain.head.height, outcome, paths)
