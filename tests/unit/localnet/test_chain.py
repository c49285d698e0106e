import json
import math
import sqlite3
import stat

import pytest

from localnet import NEAR, Chain, ExecutionFailed, HomeLocked, KeyPair, StateError, ViewFailed
from localnet.runtime import pool
from localnet.values.actions import Transfer
from localnet.values.errors import (
    GarbageCollected,
    MalformedTransaction,
    NoContractCode,
    PoolFull,
    TimeOutOfRange,
    UnknownAccount,
    UnknownBlock,
    UnknownReceipt,
    UnknownTransaction,
)


@pytest.fixture
def counter(chain, contracts):
    def increment(call):
        count = int(call.read(b"count") or b"0") + json.loads(call.context.input)["by"]
        call.write(b"count", b"%d" % count)
        call.log(f"now {count}")
        return b"%d" % count

    methods = {
        "new": lambda call: call.write(b"count", call.context.input),
        "increment": increment,
        "get": lambda call: call.read(b"count"),
        "bad_view": lambda call: call.write(b"count", b"9"),
    }
    return chain.create_account("counter").deploy(contracts.add(**methods), "new", b"40")


def test_a_contract_is_deployed_called_and_viewed(chain, counter, alice):
    outcome = alice.call(counter.account_id, "increment", {"by": 2})
    assert outcome.raise_for_failure().json() == 42
    assert outcome.logs == ("now 42",)
    view = chain.view(counter.account_id, "get")
    assert (view.json(), view.block_height) == (42, chain.head.height)


def test_a_view_that_writes_fails_with_the_text_of_a_node(chain, counter):
    with pytest.raises(ViewFailed, match="wasm execution failed with error: HostError") as error:
        chain.view(counter.account_id, "bad_view")
    assert error.value.text == 'HostError(ProhibitedInView { method_name: "storage_write" })'
    assert chain.view(counter.account_id, "get").json() == 40


def test_a_view_of_what_is_not_there_says_what_is_missing(chain, alice, counter):
    with pytest.raises(UnknownAccount, match="account nobody does not exist while viewing"):
        chain.view("nobody", "get")
    with pytest.raises(ViewFailed) as no_code:
        chain.view(alice.account_id, "get")
    assert no_code.value.text == 'CompilationError(CodeDoesNotExist { account_id: "alice.test.near" })'
    with pytest.raises(ViewFailed) as no_method:
        chain.view(counter.account_id, "other")
    assert no_method.value.text == "MethodResolveError(MethodNotFound)"
    with pytest.raises(NoContractCode):
        chain.code(alice.account_id)


def test_a_failed_transaction_is_an_outcome_and_raises_on_demand(alice, counter):
    outcome = alice.call(counter.account_id, "missing")
    assert not outcome.succeeded
    with pytest.raises(ExecutionFailed, match="MethodNotFound"):
        outcome.raise_for_failure()
    with pytest.raises(ExecutionFailed):
        outcome.json()


def test_a_failed_init_leaves_no_contract(chain, contracts, alice):
    with pytest.raises(ExecutionFailed):
        alice.deploy(contracts.add(), "new")
    assert chain.account(alice.account_id).code_hash == bytes(32)


def test_an_idle_chain_makes_no_blocks_and_a_block_takes_all_that_waits(chain, alice, bob):
    height = chain.head.height
    chain.run_until_idle()
    assert chain.head.height == height
    for _ in range(5):
        alice.submit("bob.test.near", [Transfer(1)])
    assert len(chain.produce_block().transactions) == 5


def test_blocks_hang_together(chain, alice):
    alice.transfer("near", 1)
    for height in range(1, chain.head.height + 1):
        header = chain.header(height)
        assert header.prev_hash == chain.header(height - 1).hash
        assert header.timestamp_ns > chain.header(height - 1).timestamp_ns
        assert chain.header(header.hash) == header


def test_the_same_transactions_at_the_same_time_make_the_same_blocks(open_chain):
    def run():
        chain = open_chain()
        chain.root.transfer("near", 5)
        return chain.head.hash

    assert run() == run()


