"""What the worker learns from the chain, block by block."""

from dataclasses import dataclass
from typing import NewType

from oracle.model.request import Origin, Request

TxHash = NewType("TxHash", str)
"""Hash of a transaction, base58."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last block whose events are safely stored."""

    height: int
    block_hash: str


@dataclass(frozen=True, slots=True)
class Requested:
    """`execution_requested` was logged."""

    request: Request
    origin: Origin


@dataclass(frozen=True, slots=True)
class Completed:
    """
    `execution_completed` was logged, or the request is seen to be gone; nothing more is owed.

    `request_id` is None on contracts that do not tell it; `success` is None where the source of blocks does not tell it.
    """

    request_id: int | None
    success: bool | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Extended:
    """`execution_extended` was logged: the yield was renewed and its 200 blocks start again."""

    request_id: int
    block_height: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A log of the contract that looks like one of its events and cannot be read; recorded, never fatal."""

    block_height: int
    receipt_id: str
    reason: str
    log: str
    """At most the first 2,000 characters."""


@dataclass(frozen=True, slots=True)
class BlockEvents:
    """All that one block says to us; most say nothing, and still move the cursor."""

    cursor: Cursor
    timestamp_ns: int
    events: tuple[Requested | Completed | Extended | Unreadable, ...] = ()
