"""Promises, callbacks and yields (NEAR_FACTS: promises, gas, yield create, yield timeout)."""

import hashlib
import struct

import pytest

from localnet import NEAR, TGAS
from localnet.runtime.twin import Panic
from localnet.values.actions import DeleteAccount, FunctionCall, Transfer
from localnet.values.hashes import child_id, hash_of
from localnet.values.outcome import SuccessReceiptId
from localnet.values.receipt import ActionReceipt, DataReceipt
from localnet.vm import ReceiptIndex

GAS = 10 * TGAS


def call(method, args=b"", gas=GAS, deposit=0):
    return FunctionCall(method, args, gas, deposit)


def boom(call):
    raise Panic("boom")


@pytest.fixture
def callee(chain, contracts, bob):
    """bob.test.near: `echo` returns its input, `nothing` nothing, `boom` panics."""
    return bob.deploy(contracts.add(echo=lambda call: call.context.input, nothing=lambda call: None, boom=boom))


def caller_of(*promises, extra=None):
    """A method that calls bob's methods and then its own `seen` with all the results."""

    def ask(me):
        first = tuple(me.promise("bob.test.near", call(*promise)) for promise in promises)
        me.promise("alice.test.near", call("seen"), after=first)

    return {"ask": ask, "seen": lambda me: me.log(repr(me.context.promise_results)), **(extra or {})}


@pytest.mark.parametrize(
    ("promises", "seen"),
    [
        ([("echo", b"hi")], (b"hi",)),
        ([("nothing",)], (b"",)),
        ([("boom",)], (None,)),
        ([("no_such_method",)], (None,)),
        ([("echo", b"1"), ("boom",), ("echo", b"3")], (b"1", None, b"3")),
    ],
)
def test_a_callback_sees_the_results_in_order(contracts, alice, callee, promises, seen):
    alice.deploy(contracts.add(**caller_of(*promises)))
    outcome = alice.call(alice.account_id, "ask")
    assert outcome.logs[-1] == repr(seen)
    assert not outcome.pending


def test_a_callback_of_a_missing_account_sees_a_failure(contracts, alice):
    alice.deploy(contracts.add(**caller_of(("echo", b"hi"))))
    assert alice.call(alice.account_id, "ask").logs == ("(None,)",)


def test_a_returned_promise_gives_the_result(contracts, alice, callee):
    methods = {
        "ask": lambda me: ReceiptIndex(me.promise("bob.test.near", call("echo", b"deep"))),
        "outer": lambda me: ReceiptIndex(me.promise("alice.test.near", call("ask", gas=3 * GAS))),
    }
    alice.deploy(contracts.add(**methods))
    outcome = alice.call(alice.account_id, "outer")
    assert outcome.value == b"deep"
    assert isinstance(outcome.receipt_outcomes[0].status, SuccessReceiptId)


def test_a_returned_promises_result_reaches_who_awaits_the_caller(contracts, alice, callee):
    methods = {
        "inner": lambda me: ReceiptIndex(me.promise("bob.test.near", call("echo", b"through"))),
        "ask": lambda me: (
            me.promise("alice.test.near", call("seen"), after=(me.promise("alice.test.near", call("inner", gas=3 * GAS)),)) and None
        ),
        "seen": lambda me: me.log(repr(me.context.promise_results)),
    }
    alice.deploy(contracts.add(**methods))
    assert alice.call(alice.account_id, "ask").logs == ("(b'through',)",)


def test_a_failed_promises_deposit_goes_back_to_the_caller_and_to_refund_to_when_given(chain, contracts, alice, callee):
    def ask(me):
        me.promise("bob.test.near", call("boom", deposit=NEAR))
        me.promise("bob.test.near", call("boom", deposit=2 * NEAR), refund_to="near")

    alice.deploy(contracts.add(ask=ask))
    held, near = alice.balance_yocto, chain.account("near").amount_yocto
    outcome = alice.call(alice.account_id, "ask", deposit_yocto=3 * NEAR)
    assert alice.balance_yocto == held - outcome.tokens_burnt_yocto - 2 * NEAR
    assert chain.account("near").amount_yocto == near + 2 * NEAR
    assert chain.account("bob.test.near").amount_yocto <= 1000 * NEAR


def test_gas_that_is_not_used_comes_back_to_the_signer(chain, alice, callee):
    before = alice.balance_yocto
    outcome = alice.call("bob.test.near", "echo", b"x", gas=300 * TGAS)
    assert before - alice.balance_yocto == outcome.tokens_burnt_yocto < 10**22
    refund = outcome.receipt_outcomes[-1]
    assert (refund.gas_burnt, refund.tokens_burnt_yocto) == (223_182_562_500, 0)
    assert outcome.receipts[-1].predecessor_id == "system"
    assert outcome.receipts[-1].gas_price_yocto == 0


