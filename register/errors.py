"""
Why a registration does not come about, beside what `oracle.errors` has: trouble that may pass, evidence that is refused, wrong settings.
"""

from oracle.errors import TeeError
from oracle.model import Measurements, TxHash


class RegistrationRefused(TeeError):
    """The contract will not take, or did not take, this registration; trying again as it is changes nothing."""


class NotApproved(RegistrationRefused):
    """
    The contract's owner has not approved this software.

    `measurements` are those of the machine; `str()` shows all five and the commands with which the owner approves them.
    """

    def __init__(self, sentence: str, measurements: Measurements) -> None:
        super().__init__(sentence)
        self.measurements = measurements


class CallFailed(RegistrationRefused):
    """A transaction was executed and failed; `reason` is the contract's, for people."""

    def __init__(self, transaction_hash: TxHash, reason: str) -> None:
        super().__init__(f"transaction {transaction_hash} failed: {reason}")
        self.transaction_hash, self.reason = transaction_hash, reason


class Revoked(RegistrationRefused):
    """The owner has revoked the key, for ever."""
