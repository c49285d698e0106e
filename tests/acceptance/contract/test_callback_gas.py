"""Answers whose callback is dearer than others: gas that hangs on who waits, who is paid, and how much is freed."""

import json

import pytest

from localnet import NEAR, TGAS
from tests.acceptance.contract.stage import BASE_FEE, IMPLICIT, OUTLAYER, USED, Asked, arguments
from tests.acceptance.contract.test_answers import LONGEST

ASKER = "asker.test.near"
PRICE = BASE_FEE + 5 * 10**14 + 20 * 10**17


def ask_for_many(stage, waiting, attached=300 * TGAS, **changes):
    """A request whose answer goes to this many promises, each of which is paid for by the callback that hands it on."""
    args = {"oracle_id": OUTLAYER, "request_json": json.dumps(arguments(**changes)), "gas": str(60 * TGAS), "waiting": waiting}
    stage.account("alice").call(ASKER, "ask_for_many", args, deposit_yocto=NEAR // 10, gas=attached).raise_for_failure()
    return stage.last_request["request_id"]


def answer(stage, request_id, text, gas):
    response = {"success": True, "output": {"Text": text}, "resources_used": USED}
    stage.call("operator", "resolve_execution", {"request_id": request_id, "response": response}, gas=gas)


# Gas as the worker attaches it (oracle.near.calls): an answer that goes by the state, and one that travels along.
@pytest.mark.parametrize(
    ("waiting", "attached", "text", "gas"), [(8, 300 * TGAS, LONGEST, 200 * TGAS), (900, 1_000 * TGAS, "x" * 900, 30 * TGAS)]
)
@pytest.mark.parametrize("payer", ["bob.test.near", IMPLICIT])
def test_a_run_is_paid_for_even_when_its_answer_has_too_many_listeners(stage, *, waiting, attached, text, gas, payer):
    request_id = ask_for_many(stage, waiting, attached, payer_account_id=payer)
    answer(stage, request_id, text, gas)
    assert stage.view("get_request", request_id=request_id) is not None
    answer(stage, request_id, text, gas)
    outcome = stage.outcome(request_id)
    assert (outcome["status"], outcome["payment_charged"]) == ("Succeeded", str(PRICE))
    assert int(outcome["payment_refunded"]) == NEAR // 10 - PRICE
    assert stage.completed[request_id] == 1
    stage.past_deadline()
    refusal = stage.refused("alice", "call_oracle", cancel_by_asker(request_id), contract_id=ASKER)
    assert f"request {request_id} is not pending" in refusal


def cancel_by_asker(request_id):
    args = {"oracle_id": OUTLAYER, "method": "cancel_stale_execution", "args_json": json.dumps({"request_id": request_id})}
    return args | {"gas": str(50 * TGAS)}


def test_the_longest_request_of_a_failed_callback_is_settled_with_the_gas_of_a_worker(stage):
    """The dearest that can be settled with a failure: half a megabyte to free, and an implicit account to pay."""
    request = json.dumps(arguments(input_data="i" * 500_000, payer_account_id=IMPLICIT))
    args = {"oracle_id": OUTLAYER, "request_json": request, "gas": str(180 * TGAS), "waiting": 20}
    stage.account("alice").call(ASKER, "ask_for_many", args, deposit_yocto=8 * NEAR, gas=400 * TGAS).raise_for_failure()
    request_id = stage.last_request["request_id"]
    stage.answer_large(request_id, {"Text": LONGEST}, gas=200 * TGAS)
    assert stage.view("get_request", request_id=request_id) is not None
    answer(stage, request_id, "short", 30 * TGAS)
    assert stage.outcome(request_id)["status"] == "Succeeded"


@pytest.mark.parametrize("payer", ["alice.test.near", IMPLICIT])
@pytest.mark.parametrize("input_bytes", [5, 500_000])
def test_the_longest_answer_fits_the_last_window_whoever_is_paid_and_whatever_is_freed(stage, payer, input_bytes):
    least = stage.view("get_minimum_gas", input_bytes=input_bytes)
    request = json.dumps(arguments(input_data="i" * input_bytes, payer_account_id=payer))
    args = {"oracle_id": OUTLAYER, "request_json": request, "gas": str(least), "callback": "Keep", "callback_gas": str(20 * TGAS)}
    outcome = stage.account("alice").call(ASKER, "ask", args, deposit_yocto=8 * NEAR, gas=least + 100 * TGAS)
    asked, windows = Asked(stage.last_request["request_id"], outcome.hash), 0
    while True:
        before, completed = stage.chain.snapshot(), stage.completed.copy()
        stage.call("operator", "extend_execution", {"request_id": asked.request_id})
        stage.time_out()
        if stage.outcome(asked.request_id) is not None:
            break
        assert stage.view("get_request", request_id=asked.request_id)["progress_announced"] is False
        windows += 1
        assert windows < 50
    assert windows >= 3
    stage.chain.restore(before)
    stage.completed = completed
    stage.answer_large(asked.request_id, {"Text": LONGEST})
    assert stage.outcome(asked.request_id)["status"] == "Succeeded"
    assert json.loads(stage.view("get_result", ASKER)) == LONGEST
