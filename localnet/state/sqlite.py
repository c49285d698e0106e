"""
A chain's keeper in a SQLite file: a block is one transaction of the database, so that a killed process leaves whole blocks only.

Rows are read on demand through a bounded cache; history is kept for good and read from the file.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from localnet.state import history_codec as codec
from localnet.state.schema import prepare
from localnet.state.store import Changes, StateError
from localnet.state.tables import CODECS, Key, Table
from localnet.values.block import Block, ExecutedReceipt, ExecutedTransaction
from localnet.values.hashes import CryptoHash
from localnet.values.header import Header
from localnet.values.merkle import PartialTree
from localnet.values.outcome import Outcome
from localnet.values.outcome_tree import OutcomeTree
from localnet.values.receipt import ActionReceipt, Receipt
from localnet.values.receipt_codec import read_outcome, read_receipt, write_outcome, write_receipt
from localnet.values.transaction import SignedTransaction, read_signed_transaction

_CACHED_ROWS = 20_000
_CACHED_BYTES = 64 * 2**20
_CACHED_TREES = 64
"""Of the newest blocks: whoever waits for a transaction asks for the paths of its outcomes."""
_ABSENT = object()


class SqliteStore:
    """State, history and pool in one file; `lock` is held open as long as the store is."""

    def __init__(self, path: Path, lock: IO[str]) -> None:
        self._path, self._lock = path, lock
        self.refused: str | None = None
        self._cache: OrderedDict[Key, tuple[Any, int]] = OrderedDict()
        self._cached_bytes = 0
        self._outcome_trees: OrderedDict[int, OutcomeTree] = OrderedDict()
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("pragma journal_mode = wal")
            # A killed process loses nothing with NORMAL; only a failing machine may lose the last blocks, never half of one.
            self._db.execute("pragma synchronous = normal")
            prepare(self._db, path)
            self._head = self._read_head()
            self._tree = PartialTree.of_size(0 if self._head is None else self._head.height + 1, self.block_node)
        except sqlite3.OperationalError as error:
            # The file may be sound: a full disk and missing rights end here too, so nothing is said of removing it.
            raise StateError(f"{path} cannot be opened ({error}); see that its directory is yours and its disk has room") from error
        except sqlite3.DatabaseError as error:
            raise StateError(f"{path} cannot be read as a chain ({error}); remove its directory to begin anew") from error

    def _read_head(self) -> Header | None:
        row = self._db.execute("select header from block order by height desc limit 1").fetchone()
        return None if row is None else codec.read_header(row[0])

    def get(self, key: Key) -> Any:
        """A row's value, or None."""
        cached = self._cache.get(key)
        if cached is not None:
            self._cache.move_to_end(key)
            return None if cached[0] is _ABSENT else cached[0]
        row = self._db.execute("select value from state where tab = ? and owner = ? and sub = ?", key).fetchone()
        if row is None:
            self._remember(key, _ABSENT, 0)
            return None
        value = CODECS[key.table].read(row[0])
        self._remember(key, value, len(row[0]))
        return value

    def _remember(self, key: Key, value: Any, size: int) -> None:
        self._forget(key)
        self._cache[key] = (value, size)
        self._cached_bytes += size
        while len(self._cache) > _CACHED_ROWS or self._cached_bytes > _CACHED_BYTES:
            _, (_, old_size) = self._cache.popitem(last=False)
            self._cached_bytes -= old_size

    def _forget(self, key: Key) -> None:
        if (old := self._cache.pop(key, None)) is not None:
            self._cached_bytes -= old[1]

    def scan(self, table: Table, owner: str, prefix: bytes) -> Iterable[tuple[bytes, Any]]:
        """An owner's rows whose sub begins so, in the order of sub."""
        read = CODECS[table].read
        rows = self._db.execute(
            "select sub, value from state where tab = ? and owner = ? and sub >= ? order by sub", (table, owner, prefix)
        )
        for sub, value in rows:
            if not sub.startswith(prefix):
                rows.close()
                return
            yield sub, read(value)

    def commit(self, block: Block, changes: Changes, *, produced: Iterable[Receipt], leaving_pool: Iterable[CryptoHash]) -> None:
        """Append a block: its contents, the new receipts, the state's changes; and take transactions out of the pool."""
        written = {key: None if value is None else CODECS[key.table].write(value) for key, value in changes.items()}
        nodes = self._tree.completed_by(block.header.hash)
        with self._writing():
            self._write_state(written)
            self._write_history(block, nodes, produced)
            self._db.executemany("delete from pool where hash = ?", ((tx_hash,) for tx_hash in leaving_pool))
        self._head, self._tree = block.header, self._tree.grown(nodes)
        self._remember_tree(block.header.height, block.outcome_tree)
        for key, value in changes.items():
            data = written[key]
            self._remember(key, _ABSENT if data is None else value, len(data or b""))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All or nothing. Raises `StateError` when the file cannot be written."""
        try:
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise
        except sqlite3.Error as error:
            self.refused = f"{self._path} cannot be written ({error}); nothing of it is lost: make room, and go on"
            raise StateError(self.refused) from error
        self.refused = None

    def _write_state(self, written: dict[Key, bytes | None]) -> None:
        self._db.executemany(
            "insert or replace into state values (?, ?, ?, ?)",
            ((*key, data) for key, data in written.items() if data is not None),
        )
        self._db.executemany(
            "delete from state where tab = ? and owner = ? and sub = ?", (key for key, data in written.items() if data is None)
        )

    def _write_history(self, block: Block, nodes: Iterable[CryptoHash], produced: Iterable[Receipt]) -> None:
        db, header = self._db, block.header
        db.execute(
            "insert into block values (?, ?, ?, ?, ?)",
            (
                header.height,
                header.hash,
                codec.write_header(header),
                codec.write_contents(block),
                codec.write_nodes(nodes),
            ),
        )
        db.executemany(
            "insert into tx values (?, ?, ?)",
            ((done.signed.hash, done.signed.encoded, write_outcome(done.outcome)) for done in block.transactions),
        )
        db.executemany("insert into receipt values (?, ?)", ((made.receipt_id, write_receipt(made)) for made in produced))
        db.executemany("insert into outcome values (?, ?)", ((run.outcome.id, write_outcome(run.outcome)) for run in block.executed))

    def head(self) -> Header | None:
        """The last block's header; None before the genesis block."""
        return self._head

    def header(self, height: int) -> Header | None:
        """A header that is still kept."""
        row = self._one("select header from block where height = ?", height)
        return None if row is None else codec.read_header(row[0])

    def height_of(self, block_hash: bytes) -> int | None:
        """The height of a block that is still kept."""
        row = self._one("select height from block where hash = ?", block_hash)
        return None if row is None else int(row[0])

    def block(self, height: int) -> Block | None:
        """A block that is still kept."""
        row = self._one("select header, contents from block where height = ?", height)
        if row is None:
            return None
        contents = codec.read_contents(row[1])
        transactions = [ExecutedTransaction(*self._known(self.transaction(tx_hash))) for tx_hash in contents.transactions]
        executed = [self._executed(receipt_id) for receipt_id in contents.executed]
        receipts = tuple(self._known(self.receipt(receipt_id)) for receipt_id in contents.receipts)
        return Block(codec.read_header(row[0]), tuple(transactions), receipts, tuple(executed), contents.outcome_tree)

    def _executed(self, receipt_id: CryptoHash) -> ExecutedReceipt:
        receipt = self.receipt(receipt_id)
        assert isinstance(receipt, ActionReceipt)
        return ExecutedReceipt(receipt, self._known(self.outcome(receipt_id)))

    @staticmethod
    def _known(value: Any) -> Any:
        assert value is not None
        return value

    def _one(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        try:
            row: tuple[Any, ...] | None = self._db.execute(query, values).fetchone()
        except OverflowError:  # a height beyond SQLite's integers
            return None
        return row

    def transaction(self, tx_hash: bytes) -> tuple[SignedTransaction, Outcome] | None:
        """A transaction of a kept block."""
        row = self._one("select signed, outcome from tx where hash = ?", tx_hash)
        return None if row is None else (read_signed_transaction(row[0]), read_outcome(row[1]))

    def receipt(self, receipt_id: bytes) -> Receipt | None:
        """A receipt made in a kept block."""
        row = self._one("select receipt from receipt where id = ?", receipt_id)
        return None if row is None else read_receipt(row[0])

    def outcome(self, receipt_id: bytes) -> Outcome | None:
        """What a receipt led to, once it ran."""
        row = self._one("select outcome from outcome where id = ?", receipt_id)
        return None if row is None else read_outcome(row[0])

    def outcome_tree(self, height: int) -> OutcomeTree | None:
        """The tree over the outcomes of a block that is still kept."""
        tree = self._outcome_trees.get(height)
        if tree is None:
            row = self._one("select contents from block where height = ?", height)
            if row is None:
                return None
            tree = codec.read_contents(row[0]).outcome_tree
            self._remember_tree(height, tree)
        return tree

    def _remember_tree(self, height: int, tree: OutcomeTree) -> None:
        self._outcome_trees[height] = tree
        if len(self._outcome_trees) > _CACHED_TREES:
            self._outcome_trees.popitem(last=False)

    def block_tree(self) -> PartialTree:
        """The tree over the hashes of all blocks."""
        return self._tree

    def block_node(self, level: int, index: int) -> CryptoHash:
        """A node of that tree with all its leaves; it is kept with the last of them."""
        (nodes,) = self._known(self._one("select nodes from block where height = ?", ((index + 1) << level) - 1))
        return codec.read_node(nodes, level)

    def add_pooled(self, transactions: Iterable[SignedTransaction]) -> None:
        """Keep accepted transactions, all or none, until a block takes them."""
        with self._writing():
            self._db.executemany(
                "insert or ignore into pool (hash, signed) values (?, ?)", ((signed.hash, signed.encoded) for signed in transactions)
            )

    def pooled(self) -> tuple[SignedTransaction, ...]:
        """The accepted transactions that no block has taken, oldest first."""
        rows = self._db.execute("select signed from pool order by place")
        return tuple(read_signed_transaction(signed) for (signed,) in rows)

    def close(self) -> None:
        """Let go of the directory."""
        self._db.close()
        self._lock.close()
