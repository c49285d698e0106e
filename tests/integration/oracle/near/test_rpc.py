"""The RPC client against servers that fail in every way a node may."""

import asyncio
import base64
import json

import pytest
from aiohttp import web

from oracle.errors import RpcRefused, RpcUnavailable, TransactionRefused
from oracle.near import Contract, Rpc, contract
from oracle.near.rpc_errors import AccessKeyUnknown, AccountUnknown, MethodMissing, ViewFailed
from oracle.near.transactions import Failed, Fate, fate_of
from oracle.testing.chain import request as a_request
from oracle.testing.clock import EagerClock

BLOCK = {"result": {"header": {"height": 7, "hash": "abc", "timestamp_nanosec": "5"}}}


def handler_error(cause, data="text", **info):
    return {
        "error": {"name": "HANDLER_ERROR", "cause": {"name": cause, "info": info}, "code": -32000, "message": "Server error", "data": data}
    }


def view(value, height=100):
    return {"result": {"result": list(json.dumps(value).encode()), "logs": [], "block_height": height, "block_hash": "h"}}


async def test_the_next_node_is_asked_when_one_fails_and_the_failed_one_rests(serving, scripted):
    bad, good = scripted(lambda _: web.Response(status=503, text="no")), scripted(BLOCK)
    async with serving(bad.handle) as one, serving(good.handle) as two, Rpc([one, two], clock := EagerClock()) as rpc:
        assert (await rpc.final_block()).height == 7
        assert (await rpc.final_block()).height == 7
        assert (len(bad.asked), len(good.asked)) == (1, 2)
        await clock.sleep(60)
        await rpc.final_block()
        assert len(bad.asked) == 2


async def test_one_broken_node_of_several_behind_a_url_is_not_noticed(serving, scripted):
    every_other = scripted(lambda _: web.Response(status=502), BLOCK, lambda _: web.Response(status=502), BLOCK)
    async with serving(every_other.handle) as url, Rpc([url], clock := EagerClock()) as rpc:
        assert (await rpc.final_block()).height == 7
        assert (await rpc.final_block()).height == 7
        assert clock.slept_s == [0.2, 0.2]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda _: web.Response(text="<html>"), "no JSON"),
        (lambda _: web.Response(text="[" * 100_000), "no JSON"),
        (lambda _: web.Response(status=500, text=""), "status 500"),
        (lambda _: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), "status 302"),
        ([1, 2], "neither result nor error"),
        ({"result": {"header": {}}}, "no readable header"),
        ({"result": None}, "no readable header"),
        ({"error": "bad"}, "cannot be read"),
        (lambda _: web.Response(body=b"{" + b" " * (33 * 1024 * 1024)), "more than"),
    ],
    ids=["html", "deep", "500", "redirect", "list", "no header", "null", "text error", "huge"],
)
async def test_nonsense_is_an_unavailable_node(serving, scripted, answer, says):
    async with serving(scripted(answer).handle) as url, Rpc([url], EagerClock()) as rpc:
        with pytest.raises(RpcUnavailable, match=says):
            await rpc.final_block()


async def test_nobody_listening_and_no_answer_in_time_are_unavailable_nodes(serving):
    async def hang(_request):
        await asyncio.Event().wait()

    async with Rpc(["http://127.0.0.1:1"], EagerClock()) as rpc:
        with pytest.raises(RpcUnavailable, match="cannot connect"):
            await rpc.final_block()
    async with serving(hang) as url, Rpc([url], EagerClock(), timeout_s=0.05) as rpc:
        with pytest.raises(RpcUnavailable, match="no answer in time"):
            await rpc.final_block()


