"""A transaction with all that has come of it so far."""

import json
from dataclasses import dataclass
from typing import Any, Self

from localnet.values.errors import ExecutionFailed
from localnet.values.faults import ActionError
from localnet.values.hashes import CryptoHash, hash_to_text
from localnet.values.outcome import Failure, Outcome, SuccessReceiptId, SuccessValue
from localnet.values.receipt import ActionReceipt
from localnet.values.transaction import SignedTransaction


@dataclass(frozen=True, slots=True, repr=False)
class FinalOutcome:
    """The transaction's outcome, then its receipts' in the order in which one led to another (depth first)."""

    signed: SignedTransaction
    transaction_outcome: Outcome
    receipts: tuple[ActionReceipt, ...]
    """All of them, run or not, in the order of their outcomes."""
    receipt_outcomes: tuple[Outcome, ...]
    pending: tuple[CryptoHash, ...]
    """Receipts that have not run: on their way, or waiting for a result or a resume."""

    def __repr__(self) -> str:
        """Short, for the reports of failed tests."""
        run = len(self.receipt_outcomes)
        return f"FinalOutcome({hash_to_text(self.hash)}, {self.status}, {run} receipts run, {len(self.pending)} pending, logs={self.logs})"

    @property
    def hash(self) -> CryptoHash:
        """The transaction's."""
        return self.signed.hash

    @property
    def status(self) -> SuccessValue | Failure | None:
        """What the transaction came to: the first receipt's result, or that of the receipt it points to; None: not known yet."""
        outcomes = {outcome.id: outcome for outcome in self.receipt_outcomes}
        current: Outcome | None = self.transaction_outcome
        while current is not None:
            if not isinstance(current.status, SuccessReceiptId):
                return current.status
            current = outcomes.get(current.status.receipt_id)
        return None

    @property
    def succeeded(self) -> bool:
        """Whether the result is there and is no failure."""
        return isinstance(self.status, SuccessValue)

    @property
    def failure(self) -> ActionError | None:
        """Why it failed; None when it did not, or not yet."""
        status = self.status
        return status.error if isinstance(status, Failure) else None

    @property
    def value(self) -> bytes:
        """
        What was returned; empty when nothing was.

        Raises:
            ExecutionFailed: it failed.
            ValueError: the result is not there yet.
        """
        match self.status:
            case SuccessValue(value):
                return value
            case Failure(error):
                raise ExecutionFailed(error, self.hash)
            case None:
                raise ValueError("the transaction has no result yet: a receipt it points to has not run")

    def json(self) -> Any:
        """The returned value, read as JSON. Raises what `value` does, and `ValueError` when it is no JSON."""
        return json.loads(self.value)

    def raise_for_failure(self) -> Self:
        """
        Hand itself back.

        Raises:
            ExecutionFailed: the transaction failed.
        """
        if (error := self.failure) is not None:
            raise ExecutionFailed(error, self.hash)
        return self

    @property
    def logs(self) -> tuple[str, ...]:
        """Of all receipts, in the order of their outcomes."""
        return tuple(log for outcome in self.receipt_outcomes for log in outcome.logs)

    @property
    def gas_burnt(self) -> int:
        """By the transaction and all its receipts."""
        return self.transaction_outcome.gas_burnt + sum(outcome.gas_burnt for outcome in self.receipt_outcomes)

    @property
    def tokens_burnt_yocto(self) -> int:
        """By the transaction and all its receipts."""
        return self.transaction_outcome.tokens_burnt_yocto + sum(outcome.tokens_burnt_yocto for outcome in self.receipt_outcomes)
