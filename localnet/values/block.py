"""Blocks: when something happened, and everything that happened in it. One chunk a block, because there is one shard."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from localnet.values.header import Header
from localnet.values.outcome import Outcome
from localnet.values.outcome_tree import OutcomeTree
from localnet.values.receipt import ActionReceipt, Receipt
from localnet.values.transaction import SignedTransaction


@dataclass(frozen=True, slots=True)
class ExecutedTransaction:
    """A transaction of a block; its outcome names the receipt it became."""

    signed: SignedTransaction
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ExecutedReceipt:
    """A receipt that ran in a block; `receipt.tx_hash` is the transaction it comes from."""

    receipt: ActionReceipt
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Block:
    """A block's contents, each in the order in which it was done."""

    header: Header
    transactions: tuple[ExecutedTransaction, ...]
    receipts: tuple[Receipt, ...]
    """What came in: made in earlier blocks, or (signer is receiver) by a transaction of this one."""
    executed: tuple[ExecutedReceipt, ...]
    outcome_tree: OutcomeTree = field(compare=False)
    """Over the outcomes of transactions and receipts; its root is in the next block's header."""

    @classmethod
    def of(
        cls,
        header: Header,
        transactions: Iterable[ExecutedTransaction] = (),
        receipts: Iterable[Receipt] = (),
        executed: Iterable[ExecutedReceipt] = (),
    ) -> Self:
        """A block of its contents."""
        transactions, executed = tuple(transactions), tuple(executed)
        outcomes = (*(each.outcome for each in transactions), *(each.outcome for each in executed))
        return cls(header, transactions, tuple(receipts), executed, OutcomeTree.of(outcomes))