async def test_an_api_key_in_the_url_shows_in_no_error():
    async with Rpc(["http://user:SECRET@127.0.0.1:1/SECRET?key=SECRET"], EagerClock()) as rpc:
        with pytest.raises(RpcUnavailable) as caught:
            await rpc.final_block()
    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    assert "SECRET" not in shown
    assert "http://127.0.0.1:1" in shown


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (handler_error("UNKNOWN_ACCOUNT"), AccountUnknown),
        (handler_error("UNKNOWN_ACCESS_KEY"), AccessKeyUnknown),
        (handler_error("NO_CONTRACT_CODE"), MethodMissing),
        (handler_error("CONTRACT_EXECUTION_ERROR", "MethodResolveError(MethodNotFound)"), MethodMissing),
        (handler_error("CONTRACT_EXECUTION_ERROR", "HostError(GuestPanic)"), ViewFailed),
        (handler_error("UNKNOWN_BLOCK"), RpcRefused),
        (handler_error("INTERNAL_ERROR"), RpcRefused),
        ({"error": {"name": "REQUEST_VALIDATION_ERROR", "cause": {"name": "METHOD_NOT_FOUND"}, "data": "x"}}, RpcRefused),
    ],
)
async def test_a_nodes_error_becomes_a_typed_one_whatever_the_http_status(serving, scripted, answer, error):
    for status in (200, 422, 500):
        script = scripted(lambda _, status=status: web.json_response(answer, status=status))
        async with serving(script.handle) as url, Rpc([url], EagerClock()) as rpc:
            with pytest.raises(error):
                await rpc.call("query", {})


async def test_an_error_of_the_node_itself_lets_the_next_node_answer(serving, scripted):
    bad, good = scripted(handler_error("INTERNAL_ERROR")), scripted(BLOCK)
    async with serving(bad.handle) as one, serving(good.handle) as two, Rpc([one, two], EagerClock()) as rpc:
        assert (await rpc.final_block()).height == 7


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"TxExecutionError": {"InvalidTxError": {"InvalidNonce": {"ak_nonce": 5, "tx_nonce": 2}}}}, "InvalidNonce"),
        ({"TxExecutionError": {"InvalidTxError": "Expired"}}, "Expired"),
        ({"TxExecutionError": {"InvalidTxError": {"InvalidAccessKeyError": {"NotEnoughAllowance": {"cost": "1"}}}}}, "NotEnoughAllowance"),
        ({"TxExecutionError": {"InvalidTxError": {"NotEnoughBalance": {"signer_id": "a"}}}}, "NotEnoughBalance"),
        ("garbage", "garbage"),
        (None, "Unknown"),
    ],
)
async def test_a_refused_transaction_carries_nearcores_name_for_the_reason(serving, scripted, data, kind):
    async with serving(scripted(handler_error("INVALID_TRANSACTION", data)).handle) as url, Rpc([url], EagerClock()) as rpc:
        with pytest.raises(TransactionRefused) as caught:
            await rpc.call("broadcast_tx_async", ["x"])
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        (handler_error("UNKNOWN_TRANSACTION"), Fate.UNKNOWN),
        (handler_error("TIMEOUT_ERROR"), Fate.UNKNOWN),
        ({"result": {"final_execution_status": "NONE"}}, Fate.UNKNOWN),
        ({"result": {"final_execution_status": "INCLUDED", "status": "Started"}}, Fate.PENDING),
        ({"result": {"final_execution_status": "INCLUDED"}}, Fate.PENDING),
        ({"result": {"final_execution_status": "FINAL", "status": {"SuccessValue": ""}}}, Fate.SUCCEEDED),
        (
            {
                "result": {
                    "status": {"Failure": {"ActionError": {"index": 0, "kind": {"FunctionCallError": {"ExecutionError": "panicked"}}}}}
                }
            },
            Failed("panicked"),
        ),
        ({"result": {"status": {"Failure": {"ActionError": {"kind": {"LackBalanceForState": {"amount": "1"}}}}}}}, Failed("1")),
    ],
)
async def test_the_fate_of_a_transaction_is_told(serving, scripted, answer, fate):
    async with serving(scripted(answer).handle) as url, Rpc([url], EagerClock()) as rpc:
        found = await fate_of(rpc, "hash", "worker.near")
    assert found == fate


async def test_views_are_read_and_a_lagging_nodes_word_is_refused(serving, scripted):
    async with serving(scripted(view(["1", "2", "3", "4"])).handle) as url, Rpc([url], EagerClock()) as rpc:
        assert (await Contract(rpc, "o").pricing()).per_ms_fee == 3
    async with serving(scripted(view(None)).handle) as url, Rpc([url], EagerClock()) as rpc:
        contract = Contract(rpc, "o")
        assert await contract.request(5, at_least_height=100) is None
        with pytest.raises(RpcUnavailable, match="lags"):
            await contract.request(5, at_least_height=101)


