"""Blocks over GET: every one once, in order, held back until it is made."""

import asyncio
import json

from localnet import NEAR
from localnet.values.actions import Transfer


def executed(block):
    return block["shards"][0]["receipt_execution_outcomes"]


async def test_a_block_has_exactly_the_members_of_the_indexers(client, alice, greeter, signed):
    sent = await client.call("send_tx", {"signed_tx_base64": signed(alice, greeter, "greet", b"you"), "wait_until": "FINAL"})
    height = (await client.call("block", {"block_id": sent["transaction_outcome"]["block_hash"]}))["header"]["height"]
    _, block = await client.get(f"/v0/block/{height}")
    assert block.keys() == {"block", "shards"}
    assert block["block"].keys() == {"author", "header", "chunks"}
    (shard,) = block["shards"]
    assert shard.keys() == {"shard_id", "chunk", "receipt_execution_outcomes", "state_changes"}
    assert shard["chunk"].keys() == {"author", "header", "transactions", "receipts", "local_receipts", "instant_receipts"}
    (transaction,) = shard["chunk"]["transactions"]
    assert transaction["transaction"] == sent["transaction"]
    assert transaction["outcome"] == {"execution_outcome": sent["transaction_outcome"], "receipt": None}
    _, after = await client.get(f"/v0/block/{height + 1}")
    (ran,) = executed(after)
    assert ran.keys() == {"execution_outcome", "receipt", "tx_hash"}
    assert ran["execution_outcome"] == sent["receipts_outcome"][0]
    assert ran["tx_hash"] == sent["transaction"]["hash"]
    assert ran["receipt"]["receiver_id"] == "greeter.test.near"
    assert ran["receipt"]["receipt"]["Action"]["signer_public_key"] == sent["transaction"]["public_key"]
    assert ran["receipt"] in after["shards"][0]["chunk"]["receipts"]


async def test_a_receipt_to_oneself_is_a_local_one(chain, alice, serving):
    sent = alice.send(alice.account_id, [Transfer(NEAR)])
    async with serving(chain) as client:
        _, block = await client.get(f"/v0/block/{sent.transaction_outcome.block_height}")
    chunk = block["shards"][0]["chunk"]
    assert chunk["receipts"] == []
    (local,) = chunk["local_receipts"]
    assert chunk["transactions"][0]["outcome"]["receipt"] == local == executed(block)[0]["receipt"]


async def test_every_receipt_that_runs_is_in_exactly_one_block(client, alice, greeter, signed):
    ids = []
    for _ in range(3):
        outcome = await client.call("send_tx", {"signed_tx_base64": signed(alice, greeter, "relay", b"x"), "wait_until": "FINAL"})
        ids += [each["id"] for each in outcome["receipts_outcome"]]
    head = (await client.call("status"))["sync_info"]["latest_block_height"]
    blocks = [(await client.get(f"/v0/block/{height}"))[1] for height in range(head + 1)]
    streamed = [each["execution_outcome"]["id"] for block in blocks for each in executed(block)]
    assert len(streamed) == len(set(streamed))
    assert set(ids) <= set(streamed)
    hashes = [block["block"]["header"]["hash"] for block in blocks]
    assert [block["block"]["header"]["prev_hash"] for block in blocks[1:]] == hashes[:-1]


async def test_a_block_just_ahead_is_held_until_it_is_made(client, alice, greeter, signed):
    head = (await client.get("/health"))[1]["height"]
    held = asyncio.create_task(client.get(f"/v0/block/{head + 2}?wait=30"))
    optimistic = asyncio.create_task(client.get(f"/v0/block_opt/{head + 1}?wait=30"))
    await client.call("broadcast_tx_commit", [signed(alice, greeter, "greet")])
    status, block = await held
    assert (status, block["block"]["header"]["height"]) == (200, head + 2)
    assert executed(block)[0]["execution_outcome"]["outcome"]["logs"] == ["greeting"]
    assert (await optimistic)[1]["block"]["header"]["height"] == head + 1


async def test_a_block_that_does_not_come_in_time_is_not_found(client):
    head = (await client.get("/health"))[1]["height"]
    status, answer = await client.get(f"/v0/block/{head + 1}?wait=0")
    assert (status, answer["type"]) == (404, "BLOCK_DOES_NOT_EXIST")
    assert answer["error"] == f"block {head + 1} is not there yet; the newest is {head}"


async def test_a_block_far_ahead_is_not_waited_for(client):
    head = (await client.get("/health"))[1]["height"]
    for height in (head + 101, 10**19):
        assert (await client.get(f"/v0/block/{height}?wait=60"))[0] == 404


async def test_last_and_first_lead_to_their_blocks(client):
    head = (await client.get("/health"))[1]["height"]
    for path, height in (("last_block/final", head), ("last_block/optimistic", head), ("first_block", 0)):
        status, block = await client.get(f"/v0/{path}")
        assert (status, block["block"]["header"]["height"]) == (200, height)
    async with client.session.get(f"{client.server.blocks_url}/v0/last_block/final", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, f"/v0/block/{head}")


async def test_a_block_that_is_forgotten_is_gone_and_the_oldest_is_named(chain, serving, monkeypatch):
    monkeypatch.setattr("localnet.state.memory.MOST_BLOCKS", 10)
    async with serving(chain) as client:
        await client.call("sandbox_fast_forward", {"delta_height": 100})
        status, answer = await client.get("/v0/block/5")
        assert (status, answer["type"]) == (410, "BLOCK_IS_FORGOTTEN")
        assert answer["error"] == "block 5 is not kept any more; the oldest kept is 91"
        assert (await client.get("/v0/first_block"))[1]["block"]["header"]["height"] == 91


async def test_wrong_heights_and_waits_are_refused(client):
    for path in (
        "/v0/block/x",
        "/v0/block/-1",
        "/v0/block/1.5",
        "/v0/block/9?wait=x",
        "/v0/block/9?wait=-1",
        "/v0/block/9?wait=61",
        "/v0/block/9?wait=nan",
    ):
        status, answer = await client.get(path)
        assert (status, answer["type"]) == (400, "BAD_REQUEST")
    assert (await client.get("/v0/blocks/1"))[0] == 404


async def test_a_large_catch_up_is_served_from_history(chain, serving):
    async with serving(chain) as client:
        await client.call("sandbox_fast_forward", {"delta_height": 150})
        heights = [json.dumps((await client.get(f"/v0/block/{height}"))[1]["block"]["header"]["height"]) for height in range(150)]
    assert heights == [str(height) for height in range(150)]
