"""What keeps a chain: its state, its history and the transactions that wait. One interface, in memory or in a directory."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias

from localnet.state.tables import Key, Table
from localnet.values.block import Block
from localnet.values.hashes import CryptoHash
from localnet.values.header import Header
from localnet.values.merkle import PartialTree
from localnet.values.outcome import Outcome
from localnet.values.outcome_tree import OutcomeTree
from localnet.values.receipt import Receipt
from localnet.values.transaction import SignedTransaction

Changes: TypeAlias = Mapping[Key, Any]
"""Rows to write; None removes a row."""


class StateError(Exception):
    """The directory cannot be used as it is; the text says why and what to do."""


class HomeLocked(StateError):
    """Another process has the directory open."""


class UnknownVersion(StateError):
    """The directory was written by another version of this program."""


class Store(Protocol):
    """What the chain needs of its keeper. A commit is all or nothing; writing raises `StateError` when the disk is full."""

    @property
    def refused(self) -> str | None:
        """Why the last write failed, in `StateError`'s words; None when it went through."""
        ...

    def get(self, key: Key) -> Any:
        """A row's value, or None."""
        ...

    def scan(self, table: Table, owner: str, prefix: bytes) -> Iterable[tuple[bytes, Any]]:
        """An owner's rows whose sub begins so, in the order of sub."""
        ...

    def commit(self, block: Block, changes: Changes, *, produced: Iterable[Receipt], leaving_pool: Iterable[CryptoHash]) -> None:
        """Append a block: its contents, the new receipts, the state's changes; and take transactions out of the pool."""
        ...

    def head(self) -> Header | None:
        """The last block's header; None before the genesis block."""
        ...

    def header(self, height: int) -> Header | None:
        """A header that is still kept."""
        ...

    def height_of(self, block_hash: bytes) -> int | None:
        """The height of a block that a transaction may name; the block itself may be forgotten."""
        ...

    def block(self, height: int) -> Block | None:
        """A block that is still kept."""
        ...

    def transaction(self, tx_hash: bytes) -> tuple[SignedTransaction, Outcome] | None:
        """A transaction of a kept block."""
        ...

    def receipt(self, receipt_id: bytes) -> Receipt | None:
        """A receipt made in a kept block."""
        ...

    def outcome(self, receipt_id: bytes) -> Outcome | None:
        """What a receipt led to, once it ran."""
        ...

    def outcome_tree(self, height: int) -> OutcomeTree | None:
        """The tree over the outcomes of a block that is still kept."""
        ...

    def block_tree(self) -> PartialTree:
        """The tree over the hashes of all blocks, forgotten ones among them."""
        ...

    def block_node(self, level: int, index: int) -> CryptoHash:
        """A node of that tree with all its leaves; it stands in the proof of a block that is still kept, or is such a block's hash."""
        ...

    def add_pooled(self, transactions: Iterable[SignedTransaction]) -> None:
        """Keep accepted transactions, all or none, until a block takes them."""
        ...

    def pooled(self) -> tuple[SignedTransaction, ...]:
        """The accepted transactions that no block has taken, oldest first."""
        ...

    def close(self) -> None:
        """Let go of the directory."""
        ...