def test_a_call_locks_its_gas_at_the_purchase_price_for_a_moment(chain, alice, callee):
    before = alice.balance_yocto
    alice.submit("bob.test.near", [call("echo", gas=300 * TGAS)])
    chain.produce_block()
    assert 0.3 * NEAR < before - alice.balance_yocto < 0.302 * NEAR


def test_a_failed_call_leaves_no_state_no_receipts_and_no_logs_are_lost(chain, contracts, alice, bob):
    def fail(me):
        me.write(b"k", b"v")
        me.log("before")
        me.promise("bob.test.near", Transfer(NEAR))
        me.yield_create("never", b"", GAS)
        raise Panic("late")

    alice.deploy(contracts.add(fail=fail))
    usage = chain.account(alice.account_id).storage_usage_bytes
    outcome = alice.call(alice.account_id, "fail", deposit_yocto=NEAR)
    assert outcome.failure.to_json() == {
        "ActionError": {"index": 0, "kind": {"FunctionCallError": {"ExecutionError": "Smart contract panicked: late"}}}
    }
    assert outcome.logs == ("before",)
    assert chain.contract_state(alice.account_id) == ()
    assert chain.account(alice.account_id).storage_usage_bytes == usage
    assert bob.balance_yocto == 1000 * NEAR
    chain.advance_blocks(201)
    assert not chain.has_work


def test_later_actions_see_what_earlier_ones_of_the_batch_did(contracts, alice):
    alice.deploy(contracts.add(put=lambda me: me.write(b"k", b"v"), get=lambda me: me.read(b"k")))
    outcome = alice.send(alice.account_id, [call("put"), call("get")])
    assert outcome.value == b"v"


def test_an_id_is_the_hash_of_parent_height_and_number():
    parent = bytes(range(32))
    # NEAR_FACTS, ids: sha256(b, height, s), integers as u64 little endian; spelled out with other tools than the code's.
    assert child_id(parent, 258, 2**64 - 2) == hashlib.sha256(parent + struct.pack("<QQ", 258, 2**64 - 2)).digest()


def test_a_batch_that_fails_late_undoes_what_its_earlier_calls_wrote_made_and_reserved(chain, contracts, alice, bob):
    def spend(me):
        me.write(b"k", b"v")
        me.log("spent")
        me.promise("bob.test.near", call("echo", gas=50 * TGAS, deposit=NEAR))
        me.yield_create("never", b"", GAS)

    alice.deploy(contracts.add(spend=spend, boom=boom))
    usage, before = chain.account(alice.account_id).storage_usage_bytes, alice.balance_yocto
    outcome = alice.send(alice.account_id, [call("spend", gas=100 * TGAS, deposit=NEAR), call("boom")])
    assert outcome.failure.index == 1
    assert outcome.logs == ("spent",)
    assert chain.contract_state(alice.account_id) == ()
    assert chain.account(alice.account_id).storage_usage_bytes == usage
    assert [receipt.predecessor_id for receipt in outcome.receipts[1:]] == ["system", "system"]
    assert before - alice.balance_yocto == outcome.tokens_burnt_yocto
    chain.advance_blocks(200)
    assert not chain.has_work


def test_a_promise_that_a_later_call_of_a_batch_returns_gives_the_result(contracts, alice, callee):
    methods = {
        "noise": lambda me: me.promise("bob.test.near", call("echo", b"noise")) and None,
        "ask": lambda me: ReceiptIndex(me.promise("bob.test.near", call("echo", b"asked"))),
    }
    alice.deploy(contracts.add(**methods))
    outcome = alice.send(alice.account_id, [call("noise", gas=3 * GAS), call("ask", gas=3 * GAS)])
    assert outcome.value == b"asked"


def test_ids_follow_nearcores_rule(chain, contracts, alice, callee):
    def ask(me):
        first = me.promise("bob.test.near", call("echo"))
        me.promise("alice.test.near", call("seen"), after=(first,))
        me.log(me.context.action_hash.hex() + me.context.random_seed.hex())

    alice.deploy(contracts.add(ask=ask, seen=lambda me: None))
    outcome = alice.call(alice.account_id, "ask")
    first = outcome.receipt_outcomes[0]
    sent = outcome.transaction_outcome
    assert sent.receipt_ids == (child_id(outcome.hash, sent.block_height, 0),)
    # Children: two promises, then the gas refund; numbered in one row.
    assert first.receipt_ids == tuple(child_id(first.id, first.block_height, number) for number in range(3))
    action_hash = child_id(first.id, first.block_height, 2**64 - 1)
    random_value = chain.header(first.block_height).random_value
    assert outcome.logs[0] == action_hash.hex() + hash_of(action_hash + random_value).hex()
    callback = next(receipt for receipt in outcome.receipts if receipt.actions == (call("seen"),))
    assert callback.input_data_ids == (child_id(action_hash, first.block_height, 0),)


