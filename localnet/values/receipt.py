"""Receipts: what the chain itself passes from account to account."""

from dataclasses import dataclass, replace
from typing import TypeAlias

from localnet.values.actions import Action
from localnet.values.hashes import CryptoHash
from localnet.values.keys import PublicKey


@dataclass(frozen=True, slots=True)
class DataReceiver:
    """Who awaits a receipt's result, under which data id."""

    data_id: CryptoHash
    receiver_id: str


@dataclass(frozen=True, slots=True)
class ActionReceipt:
    """Actions for the receiver, done when all input data has come."""

    receipt_id: CryptoHash
    predecessor_id: str
    receiver_id: str
    signer_id: str
    signer_public_key: PublicKey
    gas_price_yocto: int
    """At which the receipt's gas was bought; 0 for refunds."""
    output_data_receivers: tuple[DataReceiver, ...]
    input_data_ids: tuple[CryptoHash, ...]
    actions: tuple[Action, ...]
    tx_hash: CryptoHash
    """The transaction that it comes from: bookkeeping of this chain, no part of the receipt in nearcore."""
    is_promise_yield: bool = False
    refund_to: str | None = None
    """Who gets the deposits back when it fails; None: the predecessor."""

    def with_id(self, receipt_id: CryptoHash) -> "ActionReceipt":
        """The same receipt under its final id."""
        return replace(self, receipt_id=receipt_id)


@dataclass(frozen=True, slots=True)
class DataReceipt:
    """A result for a waiting receipt; `data` None says that the promise failed, or that a yield timed out."""

    receipt_id: CryptoHash
    predecessor_id: str
    receiver_id: str
    data_id: CryptoHash
    data: bytes | None
    tx_hash: CryptoHash
    is_promise_resume: bool = False

    def with_id(self, receipt_id: CryptoHash) -> "DataReceipt":
        """The same receipt under its final id."""
        return replace(self, receipt_id=receipt_id)


Receipt: TypeAlias = ActionReceipt | DataReceipt
