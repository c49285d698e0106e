"""Both keepers keep the same promises."""

import pytest

from localnet.state import memory, sqlite
from localnet.state.memory import MemoryStore
from localnet.state.sqlite import SqliteStore
from localnet.state.store import StateError
from localnet.state.tables import Account, Key, ReceivedData, Table, YieldTimeout
from localnet.state.world import World
from localnet.values.actions import AccessKey, FullAccess, FunctionCallPermission
from localnet.values.block import Block, ExecutedReceipt
from localnet.values.hashes import CryptoHash
from localnet.values.header import Terms, first_header, make_header
from localnet.values.keys import KeyPair
from localnet.values.outcome import Outcome, SuccessValue
from localnet.values.receipt import ActionReceipt
from localnet.values.transaction import Transaction

KEY = KeyPair.from_seed("a")
ID = CryptoHash(bytes(range(32)))
ROWS = {
    Key(Table.ACCOUNT, "a", b""): Account(2**128 - 1, 5, 2**64 - 1, ID),
    Key(Table.ACCESS_KEY, "a", KEY.public_key.raw): AccessKey(7, FunctionCallPermission(5, "c", ("m",))),
    Key(Table.ACCESS_KEY, "a", bytes(32)): AccessKey(7, FullAccess()),
    Key(Table.CODE, "a", b""): b"code",
    Key(Table.DATA, "a", b"k1"): b"",
    Key(Table.DATA, "a", b"k2"): b"v2",
    Key(Table.DATA, "a", b"l"): b"v",
    Key(Table.DATA, "ab", b"k"): b"of another",
    Key(Table.RECEIVED_DATA, "a", ID): ReceivedData(None),
    Key(Table.RECEIVED_DATA, "b", ID): ReceivedData(b""),
    Key(Table.AWAITING, "a", ID): ID,
    Key(Table.PENDING_COUNT, "a", ID): 3,
    Key(Table.YIELD_TIMEOUT, "", bytes(8)): YieldTimeout(9, "a", ID),
    Key(Table.COUNTER, "", b"burnt"): 2**130,
}


def open_sqlite(directory):
    return SqliteStore(directory / "chain.sqlite", (directory / "lock").open("w"))


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    made = MemoryStore() if request.param == "memory" else open_sqlite(tmp_path)
    yield made
    made.close()


def ran(number):
    receipt = ActionReceipt(CryptoHash(bytes([number]) * 32), "a", "b", "a", KEY.public_key, 0, (), (), (), ID)
    return ExecutedReceipt(receipt, Outcome(receipt.receipt_id, ID, number, "b", (), (), 0, 0, SuccessValue(b"")))


def append(store, changes=None, leaving=(), outcomes=()):
    head = store.head()
    if head is None:
        header = first_header("x", timestamp_ns=1, contents=b"", terms=Terms(88, 1, 1))
    else:
        roots = {"chunk_outcome_root": store.outcome_tree(head.height).root, "block_merkle_root": store.block_tree().root}
        header = make_header(head, timestamp_ns=2, contents=b"", **roots)
    executed = tuple(ran(number) for number in outcomes)
    store.commit(Block.of(header, executed=executed), changes or {}, produced=(), leaving_pool=leaving)
    return header


def test_rows_of_every_table_come_back(store, tmp_path):
    append(store, ROWS)
    assert {key: store.get(key) for key in ROWS} == ROWS
    if isinstance(store, SqliteStore):
        store.close()
        reopened = open_sqlite(tmp_path)
        assert {key: reopened.get(key) for key in ROWS} == ROWS
        reopened.close()


def test_a_row_is_removed(store):
    append(store, ROWS)
    key = Key(Table.DATA, "a", b"k1")
    append(store, {key: None})
    assert store.get(key) is None
    append(store, {key: None, Key(Table.DATA, "never", b"there"): None})


def test_a_scan_gives_an_owner_s_rows_with_the_prefix_in_order(store):
    append(store, ROWS)
    assert list(store.scan(Table.DATA, "a", b"k")) == [(b"k1", b""), (b"k2", b"v2")]
    assert list(store.scan(Table.DATA, "a", b"")) == [(b"k1", b""), (b"k2", b"v2"), (b"l", b"v")]
    assert list(store.scan(Table.DATA, "nobody", b"")) == []


