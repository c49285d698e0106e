"""Proofs over HTTP, as light clients ask for them."""

from base64 import b64encode

import pytest

from localnet.values.actions import Transfer
from localnet.values.hashes import hash_of, hash_to_text
from tests.unit.localnet.light_client import block_is_proven, outcome_is_proven, outcome_leaf, raw, walked

ELSEWHERE = hash_to_text(hash_of(b"no block's, no outcome's"))
METHODS = ("light_client_proof", "EXPERIMENTAL_light_client_proof")
BLOCK_METHODS = ("light_client_block_proof", "EXPERIMENTAL_light_client_block_proof")


async def head_of(client):
    return (await client.call("block", {"finality": "final"}))["header"]


def of_transaction(outcome, head_hash):
    transaction = outcome["transaction"]
    named = {"type": "transaction", "transaction_hash": transaction["hash"], "sender_id": transaction["signer_id"]}
    return named | {"light_client_head": head_hash}


def of_receipt(outcome, head_hash):
    named = {"type": "receipt", "receipt_id": outcome["id"], "receiver_id": outcome["outcome"]["executor_id"]}
    return named | {"light_client_head": head_hash}


@pytest.fixture
async def sent(client, alice, greeter, signed):
    """A call that is done, with three blocks after it."""
    outcome = await client.call("send_tx", {"signed_tx_base64": signed(alice, greeter, "greet", b"you"), "wait_until": "FINAL"})
    await client.call("sandbox_fast_forward", {"delta_height": 3})
    return outcome


@pytest.mark.parametrize("method", METHODS)
async def test_transaction_and_receipts_are_proven_under_a_later_block(client, sent, method):
    head = await head_of(client)
    asked = [of_transaction(sent, head["hash"]), *(of_receipt(each, head["hash"]) for each in sent["receipts_outcome"])]
    for params, shown in zip(asked, [sent["transaction_outcome"], *sent["receipts_outcome"]], strict=True):
        answer = await client.call(method, params)
        assert answer.keys() == {"outcome_proof", "outcome_root_proof", "block_header_lite", "block_proof"}
        assert outcome_is_proven(answer, head)
        # The block that commits to the outcome, which is the one after the outcome's own.
        executed_in = (await client.call("block", [shown["block_hash"]]))["header"]
        committed = (await client.call("block", [answer["outcome_proof"]["block_hash"]]))["header"]
        assert committed["prev_hash"] == executed_in["hash"]
        assert answer["outcome_proof"] == shown | {"block_hash": committed["hash"]}


async def test_the_lite_header_has_nearcores_members(client, sent):
    head = await head_of(client)
    light = (await client.call("light_client_proof", of_transaction(sent, head["hash"])))["block_header_lite"]
    assert light.keys() == {"prev_block_hash", "inner_rest_hash", "inner_lite"}
    header = (await client.call("block", [light["inner_lite"]["height"]]))["header"]
    assert light["inner_lite"] == {name: header[name] for name in light["inner_lite"]}
    assert len(light["inner_lite"]) == 9


async def test_an_outcomes_own_path_leads_to_the_outcome_root_that_the_next_chunk_shows(client, sent):
    for outcome in (sent["transaction_outcome"], *sent["receipts_outcome"]):
        height = (await client.call("block", [outcome["block_hash"]]))["header"]["height"]
        (chunk,) = (await client.call("block", [height + 1]))["chunks"]
        assert walked(outcome["proof"], outcome_leaf(outcome)) == raw(chunk["outcome_root"])
        streamed = (await client.get(f"/v0/block/{height}"))[1]["shards"][0]
        assert outcome in [each["execution_outcome"] for each in (*streamed["receipt_execution_outcomes"],)] + [
            each["outcome"]["execution_outcome"] for each in streamed["chunk"]["transactions"]
        ]