def test_a_receipt_to_oneself_made_by_a_transaction_runs_in_its_block_and_one_to_another_in_the_next(chain, alice, bob):
    own = alice.transfer("alice.test.near", 1)
    other = alice.transfer("bob.test.near", 1)
    assert own.receipt_outcomes[0].block_height == own.transaction_outcome.block_height
    assert other.receipt_outcomes[0].block_height == other.transaction_outcome.block_height + 1


def test_what_a_promise_deletes_is_gone_in_the_same_block(chain, contracts, alice):
    temporary = alice.create_account("tmp.alice.test.near", balance_yocto=10 * NEAR)
    temporary.deploy(contracts.add(leave=lambda me: (me.promise("tmp.alice.test.near", DeleteAccount("near")), None)[1]))
    outcome = alice.call("tmp.alice.test.near", "leave")
    deletion = next(run for run in outcome.receipt_outcomes if run.id == outcome.receipt_outcomes[0].receipt_ids[0])
    assert deletion.block_height == outcome.receipt_outcomes[0].block_height


@pytest.fixture
def waiter(contracts, alice):
    """alice.test.near: `ask` yields; `answer` resumes with its input; `on_answer` logs what came and returns it."""

    def ask(me):
        index, data_id = me.yield_create("on_answer", b"args", GAS)
        me.write(b"data id", data_id)
        return ReceiptIndex(index)

    def answer(me):
        accepted = me.yield_resume(me.read(b"data id"), me.context.input)
        return b"true" if accepted else b"false"

    def on_answer(me):
        (result,) = me.context.promise_results
        me.log(f"{me.context.signer_account_id} {me.context.predecessor_account_id} {me.context.input!r} {result!r}")
        return result or b"timed out"

    return alice.deploy(contracts.add(ask=ask, answer=answer, on_answer=on_answer))


def test_a_yield_waits_without_making_blocks(chain, waiter, bob):
    outcome = bob.call(waiter.account_id, "ask", gas=50 * TGAS)
    assert outcome.status is None
    assert len(outcome.pending) == 1
    assert not chain.has_work


def test_a_resumed_yield_gives_its_answer_in_the_name_of_who_asked(chain, waiter, bob):
    asked = bob.call(waiter.account_id, "ask", gas=50 * TGAS)
    assert waiter.call(waiter.account_id, "answer", b"42").json() is True
    done = chain.transaction(asked.hash)
    assert done.value == b"42"
    assert done.logs == ("bob.test.near alice.test.near b'args' b'42'",)
    assert waiter.call(waiter.account_id, "answer", b"43").json() is False


def test_of_two_resumes_in_one_block_the_first_counts(chain, waiter, bob):
    asked = bob.call(waiter.account_id, "ask", gas=50 * TGAS)
    waiter.submit(waiter.account_id, [call("answer", b"first"), call("answer", b"second")])
    chain.run_until_idle()
    done = chain.transaction(asked.hash)
    assert (done.value, len(done.logs)) == (b"first", 1)


def test_a_yield_that_its_own_call_resumes_runs_in_the_next_block_and_never_times_out(chain, contracts, alice, bob):
    def ask_and_answer(me):
        index, data_id = me.yield_create("on_answer", b"", GAS)
        assert me.yield_resume(data_id, b"at once")
        return ReceiptIndex(index)

    alice.deploy(contracts.add(ask_and_answer=ask_and_answer, on_answer=lambda me: me.context.promise_results[0]))
    done = bob.call(alice.account_id, "ask_and_answer", gas=50 * TGAS)
    created, answered = done.receipt_outcomes[0].block_height, done.receipt_outcomes[1].block_height
    assert (done.value, answered) == (b"at once", created + 1)
    chain.advance_blocks(210)
    assert chain.transaction(done.hash).receipt_outcomes == done.receipt_outcomes
    assert not chain.has_work


