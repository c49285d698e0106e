"""The HTTP server itself: limits, statuses, and that a contract which runs long stops nobody but itself."""

import asyncio
import json
import threading

import pytest

from localnet.rpc.envelope import MAX_REQUEST_BYTES
from localnet.state.store import StateError
from localnet.values.actions import FunctionCall


async def test_json_rpc_errors_have_status_200_and_the_requests_id(client):
    status, answer = await client.post(b'{"jsonrpc":"2.0","id":"mine","method":"nothing","params":[]}')
    assert (status, answer["id"]) == (200, "mine")
    assert answer["error"] == {
        "name": "REQUEST_VALIDATION_ERROR",
        "cause": {"name": "METHOD_NOT_FOUND", "info": {"method_name": "nothing"}},
        "code": -32601,
        "message": "Method not found",
        "data": "nothing",
    }


async def test_what_is_no_json_has_status_200_and_no_id(client):
    status, answer = await client.post(b"{")
    assert (status, answer["id"], answer["error"]["code"], answer["error"]["message"]) == (200, None, -32700, "Parse error")
    assert answer["error"]["data"] == answer["error"]["cause"]["info"]["error_message"]


async def test_a_request_above_the_size_limit_is_refused_by_the_figure(client):
    status, answer = await client.post(b" " * (MAX_REQUEST_BYTES + 1))
    assert (status, answer["error"]["data"]) == (413, f"the request has more than {MAX_REQUEST_BYTES} bytes")


async def test_pages_of_any_origin_may_call(client):
    async with client.session.options(client.server.rpc_url) as response:
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (204, "*")
    for path in ("/health", "/nothing"):
        async with client.session.get(client.server.rpc_url + path) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_other_paths_and_methods_are_not_found(client):
    assert (await client.get("/nothing"))[0] == 404
    assert (await client.get("/"))[0] == 405


async def test_health_and_status_answer_while_a_contract_runs(chain, alice, holder, signed, serving):
    async with serving(chain) as client:
        holding = asyncio.create_task(client.call("broadcast_tx_commit", [signed(alice, "holder.test.near", "hold")]))
        await asyncio.to_thread(holder.entered.wait, 10)
        assert (await client.get("/health"))[1]["status"] == "ok"
        assert (await client.get("/status"))[1]["chain_id"] == "localnet"
        assert (await client.call("status"))["chain_id"] == "localnet"
        holder.gate.set()
        await holding


async def test_a_chain_that_cannot_write_says_so_and_goes_on_when_it_can(chain, alice, greeter, serving, monkeypatch):
    monkeypatch.setattr("localnet.rpc.production._FIRST_RETRY_S", 0.001)
    produce, is_full = chain.produce_block, threading.Event()
    is_full.set()

    def produce_unless_full():
        if is_full.is_set():
            raise StateError("no space left on device")
        return produce()

    monkeypatch.setattr(chain, "produce_block", produce_unless_full)
    async with serving(chain) as client:
        sending = asyncio.create_task(client.commit(alice.sign(greeter.account_id, [FunctionCall("greet", b"", 10**13, 0)])))
        while (health := await client.get("/health"))[0] == 200:
            pass
        assert health == (503, health[1] | {"status": "failing", "reason": "blocks cannot be written: no space left on device"})
        is_full.clear()
        assert "SuccessValue" in (await sending)["status"]
        assert (await client.get("/health"))[0] == 200


async def test_who_sends_to_a_full_disk_is_told_so_and_may_send_again(client, alice, greeter, monkeypatch, answered):
    transaction = alice.sign(greeter.account_id, [FunctionCall("greet", b"", 10**13, 0)])

    def full(*_):
        raise StateError("chain.sqlite cannot be written (database or disk is full)")

    with monkeypatch.context() as patch:
        patch.setattr("localnet.state.memory.MemoryStore.add_pooled", full)
        with pytest.raises(answered, match="disk is full") as raised:
            await client.commit(transaction)
    assert raised.value.cause == "INTERNAL_ERROR"
    assert "SuccessValue" in (await client.commit(transaction))["status"]


async def test_a_mistake_of_ours_is_answered_in_the_only_shape_clients_read(client, chain, monkeypatch, answered):
    def fail(account_id):
        raise ZeroDivisionError(account_id)

    monkeypatch.setattr(chain, "account", fail)
    with pytest.raises(answered, match="ZeroDivisionError, see the log") as raised:
        await client.query("view_account", account_id="alice.test.near")
    assert raised.value.error["name"] == raised.value.cause == "INTERNAL_ERROR"


async def test_a_flood_of_waiting_requests_is_refused_by_the_figure(chain, alice, holder, serving, monkeypatch):
    monkeypatch.setattr("localnet.rpc.dispatch.MAX_WAITING", 2)
    async with serving(chain) as client:
        holding = asyncio.create_task(client.commit(chain.root.sign(holder.account_id, [holder.call])))
        await asyncio.to_thread(holder.entered.wait, 10)
        views = [asyncio.create_task(client.query("view_account", account_id="test.near")) for _ in range(3)]
        done, _ = await asyncio.wait(views, return_when=asyncio.FIRST_EXCEPTION)
        with pytest.raises(Exception, match="2 requests wait for the chain; at most 2 may"):
            done.pop().result()
        holder.gate.set()
        await holding
        await asyncio.gather(*views, return_exceptions=True)


@pytest.mark.parametrize("request_id", [0, -1, 1.5, "x", None, "\u2028"])
async def test_any_id_comes_back(client, request_id):
    _, answer = await client.post(json.dumps({"jsonrpc": "2.0", "id": request_id, "method": "gas_price", "params": [None]}).encode())
    assert answer == {"jsonrpc": "2.0", "result": {"gas_price": "100000000"}, "id": request_id}
