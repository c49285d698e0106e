"""When blocks come: on demand or by period."""

import asyncio


async def height(client):
    return (await client.get("/health"))[1]["height"]


async def test_an_idle_chain_on_demand_makes_no_blocks(client):
    before = await height(client)
    for _ in range(20):
        await client.query("view_account", account_id="alice.test.near")
    assert await height(client) == before


async def test_on_demand_blocks_come_until_nothing_is_in_flight(client, alice, greeter, signed):
    before = await height(client)
    await client.call("send_tx", {"signed_tx_base64": signed(alice, greeter, "greet"), "wait_until": "FINAL"})
    # The transaction, its receipt, the refund.
    assert await height(client) == before + 3


async def test_a_pending_yield_forces_no_blocks(chain, client, alice, greeter, signed):
    await client.call("send_tx", {"signed_tx_base64": signed(alice, greeter, "ask"), "wait_until": "INCLUDED"})
    while chain.has_work:
        await height(client)
    before = await height(client)
    for _ in range(20):
        await client.query("view_account", account_id="alice.test.near")
    assert await height(client) == before


async def test_by_period_empty_blocks_come_too(chain, serving):
    async with serving(chain, block_time_s=0.001) as client:
        assert (await client.get("/v0/block/20?wait=30"))[0] == 200
        _, first = await client.get("/v0/block/19")
        _, second = await client.get("/v0/block/20")
    assert second["shards"][0]["chunk"]["transactions"] == []
    assert second["block"]["header"]["timestamp"] > first["block"]["header"]["timestamp"]


async def test_a_period_waits_before_it_takes_a_transaction(chain, alice, greeter, signed, serving):
    async with serving(chain, block_time_s=3600) as client:
        before = await height(client)
        await client.call("broadcast_tx_async", [signed(alice, greeter, "greet")])
        assert await height(client) == before


async def test_transactions_that_waited_when_the_chain_stopped_run_when_it_is_served(chain, alice, greeter, serving):
    from localnet.values.actions import FunctionCall  # noqa: PLC0415

    tx_hash = alice.submit(greeter.account_id, [FunctionCall("greet", b"", 10**13, 0)])
    before = chain.head.height
    async with serving(chain) as client:
        assert (await client.get(f"/v0/block/{before + 1}?wait=30"))[0] == 200
    assert not chain.is_waiting(tx_hash)


async def test_a_time_out_of_the_last_block_of_a_fast_forward_needs_no_other_transaction_to_be_heard(chain, alice, greeter, serving):
    asked = alice.call(greeter.account_id, "ask")
    created = asked.receipt_outcomes[0].block_height
    ahead = created + 200 - chain.head.height
    async with serving(chain) as client:
        await client.call("sandbox_fast_forward", {"delta_height": ahead})
        assert (await client.get(f"/v0/block/{created + 201}?wait=10"))[0] == 200
    assert chain.transaction(asked.hash).value == b"null"


async def test_fast_forward_moves_height_and_time_and_lets_yields_time_out(client, alice, greeter, signed):
    asking = asyncio.create_task(client.call("broadcast_tx_commit", [signed(alice, greeter, "ask")]))
    while not (await client.query("view_state", account_id="greeter.test.near", prefix_base64=""))["values"]:
        pass
    _, before = await client.get("/v0/last_block/final")
    assert await client.call("sandbox_fast_forward", {"delta_height": 205}) == {}
    _, after = await client.get("/v0/last_block/final")
    header, later = before["block"]["header"], after["block"]["header"]
    assert later["height"] >= header["height"] + 205
    assert later["timestamp"] >= header["timestamp"] + 204 * 10**9
    assert (await asking)["status"] == {"SuccessValue": "bnVsbA=="}
