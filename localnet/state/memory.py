"""
A chain's keeper in memory. History is bounded: the oldest blocks are forgotten, as nodes do.

How many outcomes are kept bounds the blocks of a busy chain; their hashes stay, because transactions may still name them.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Any

from localnet.state.store import Changes
from localnet.state.tables import Key, Table
from localnet.values.block import Block
from localnet.values.hashes import CryptoHash
from localnet.values.header import Header
from localnet.values.merkle import PartialTree
from localnet.values.outcome import Outcome
from localnet.values.outcome_tree import OutcomeTree
from localnet.values.receipt import Receipt
from localnet.values.transaction import SignedTransaction

MOST_BLOCKS = 100_000
"""Above the 86,400 blocks for which a transaction may name a block."""
MOST_OUTCOMES = 50_000


class MemoryStore:
    """State, history and pool in dictionaries."""

    refused = None

    def __init__(self) -> None:
        self._rows: dict[tuple[Table, str], dict[bytes, Any]] = {}
        self._blocks: dict[int, Block] = {}
        self._heights: OrderedDict[bytes, int] = OrderedDict()
        self._transactions: dict[bytes, tuple[SignedTransaction, Outcome]] = {}
        self._receipts: dict[bytes, Receipt] = {}
        self._outcomes: dict[bytes, Outcome] = {}
        self._pool: dict[bytes, SignedTransaction] = {}
        self._produced: deque[tuple[CryptoHash, ...]] = deque()
        self._head: Header | None = None
        self._tree = PartialTree()
        self._nodes: dict[int, tuple[CryptoHash, ...]] = {}
        """By the height of the block that completed them, upwards: its own hash first."""
        self._first = 0

    def copy(self) -> "MemoryStore":
        """An independent store with the same contents; values are shared, because they never change."""
        twin = MemoryStore()
        twin._rows = {place: dict(rows) for place, rows in self._rows.items()}
        twin._blocks, twin._heights = dict(self._blocks), OrderedDict(self._heights)
        twin._transactions, twin._receipts = dict(self._transactions), dict(self._receipts)
        twin._outcomes, twin._pool = dict(self._outcomes), dict(self._pool)
        twin._produced, twin._head, twin._first = deque(self._produced), self._head, self._first
        twin._tree, twin._nodes = self._tree, dict(self._nodes)
        return twin

    def get(self, key: Key) -> Any:
        """A row's value, or None."""
        rows = self._rows.get((key[0], key[1]))
        return None if rows is None else rows.get(key[2])

    def scan(self, table: Table, owner: str, prefix: bytes) -> Iterable[tuple[bytes, Any]]:
        """An owner's rows whose sub begins so, in the order of sub."""
        rows = self._rows.get((table, owner), {})
        return sorted(((sub, value) for sub, value in rows.items() if sub.startswith(prefix)), key=lambda row: row[0])

    def commit(self, block: Block, changes: Changes, *, produced: Iterable[Receipt], leaving_pool: Iterable[CryptoHash]) -> None:
        """Append a block: its contents, the new receipts, the state's changes; and take transactions out of the pool."""
        for (table, owner, sub), value in changes.items():
            self._write(table, owner, sub, value)
        for receipt in produced:
            self._receipts[receipt.receipt_id] = receipt
        for executed in block.transactions:
            self._transactions[executed.signed.hash] = (executed.signed, executed.outcome)
        for run in block.executed:
            self._outcomes[run.outcome.id] = run.outcome
        for tx_hash in leaving_pool:
            self._pool.pop(tx_hash, None)
        self._append(block, tuple(receipt.receipt_id for receipt in produced))

    def _write(self, table: Table, owner: str, sub: bytes, value: Any) -> None:
        rows = self._rows.get((table, owner))
        if value is not None:
            if rows is None:
                rows = self._rows[table, owner] = {}
            rows[sub] = value
        elif rows is not None:
            rows.pop(sub, None)
            if not rows:
                del self._rows[table, owner]

    def _append(self, block: Block, produced: tuple[CryptoHash, ...]) -> None:
        self._head = block.header
        self._blocks[block.header.height] = block
        self._heights[block.header.hash] = block.header.height
        self._nodes[block.header.height] = nodes = self._tree.completed_by(block.header.hash)
        self._tree = self._tree.grown(nodes)
        self._produced.append(produced)
        while len(self._blocks) > MOST_BLOCKS or (len(self._outcomes) > MOST_OUTCOMES and len(self._blocks) > 1):
            self._forget_oldest()
        while len(self._heights) > MOST_BLOCKS:
            self._heights.popitem(last=False)

    def _forget_oldest(self) -> None:
        block = self._blocks.pop(self._first)
        self._first += 1
        for executed in block.transactions:
            del self._transactions[executed.signed.hash]
        for run in block.executed:
            del self._outcomes[run.outcome.id]
        for receipt_id in self._produced.popleft():
            del self._receipts[receipt_id]
        self._forget_nodes()

    def _forget_nodes(self) -> None:
        """Under a subtree of which every block is forgotten, no node stands in a proof any more: its own does."""
        first, half = self._first, 1
        while first % (2 * half) == 0:
            del self._nodes[first - half - 1]  # the left child; the right one is kept beside the node above it
            half *= 2

    def head(self) -> Header | None:
        """The last block's header; None before the genesis block."""
        return self._head

    def header(self, height: int) -> Header | None:
        """A header that is still kept."""
        block = self._blocks.get(height)
        return None if block is None else block.header

    def height_of(self, block_hash: bytes) -> int | None:
        """The height of a block that a transaction may name; the block itself may be forgotten."""
        return self._heights.get(block_hash)

    def block(self, height: int) -> Block | None:
        """A block that is still kept."""
        return self._blocks.get(height)

    def transaction(self, tx_hash: bytes) -> tuple[SignedTransaction, Outcome] | None:
        """A transaction of a kept block."""
        return self._transactions.get(tx_hash)

    def receipt(self, receipt_id: bytes) -> Receipt | None:
        """A receipt made in a kept block."""
        return self._receipts.get(receipt_id)

    def outcome(self, receipt_id: bytes) -> Outcome | None:
        """What a receipt led to, once it ran."""
        return self._outcomes.get(receipt_id)

    def outcome_tree(self, height: int) -> OutcomeTree | None:
        """The tree over the outcomes of a block that is still kept."""
        block = self._blocks.get(height)
        return None if block is None else block.outcome_tree

    def block_tree(self) -> PartialTree:
        """The tree over the hashes of all blocks, forgotten ones among them."""
        return self._tree

    def block_node(self, level: int, index: int) -> CryptoHash:
        """A node of that tree with all its leaves."""
        return self._nodes[((index + 1) << level) - 1][level]

    def add_pooled(self, transactions: Iterable[SignedTransaction]) -> None:
        """Keep accepted transactions until a block takes them."""
        self._pool.update((signed.hash, signed) for signed in transactions)

    def pooled(self) -> tuple[SignedTransaction, ...]:
        """The accepted transactions that no block has taken, oldest first."""
        return tuple(self._pool.values())

    def close(self) -> None:
        """Nothing to let go of."""
