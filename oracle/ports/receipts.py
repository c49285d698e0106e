"""Receipts: what is said in the worker's name of an execution."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from oracle.model import Answer, Job
from oracle.model.receipt import SignedReceipt


class MakeReceipts(Protocol):
    """Says in the worker's name what an execution was."""

    @property
    def is_attested(self) -> bool:
        """Whether quotes vouch for the software: then what another process left on the disk is not to be said in its name."""
        ...

    async def make(self, job: Job, answer: Answer, kept: Sequence[SignedReceipt] = ()) -> SignedReceipt:
        """
        Make the receipt of a job that is answered, as the contract will be told: sign it, and have it quoted where there is a TEE.

        `kept`: receipts made for it before; one that says the same and is signed with the key held now is given again. A quote is waited
        for a bounded time.

        Raises:
            EvidenceRefused: there can be no receipt of this.
        """
        ...


Vouch = Callable[[Answer], Awaitable[SignedReceipt | None]]
"""Makes the receipt of an answer, or says None where there can be none: the caller has to hear all the same."""