def test_time_and_height_can_be_moved_forward(chain, clock, alice):
    before = chain.head
    chain.advance_blocks(200, seconds_each=2)
    assert chain.head.height == before.height + 200
    assert chain.head.timestamp_ns - before.timestamp_ns == pytest.approx(400 * 10**9, abs=10**6)
    chain.advance_time(600)
    assert chain.head.timestamp_ns - before.timestamp_ns == pytest.approx(1000 * 10**9, abs=10**6)
    clock.now_ns -= 10**15
    assert chain.produce_block().header.timestamp_ns > before.timestamp_ns + 1000 * 10**9 - 10**6


@pytest.mark.parametrize("seconds", [-1, math.inf, -math.inf, math.nan, 1e300, 10**10])
def test_time_that_no_timestamp_could_tell_is_refused_and_nothing_moves(chain, seconds):
    before = chain.head
    for move in (chain.advance_time, lambda each: chain.advance_blocks(1, seconds_each=each)):
        with pytest.raises(TimeOutOfRange, match="never goes back, and at most to 9223372036854775807 ns") as raised:
            move(seconds)
        assert raised.value.seconds is seconds
    assert chain.head == before
    chain.advance_time(200 * 365 * 86400)
    chain.produce_block()


def test_listeners_hear_each_block_until_they_leave(chain):
    heard = []
    leave = chain.on_block(lambda block: heard.append(block.header.height))
    chain.advance_blocks(2)
    leave()
    chain.produce_block()
    assert heard == [chain.head.height - 2, chain.head.height - 1]


def test_a_snapshot_is_come_back_to_as_often_as_wanted(chain, alice, bob):
    snapshot = chain.snapshot()
    head = chain.head
    for _ in range(2):
        alice.transfer("bob.test.near", NEAR)
        assert bob.balance_yocto == 1001 * NEAR
        chain.restore(snapshot)
        assert (chain.head, bob.balance_yocto) == (head, 1000 * NEAR)


def test_older_states_and_unknown_things_are_typed_errors(chain, alice):
    old = chain.head.height
    chain.produce_block()
    with pytest.raises(GarbageCollected, match=f"block {old} is not kept"):
        chain.require_latest(old)
    assert chain.require_latest(chain.head.hash) == chain.head
    for which in (10**30, -1, bytes(32)):
        with pytest.raises(UnknownBlock):
            chain.block(which)
    with pytest.raises(UnknownTransaction):
        chain.transaction(bytes(32))
    with pytest.raises(UnknownReceipt):
        chain.receipt(bytes(32))
    with pytest.raises(MalformedTransaction):
        chain.submit_bytes(b"junk")


def test_a_transaction_waits_until_a_block_takes_it(chain, alice):
    tx_hash = alice.submit("near", [Transfer(1)])
    assert chain.is_waiting(tx_hash)
    with pytest.raises(UnknownTransaction):
        chain.transaction(tx_hash)
    chain.produce_block()
    assert not chain.is_waiting(tx_hash)
    assert chain.transaction(tx_hash).status is None


def test_the_pool_is_bounded(chain, alice, monkeypatch):
    monkeypatch.setattr(pool, "MOST_TRANSACTIONS", 2)
    for _ in range(2):
        alice.submit("near", [Transfer(1)])
    with pytest.raises(PoolFull, match="2 transactions wait"):
        alice.submit("near", [Transfer(1)])
    chain.run_until_idle()
    alice.transfer("near", 1)


def test_a_listener_that_fails_does_not_undo_the_block(chain):
    chain.on_block(lambda block: 1 / 0)
    height = chain.head.height
    with pytest.raises(ZeroDivisionError):
        chain.produce_block()
    assert chain.head.height == height + 1


