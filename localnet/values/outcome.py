"""What executing a transaction or a receipt led to."""

from dataclasses import dataclass
from typing import TypeAlias

from localnet.values.faults import ActionError
from localnet.values.hashes import CryptoHash


@dataclass(frozen=True, slots=True)
class SuccessValue:
    """Done, with the value that was returned (empty when none was)."""

    value: bytes


@dataclass(frozen=True, slots=True)
class SuccessReceiptId:
    """Done so far; the result is that of another receipt."""

    receipt_id: CryptoHash


@dataclass(frozen=True, slots=True)
class Failure:
    """Failed; nothing of it stands but the gas burnt."""

    error: ActionError


Status: TypeAlias = SuccessValue | SuccessReceiptId | Failure


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one transaction (`id` is its hash) or one receipt (`id` is the receipt's)."""

    id: CryptoHash
    block_hash: CryptoHash
    block_height: int
    executor_id: str
    logs: tuple[str, ...]
    receipt_ids: tuple[CryptoHash, ...]
    """Action and yield receipts that came of it, refunds among them; data receipts are not listed."""
    gas_burnt: int
    tokens_burnt_yocto: int
    status: Status