def test_a_yield_that_nobody_resumes_times_out_after_200_blocks(chain, waiter, bob):
    asked = bob.call(waiter.account_id, "ask", gas=50 * TGAS)
    created = asked.receipt_outcomes[0].block_height
    chain.advance_blocks(created + 200 - chain.head.height - 1)
    assert not chain.has_work
    chain.produce_block()
    assert (chain.head.height, chain.has_work) == (created + 200, True)
    chain.run_until_idle()
    done = chain.transaction(asked.hash)
    assert done.value == b"timed out"
    assert done.logs == ("bob.test.near alice.test.near b'args' None",)
    assert done.receipt_outcomes[1].block_height == created + 201


def test_a_resume_in_the_block_of_the_time_out_wins(chain, waiter, bob):
    asked = bob.call(waiter.account_id, "ask", gas=50 * TGAS)
    created = asked.receipt_outcomes[0].block_height
    chain.advance_blocks(created + 200 - chain.head.height - 1)
    waiter.submit(waiter.account_id, [call("answer", b"just in time")])
    chain.run_until_idle()
    assert chain.transaction(asked.hash).value == b"just in time"


def test_a_resume_that_is_accepted_while_the_time_out_is_on_its_way_wins(chain, waiter, bob):
    asked = bob.call(waiter.account_id, "ask", gas=50 * TGAS)
    created = asked.receipt_outcomes[0].block_height
    chain.advance_blocks(created + 200 - chain.head.height)
    # From the account to itself it runs in the next block, before the time-out that waits in the queue.
    waiter.submit(waiter.account_id, [call("answer", b"overtakes")])
    chain.run_until_idle()
    assert chain.transaction(asked.hash).value == b"overtakes"


def test_a_resume_after_the_time_out_is_refused(chain, waiter, bob):
    bob.call(waiter.account_id, "ask", gas=50 * TGAS)
    chain.advance_blocks(201)
    chain.run_until_idle()
    assert waiter.call(waiter.account_id, "answer", b"late").json() is False


def test_only_the_yielding_account_can_resume(chain, contracts, waiter, bob):
    bob.call(waiter.account_id, "ask", gas=50 * TGAS)
    data_id = dict(chain.contract_state(waiter.account_id))[b"data id"]
    bob.deploy(contracts.add(steal=lambda me: b"true" if me.yield_resume(me.context.input, b"stolen") else b"false"))
    assert bob.call("bob.test.near", "steal", data_id).json() is False


def test_a_yield_that_is_awaited_passes_its_result_on(chain, contracts, waiter, bob):
    def ask_for_me(me):
        me.promise("bob.test.near", call("heard"), after=(me.promise(waiter.account_id, call("ask", gas=50 * TGAS)),))

    bob.deploy(contracts.add(ask_for_me=ask_for_me, heard=lambda me: me.log(repr(me.context.promise_results))))
    asked = bob.call("bob.test.near", "ask_for_me")
    assert len(asked.pending) == 2
    waiter.call(waiter.account_id, "answer", b"news")
    assert chain.transaction(asked.hash).logs[-1] == "(b'news',)"


def test_a_blocks_contents_tell_what_came_in_and_what_ran(chain, contracts, alice, callee):
    alice.deploy(contracts.add(**caller_of(("echo", b"hi"))))
    start = chain.head.height
    outcome = alice.call(alice.account_id, "ask")
    blocks = [chain.block(height) for height in range(start + 1, chain.head.height + 1)]
    ran = [run for block in blocks for run in block.executed]
    assert {run.outcome.id for run in ran} == {run.id for run in outcome.receipt_outcomes}
    assert {run.receipt.tx_hash for run in ran} == {outcome.hash}
    came_in = [receipt for block in blocks for receipt in block.receipts]
    assert [type(receipt) for receipt in came_in].count(DataReceipt) == 1
    assert len({receipt.receipt_id for receipt in came_in}) == len(came_in)
    assert all(isinstance(chain.receipt(run.outcome.id), ActionReceipt) for run in ran)


def test_a_block_takes_no_more_than_its_gas_and_the_rest_follows(chain, alice, contracts, bob):
    bob.deploy(contracts.add(burn=burn_gas))
    for _ in range(12):
        alice.submit("bob.test.near", [call("burn", gas=200 * TGAS)])
    chain.produce_block()
    burnt = [sum(run.outcome.gas_burnt for run in chain.produce_block().executed) for _ in range(3)]
    assert all(gas < 1200 * TGAS for gas in burnt)
    assert burnt[0] >= 1000 * TGAS
    assert burnt[1] >= 1000 * TGAS
    chain.run_until_idle()
    blocks = [chain.block(height) for height in range(chain.head.height + 1)]
    ran = [run for block in blocks for run in block.executed if run.receipt.actions == (call("burn", gas=200 * TGAS),)]
    assert len(ran) == 12


def burn_gas(me):
    me.burnt_gas += 180 * TGAS