def test_a_directory_gets_the_key_file_of_nears_sandbox(open_chain, tmp_path):
    chain = open_chain(tmp_path / "home")
    path = tmp_path / "home" / "validator_key.json"
    content = json.loads(path.read_text())
    assert content == {"account_id": "test.near", "public_key": str(chain.root.key.public_key), "secret_key": chain.root.key.secret_key}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_chain_in_a_directory_is_the_same_when_it_is_opened_again(open_chain, contracts, tmp_path):
    code = contracts.add(put=lambda call: call.write(b"k", b"v"), wait=lambda call: call.yield_create("put", b"", 5 * 10**12) and None)
    chain = open_chain(tmp_path)
    alice = chain.create_account("alice").deploy(code)
    done = alice.call(alice.account_id, "put")
    waits = alice.call(alice.account_id, "wait")
    assert waits.pending
    chain.advance_time(100)
    waiting = alice.submit("near", [Transfer(7)])
    head, blocks = chain.head, [chain.block(height) for height in range(chain.head.height + 1)]
    chain.close()

    again = open_chain(tmp_path)
    assert again.head == head
    assert [again.block(height) for height in range(head.height + 1)] == blocks
    assert again.contract_state(alice.account_id) == ((b"k", b"v"),)
    assert again.transaction(done.hash) == done
    assert again.is_waiting(waiting)
    assert again.root.key == chain.root.key
    again.run_until_idle()
    assert again.transaction(waiting).succeeded
    assert again.head.timestamp_ns >= head.timestamp_ns
    again.advance_blocks(201)
    assert not again.transaction(waits.hash).pending


def test_two_processes_cannot_have_one_directory(open_chain, tmp_path):
    open_chain(tmp_path)
    with pytest.raises(HomeLocked, match="stop it, or give another directory"):
        Chain(tmp_path)


def test_a_directory_is_free_again_when_the_chain_is_closed(open_chain, tmp_path):
    open_chain(tmp_path).close()
    open_chain(tmp_path).close()


@pytest.mark.parametrize("version", [1, 99])
def test_another_version_s_directory_is_left_alone(open_chain, tmp_path, version):
    open_chain(tmp_path).close()
    database = sqlite3.connect(tmp_path / "chain.sqlite")
    database.execute(f"pragma user_version = {version}")
    database.close()
    with pytest.raises(StateError, match=f"has version {version} and this program writes 2; .* begin anew"):
        Chain(tmp_path)


def test_a_directory_that_is_no_chain_s_says_so(tmp_path):
    (tmp_path / "validator_key.json").write_text(json.dumps({"secret_key": KeyPair.from_seed("x").secret_key}))
    (tmp_path / "chain.sqlite").write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(StateError, match="cannot be read as a chain"):
        Chain(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be used as a chain's directory"):
        Chain(tmp_path / "file")


def test_a_database_that_cannot_be_opened_is_not_said_to_be_worth_removing(tmp_path):
    (tmp_path / "validator_key.json").write_text(json.dumps({"secret_key": KeyPair.from_seed("x").secret_key}))
    (tmp_path / "chain.sqlite").mkdir()
    with pytest.raises(StateError, match=r"cannot be opened .*its disk has room") as error:
        Chain(tmp_path)
    assert "remove" not in str(error.value)


def test_a_lost_or_damaged_key_file_stops_the_start_without_showing_the_key(open_chain, tmp_path):
    open_chain(tmp_path).close()
    path = tmp_path / "validator_key.json"
    secret = json.loads(path.read_text())["secret_key"]
    path.write_text(json.dumps({"secret_key": secret[:-2]}))
    with pytest.raises(StateError, match="is no key file") as error:
        Chain(tmp_path)
    assert secret[10:20] not in str(error.value)
    path.unlink()
    with pytest.raises(StateError, match="is missing"):
        Chain(tmp_path)


def test_another_key_than_the_directory_s_is_refused(open_chain, tmp_path):
    open_chain(tmp_path).close()
    with pytest.raises(StateError, match="another key"):
        Chain(tmp_path, key=KeyPair.from_seed("other"))


def test_a_chain_in_a_directory_takes_no_snapshots(open_chain, tmp_path):
    with pytest.raises(StateError, match="copy the directory"):
        open_chain(tmp_path).snapshot()
