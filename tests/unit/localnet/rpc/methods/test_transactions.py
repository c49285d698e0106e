"""Sending and following transactions, as py-near, near-cli and near-api-js read it."""

import asyncio
from base64 import b64decode, b64encode

import pytest

from localnet import NEAR
from localnet.values.actions import FunctionCall, Transfer
from localnet.values.hashes import hash_of, hash_to_text

TGAS = 10**12
OUTCOME = {"status", "transaction", "transaction_outcome", "receipts_outcome", "final_execution_status"}
ID = hash_to_text(hash_of(b"never seen"))


async def test_a_committed_call_gives_its_whole_outcome(client, alice, greeter, signed):
    outcome = await client.commit(signed(alice, greeter, "greet", b"you"))
    assert outcome.keys() == OUTCOME
    assert b64decode(outcome["status"]["SuccessValue"]) == b'"hello you"'
    transaction = outcome["transaction"]
    assert transaction.keys() == {"signer_id", "public_key", "nonce", "receiver_id", "actions", "priority_fee", "signature", "hash"}
    call = {"method_name": "greet", "args": b64encode(b"you").decode(), "gas": 100 * TGAS, "deposit": "0"}
    assert transaction["actions"] == [{"FunctionCall": call}]
    first = outcome["transaction_outcome"]
    assert first.keys() == {"proof", "block_hash", "id", "outcome"}
    assert first["id"] == transaction["hash"]
    ran = outcome["receipts_outcome"][0]
    assert first["outcome"]["status"] == {"SuccessReceiptId": ran["id"]}
    assert first["outcome"]["receipt_ids"] == [ran["id"]]
    members = {"logs", "receipt_ids", "gas_burnt", "tokens_burnt", "executor_id", "status", "metadata"}
    assert ran["outcome"].keys() == members
    assert ran["outcome"]["logs"] == ["greeting"]
    assert ran["outcome"]["executor_id"] == "greeter.test.near"
    assert isinstance(ran["outcome"]["gas_burnt"], int)
    assert isinstance(ran["outcome"]["tokens_burnt"], str)


async def test_a_panic_is_an_outcome_and_no_error(client, alice, greeter, signed):
    outcome = await client.commit(signed(alice, greeter, "boom"))
    kind = {"FunctionCallError": {"ExecutionError": "Smart contract panicked: it went wrong"}}
    assert outcome["status"] == {"Failure": {"ActionError": {"index": 0, "kind": kind}}}


async def test_a_returned_promises_result_is_the_transactions(client, alice, greeter, signed):
    outcome = await client.commit(signed(alice, greeter, "relay", b"there"))
    assert b64decode(outcome["status"]["SuccessValue"]) == b'"hello there"'


async def test_final_waits_for_the_refunds_too(client, alice, greeter, signed):
    outcome = await client.call("send_tx", {"signed_tx_base64": signed(alice, greeter, "greet"), "wait_until": "FINAL"})
    assert outcome["final_execution_status"] == "FINAL"
    assert [each["outcome"]["executor_id"] for each in outcome["receipts_outcome"]] == ["greeter.test.near", "alice.test.near"]
    refund = outcome["receipts_outcome"][1]["outcome"]
    assert (refund["gas_burnt"], refund["tokens_burnt"]) == (223_182_562_500, "0")


@pytest.mark.parametrize("wait_until", ["INCLUDED", "INCLUDED_FINAL", "EXECUTED_OPTIMISTIC", "EXECUTED", "FINAL", None])
async def test_every_wait_gives_an_outcome_once_a_block_has_the_transaction(client, alice, greeter, signed, wait_until):
    outcome = await client.call("send_tx", {"signed_tx_base64": signed(alice, greeter, "greet"), "wait_until": wait_until})
    assert outcome.keys() == OUTCOME


async def test_who_does_not_wait_gets_the_hash_or_the_bare_status(client, alice, greeter, signed):
    sent = await client.call("send_tx", {"signed_tx_base64": signed(alice, greeter, "greet"), "wait_until": "NONE"})
    assert sent == {"final_execution_status": "NONE"}
    tx_hash = await client.call("broadcast_tx_async", [signed(alice, greeter, "greet")])
    outcome = await client.call("tx", [tx_hash, "alice.test.near"])
    assert outcome["transaction"]["hash"] == tx_hash


async def test_a_transaction_sent_twice_runs_once(client, alice, greeter, signed):
    params = {"signed_tx_base64": signed(alice, greeter, "store", b"once"), "wait_until": "FINAL"}
    assert await client.call("send_tx", params) == await client.call("send_tx", params)