def test_blocks_are_found_by_height_and_hash(store):
    first, second = append(store), append(store)
    assert store.head() == second
    assert store.header(0) == first
    assert store.height_of(second.hash) == 1
    assert store.block(1).header == second
    assert (store.header(2), store.block(2), store.height_of(bytes(32))) == (None, None, None)
    assert store.header(2**80) is None


def test_the_pool_keeps_the_order_and_lets_go_with_the_block(store):
    signed = [Transaction("alice", KEY.public_key, nonce, "bob", ID, ()).sign(KEY) for nonce in (3, 1, 2)]
    store.add_pooled(signed)
    store.add_pooled(signed[:1])
    assert store.pooled() == tuple(signed)
    append(store, leaving=[signed[1].hash])
    assert store.pooled() == (signed[0], signed[2])


def test_the_world_reads_through_its_layers(store):
    append(store, ROWS)
    world = World(store)
    key = Key(Table.DATA, "a", b"k2")
    world.put(key, b"block")
    world.keep()
    world.put(key, None)
    world.put(Key(Table.DATA, "a", b"k0"), b"new")
    assert world.get(key) is None
    assert list(world.scan(Table.DATA, "a", b"k")) == [(b"k0", b"new"), (b"k1", b"")]
    world.discard()
    assert world.get(key) == b"block"
    assert dict(world.take_changes()) == {key: b"block"}
    assert store.get(key) == b"v2"


def test_memory_forgets_the_oldest_blocks(monkeypatch):
    monkeypatch.setattr(memory, "MOST_BLOCKS", 3)
    store = MemoryStore()
    headers = [append(store) for _ in range(5)]
    assert [store.height_of(header.hash) for header in headers] == [None, None, 2, 3, 4]
    assert store.block(1) is None


def test_a_busy_memory_forgets_blocks_but_not_that_transactions_may_name_them(monkeypatch):
    monkeypatch.setattr(memory, "MOST_OUTCOMES", 0)
    store = MemoryStore()
    headers = [append(store, outcomes=[number]) for number in range(3)]
    assert [store.block(height) is None for height in range(3)] == [True, True, False]
    assert [store.height_of(header.hash) for header in headers] == [0, 1, 2]
    assert store.copy().height_of(headers[0].hash) == 0


def test_the_cache_of_rows_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "_CACHED_ROWS", 10)
    monkeypatch.setattr(sqlite, "_CACHED_BYTES", 100)
    store = open_sqlite(tmp_path)
    rows = {Key(Table.DATA, "a", b"%d" % number): bytes(30) for number in range(50)}
    append(store, rows)
    assert {key: store.get(key) for key in rows} == rows
    assert (len(store._cache), store._cached_bytes) == (3, 90)
    store.close()


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path):
    store = open_sqlite(tmp_path)
    head = append(store, ROWS)
    (pages,) = store._db.execute("pragma page_count").fetchone()
    store._db.execute(f"pragma max_page_count = {pages}")
    big = {Key(Table.DATA, "a", b"big"): bytes(1_000_000)}
    with pytest.raises(StateError, match=r"cannot be written .*full.*make room"):
        append(store, big)
    assert (store.head(), store.get(Key(Table.DATA, "a", b"big"))) == (head, None)
    assert "make room" in store.refused
    store._db.execute(f"pragma max_page_count = {pages + 1000}")
    append(store, big)
    assert store.get(Key(Table.DATA, "a", b"big")) == bytes(1_000_000)
    assert store.refused is None
    store.close()


def test_a_commit_that_fails_leaves_the_last_block(tmp_path):
    store = open_sqlite(tmp_path)
    head = append(store, ROWS)
    with pytest.raises(TypeError):
        append(store, {Key(Table.DATA, "a", b"k1"): b"changed", Key(Table.DATA, "a", b"x"): 1.5})
    assert store.head() == head
    assert store.get(Key(Table.DATA, "a", b"k1")) == b""
    append(store)
    store.close()