async def test_a_request_is_read_from_the_state_with_its_input(serving, scripted):
    stored = {"request_id": 5, "sender_id": "a", "code_source": {"WasmUrl": {"url": "u", "hash": "h"}}, "payment": "1", "timestamp": 3}
    answer = view({**stored, "input_data": "x" * 20_000, "input_data_in_state": True})
    async with serving(scripted(answer).handle) as url, Rpc([url], EagerClock()) as rpc:
        request = await Contract(rpc, "o").request(5)
    assert request.input_data == "x" * 20_000
    assert request.request_id == a_request(5).request_id


async def test_all_pages_of_pending_requests_are_read(serving, scripted):
    ids = list(range(250))

    def page(body):
        args = json.loads(base64.b64decode(body["params"]["args_base64"]))
        return view(ids[args["from_index"] : args["from_index"] + args["limit"]])

    async with serving(scripted(page).handle) as url, Rpc([url], EagerClock()) as rpc:
        assert list(await Contract(rpc, "o").pending_request_ids()) == ids


@pytest.mark.parametrize("value", [None, {}, ["1"], [-1], [2**63], "x", [1.5]])
async def test_pending_requests_that_are_no_list_of_numbers_are_nonsense(serving, scripted, value):
    async with serving(scripted(view(value)).handle) as url, Rpc([url], EagerClock()) as rpc:
        with pytest.raises(RpcUnavailable):
            await Contract(rpc, "o").pending_request_ids()


async def test_whether_a_contract_can_extend_and_keeps_receipts_is_found_by_asking(serving, scripted):
    def legacy(text):
        return {"result": {"error": f"wasm execution failed with error: {text}", "logs": [], "block_height": 1, "block_hash": "h"}}

    for text, known in (
        ("MethodResolveError(MethodNotFound)", False),
        ('HostError(ProhibitedInView { method_name: "predecessor_account_id" })', True),
    ):
        async with serving(scripted(legacy(text)).handle) as url, Rpc([url], EagerClock()) as rpc:
            assert await Contract(rpc, "o").can_extend() is known
            assert await Contract(rpc, "o").keeps_receipts() is known


async def test_the_standard_of_the_events_is_asked_for(serving, scripted):
    for answer, standard in ((view(["near-outlayer", "1.0.0"]), "near-outlayer"), (view({"standard": "x"}), "x"), (view(3), None)):
        async with serving(scripted(answer).handle) as url, Rpc([url], EagerClock()) as rpc:
            assert await Contract(rpc, "o").event_standard() == standard


def raw_view(result):
    return {"result": {"result": result, "logs": [], "block_height": 100, "block_hash": "h"}}


@pytest.mark.parametrize("result", [10**13, 2**70, -1, True, "text", [256], [1.5], [[1]], {"0": 1}, None])
async def test_what_a_view_returns_is_a_list_of_bytes_or_nonsense(serving, scripted, result):
    async with serving(scripted(raw_view(result)).handle) as url, Rpc([url], EagerClock()) as rpc:
        with pytest.raises(RpcUnavailable, match="cannot be read"):
            await Contract(rpc, "c").view("get_pricing", {})


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999", "9" * 5_000])
async def test_a_number_that_is_none_is_nonsense_wherever_it_stands(serving, scripted, number):
    def texts(text):
        return lambda _body: web.json_response(raw_view(list(text.encode())))

    def header(_body):
        return web.Response(text=f'{{"result":{{"header":{{"height":7,"hash":"abc","timestamp_nanosec":{number}}}}}}}')

    answers = scripted(header, header, texts(f"[{number},{number},{number}]"), texts(f"[{number},{number},{number},{number}]"))
    async with serving(answers.handle) as url, Rpc([url], EagerClock()) as rpc:
        for ask in (rpc.final_block, Contract(rpc, "c").max_limits, Contract(rpc, "c").pricing):
            with pytest.raises(RpcUnavailable):
                await ask()


async def test_pages_of_pending_requests_that_have_no_end_are_nonsense(serving, scripted, monkeypatch):
    monkeypatch.setattr(contract, "MAX_PAGES", 5)

    def page(body):
        first = json.loads(base64.b64decode(body["params"]["args_base64"]))["from_index"]
        return web.json_response(view(list(range(first, first + 100))))

    node = scripted(page)
    async with serving(node.handle) as url, Rpc([url], EagerClock()) as rpc:
        with pytest.raises(RpcUnavailable, match="pages"):
            await Contract(rpc, "c").pending_request_ids()
    assert len(node.asked) == 5