async def test_a_refused_transaction_is_told_in_nearcores_words(client, alice, greeter, signed, answered):
    await client.commit(first := signed(alice, greeter, "greet"))
    nonce = (await client.commit(first))["transaction"]["nonce"]
    alice._last_nonce = 0
    stale = b64encode(_sign_again(alice, nonce).encoded).decode()
    with pytest.raises(answered) as raised:
        await client.commit(stale)
    assert raised.value.cause == "INVALID_TRANSACTION"
    assert raised.value.data == {"TxExecutionError": {"InvalidTxError": {"InvalidNonce": {"tx_nonce": nonce, "ak_nonce": nonce}}}}
    # Who does not wait is told nothing, as by nodes: the hash is given, and the transaction never seen.
    tx_hash = await client.call("broadcast_tx_async", [stale])
    with pytest.raises(answered, match=f"Transaction {tx_hash} doesn't exist"):
        await client.call("tx", [tx_hash, "alice.test.near"])


def _sign_again(account, nonce):
    from localnet.values.transaction import Transaction  # noqa: PLC0415

    transaction = Transaction(account.account_id, account.key.public_key, nonce, "bob.near", account._chain.head.hash, (Transfer(1),))
    return transaction.sign(account.key)


@pytest.mark.parametrize(
    ("transaction", "reason"),
    [
        ("", "Failed to decode transaction: 4 bytes are wanted at byte 0"),
        ("AAAA", "Failed to decode transaction"),
        ("AQAAAA==", "transactions of version 1 are not offered"),
        ("not base64!", "`signed_tx_base64`: not base64"),
        (7, "`signed_tx_base64`: a string is wanted"),
        (None, "missing field `signed_tx_base64`"),
    ],
)
async def test_what_is_no_transaction_is_a_parse_error(client, answered, transaction, reason):
    for method in ("send_tx", "broadcast_tx_commit", "broadcast_tx_async"):
        with pytest.raises(answered, match=reason) as raised:
            await client.call(method, [transaction])
        assert raised.value.cause == "PARSE_ERROR"


async def test_a_transaction_above_the_size_limit_is_refused_by_both_figures(client, answered):
    with pytest.raises(answered, match="1572865 bytes; at most 1572864 are taken"):
        await client.call("broadcast_tx_commit", [b64encode(bytes(1_572_865)).decode()])


async def test_status_takes_every_form_of_its_params(client, alice, greeter, signed):
    transaction = signed(alice, greeter, "greet")
    tx_hash = (await client.commit(transaction))["transaction"]["hash"]
    forms = [
        # py-near sends the receiver's account.
        [tx_hash, "greeter.test.near"],
        {"tx_hash": tx_hash, "sender_account_id": "alice.test.near", "wait_until": "INCLUDED"},
        {"signed_tx_base64": transaction},
    ]
    for params in forms:
        assert (await client.call("tx", params))["transaction"]["hash"] == tx_hash


async def test_the_experimental_status_adds_the_receipts_that_ran(client, alice, greeter, signed):
    sent = await client.call("send_tx", {"signed_tx_base64": signed(alice, greeter, "relay", b"x"), "wait_until": "FINAL"})
    outcome = await client.call("EXPERIMENTAL_tx_status", [sent["transaction"]["hash"], "alice.test.near"])
    assert outcome.keys() == OUTCOME | {"receipts"}
    assert [receipt["receipt_id"] for receipt in outcome["receipts"]] == [each["id"] for each in outcome["receipts_outcome"]]
    receipt = outcome["receipts"][0]
    assert receipt.keys() == {"predecessor_id", "receiver_id", "receipt_id", "receipt", "priority"}
    action = receipt["receipt"]["Action"]
    assert action.keys() == {
        "signer_id",
        "signer_public_key",
        "gas_price",
        "output_data_receivers",
        "input_data_ids",
        "actions",
        "is_promise_yield",
    }
    assert await client.call("EXPERIMENTAL_receipt", {"receipt_id": receipt["receipt_id"]}) == receipt


async def test_a_receipt_to_oneself_is_not_among_the_receipts(client, alice):
    transaction = b64encode(alice.sign(alice.account_id, [Transfer(NEAR)]).encoded).decode()
    sent = await client.call("send_tx", {"signed_tx_base64": transaction, "wait_until": "FINAL"})
    outcome = await client.call("EXPERIMENTAL_tx_status", [sent["transaction"]["hash"], "alice.test.near"])
    assert outcome["receipts_outcome"][0]["id"] not in {receipt["receipt_id"] for receipt in outcome["receipts"]}


async def test_what_was_never_seen_is_told_at_once(client, answered):
    with pytest.raises(answered) as raised:
        await client.call("tx", {"tx_hash": ID, "sender_account_id": "alice.test.near"})
    assert raised.value.error["cause"] == {"name": "UNKNOWN_TRANSACTION", "info": {"requested_transaction_hash": ID}}
    with pytest.raises(answered) as raised:
        await client.call("EXPERIMENTAL_receipt", [ID])
    assert raised.value.error["cause"] == {"name": "UNKNOWN_RECEIPT", "info": {"receipt_id": ID}}