@pytest.mark.parametrize("method", BLOCK_METHODS)
async def test_a_block_is_proven_under_itself_and_a_later_one(client, sent, method):
    head = await head_of(client)
    for height in (0, 1, head["height"] - 1, head["height"]):
        block = (await client.call("block", [height]))["header"]
        answer = await client.call(method, {"block_hash": block["hash"], "light_client_head": head["hash"]})
        assert answer.keys() == {"block_header_lite", "block_proof"}
        assert block_is_proven(answer, head)
    assert answer["block_proof"] == []


async def test_who_asks_too_early_is_told_so_and_gets_the_blocks_it_takes(chain, alice, serving, answered):
    async with serving(chain) as client:
        text = b64encode(alice.sign("near", [Transfer(1)]).encoded).decode()
        sent = await client.call("send_tx", {"signed_tx_base64": text, "wait_until": "FINAL"})
        head = await head_of(client)
        last = sent["receipts_outcome"][-1]
        assert last["block_hash"] == head["hash"]
        with pytest.raises(answered, match="NOT_CONFIRMED") as raised:
            await client.call("light_client_proof", of_receipt(last, head["hash"]))
        assert raised.value.info == {"transaction_or_receipt_id": last["id"]}
        assert raised.value.data == f"{last['id']} has not been confirmed"
        assert (await client.get(f"/v0/block/{head['height'] + 2}?wait=30"))[0] == 200
        later = await head_of(client)
        assert later["height"] == head["height"] + 2
        assert outcome_is_proven(await client.call("light_client_proof", of_receipt(last, later["hash"])), later)
        # Two blocks and no more.
        assert (await head_of(client))["height"] == head["height"] + 2


async def test_what_cannot_be_proven_is_told_in_nearcores_words(client, sent, answered):
    head, genesis = await head_of(client), await client.call("block", [0])
    known = of_transaction(sent, head["hash"])
    refusals = (
        (known | {"transaction_hash": ELSEWHERE}, "UNKNOWN_TRANSACTION_OR_RECEIPT", f"{ELSEWHERE} does not exist"),
        (known | {"light_client_head": ELSEWHERE}, "UNKNOWN_BLOCK", f"DB Not Found Error: BLOCK HEADER: {ELSEWHERE}"),
        (known | {"light_client_head": genesis["header"]["hash"]}, "INTERNAL_ERROR", "Internal error: block .* is ahead of head block"),
        (known | {"type": "block"}, "PARSE_ERROR", "`type`: one of transaction, receipt is wanted"),
        ({"type": "receipt"}, "PARSE_ERROR", "missing field `receipt_id`"),
        ([], "PARSE_ERROR", "missing field `type`"),
        (known | {"sender_id": "No One"}, "PARSE_ERROR", "`sender_id`"),
    )
    for params, cause, text in refusals:
        with pytest.raises(answered, match=text) as raised:
            await client.call("light_client_proof", params)
        assert raised.value.cause == cause
    for params in (
        {"block_hash": ELSEWHERE, "light_client_head": head["hash"]},
        {"block_hash": head["hash"], "light_client_head": ELSEWHERE},
    ):
        with pytest.raises(answered, match="UNKNOWN_BLOCK") as raised:
            await client.call("light_client_block_proof", params)
        assert (raised.value.info, raised.value.data) == ({}, f"DB Not Found Error: BLOCK HEADER: {ELSEWHERE}")


async def test_a_receipt_that_waits_has_no_proof(client, alice, greeter, signed, answered):
    outcome = await client.call("send_tx", {"signed_tx_base64": signed(alice, greeter, "ask"), "wait_until": "INCLUDED"})
    await client.call("sandbox_fast_forward", {"delta_height": 3})
    status = await client.call("tx", {"tx_hash": outcome["transaction"]["hash"], "sender_account_id": "near", "wait_until": "INCLUDED"})
    waiting = status["receipts_outcome"][0]["outcome"]["status"]["SuccessReceiptId"]
    params = {
        "type": "receipt",
        "receipt_id": waiting,
        "receiver_id": "greeter.test.near",
        "light_client_head": (await head_of(client))["hash"],
    }
    with pytest.raises(answered, match="UNKNOWN_TRANSACTION_OR_RECEIPT"):
        await client.call("light_client_proof", params)