async def test_a_yield_holds_the_request_up_until_it_is_resumed(client, alice, bob, greeter, signed):
    asking = asyncio.create_task(client.commit(signed(alice, greeter, "ask")))
    while not (await client.query("view_state", account_id="greeter.test.near", prefix_base64=""))["values"]:
        assert not asking.done()
    await client.commit(signed(bob, greeter, "tell"))
    assert b64decode((await asking)["status"]["SuccessValue"]) == b'"told"'


async def test_a_request_that_waits_too_long_is_told_how_far_the_transaction_got(chain, alice, greeter, serving, answered):
    pending = alice.call(greeter.account_id, "ask")
    async with serving(chain, transaction_timeout_s=0) as client:
        with pytest.raises(answered) as raised:
            await client.call("tx", [hash_to_text(pending.hash), "alice.test.near"])
        assert (raised.value.cause, raised.value.data, raised.value.info["cause"]) == ("TIMEOUT_ERROR", "Timeout", "PENDING")
        reached = raised.value.info["status"]
        assert (reached["final_execution_status"], reached["status"]) == ("INCLUDED_FINAL", "Started")
        # It goes on: the yield times out, and the answer is there.
        await client.call("sandbox_fast_forward", {"delta_height": 205})
        outcome = await client.call("tx", [reached["transaction"]["hash"], "alice.test.near"])
        assert b64decode(outcome["status"]["SuccessValue"]) == b"null"


async def test_a_transaction_is_executed_before_its_refunds_and_final_after_them(chain, alice, greeter, serving, answered):
    tx_hash = alice.submit(greeter.account_id, [FunctionCall("greet", b"", 50 * TGAS, 0)])
    chain.produce_block()
    chain.produce_block()
    assert chain.has_work
    params = {"tx_hash": hash_to_text(tx_hash), "sender_account_id": "alice.test.near"}
    async with serving(chain, block_time_s=3600, transaction_timeout_s=0) as client:
        executed = await client.call("tx", params | {"wait_until": "EXECUTED"})
        assert (executed["final_execution_status"], len(executed["receipts_outcome"])) == ("EXECUTED", 1)
        with pytest.raises(answered) as raised:
            await client.call("tx", params | {"wait_until": "FINAL"})
        assert raised.value.info["status"]["final_execution_status"] == "EXECUTED"


async def test_a_request_is_told_when_no_block_took_the_transaction_in_time(chain, alice, serving, answered):
    async with serving(chain, transaction_timeout_s=0, block_time_s=3600) as client:
        with pytest.raises(answered) as raised:
            await client.commit(alice.sign("bob.near", [Transfer(1)]))
        assert raised.value.error["cause"] == {"name": "TIMEOUT_ERROR", "info": {"cause": "NOT_OBSERVED"}}


async def test_who_waits_for_a_transaction_that_a_block_refuses_hears_why(chain, alice, bob, holder, serving):
    async with serving(chain) as client:
        holding = asyncio.create_task(client.commit(bob.sign(holder.account_id, [holder.call])))
        await asyncio.to_thread(holder.entered.wait, 10)
        # Both are good when they are sent; the first takes the money that the second needs.
        alls = [alice.sign("bob.test.near", [Transfer(999 * NEAR - step)]) for step in (0, 1)]
        both = [asyncio.create_task(client.commit(transaction)) for transaction in alls]
        while (await client.get("/health"))[1]["waiting"] < 2:
            pass
        holder.gate.set()
        results = await asyncio.gather(*both, return_exceptions=True)
        await holding
    assert "NotEnoughBalance" in results[1].data["TxExecutionError"]["InvalidTxError"]


async def test_transactions_that_come_together_share_a_block(chain, alice, bob, holder, serving):
    async with serving(chain) as client:
        holding = asyncio.create_task(client.commit(bob.sign(holder.account_id, [holder.call])))
        await asyncio.to_thread(holder.entered.wait, 10)
        sends = [asyncio.create_task(client.commit(alice.sign("bob.test.near", [Transfer(1)]))) for _ in range(5)]
        while (await client.get("/health"))[1]["waiting"] < 5:
            pass
        holder.gate.set()
        outcomes = await asyncio.gather(*sends)
        await holding
    assert len({outcome["transaction_outcome"]["block_hash"] for outcome in outcomes}) == 1


async def test_the_calls_of_a_batch_are_shown_in_order(client, alice, greeter):
    actions = [FunctionCall("greet", name, 10 * TGAS, 0) for name in (b"a", b"b")]
    outcome = await client.commit(alice.sign(greeter.account_id, actions))
    assert outcome["receipts_outcome"][0]["outcome"]["logs"] == ["greeting", "greeting"]
    assert [each["FunctionCall"]["args"] for each in outcome["transaction"]["actions"]] == ["YQ==", "Yg=="]
