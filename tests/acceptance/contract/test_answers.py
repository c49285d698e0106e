"""Answers, time-outs, cancels: how a request ends, who hears what, and who gets which money."""

import base64
import json

import pytest

from localnet import NEAR, TGAS
from localnet.values.actions import DeleteAccount, FunctionCall
from tests.acceptance.contract.stage import BASE_FEE, LIMITS, OUTLAYER, SOURCE, USED

KIB_64 = 64 * 1024
LONGEST = "\n" * KIB_64


@pytest.mark.exercises("resolve_execution", "on_execution_response", "on_refund", "get_outcome", "get_stats")
def test_an_answer_is_billed_refunded_told_and_handed_on(stage):
    asked = stage.ask(payer_account_id="bob.test.near")
    before = stage.account("bob").balance_yocto
    stage.answer(asked.request_id, output={"Text": "42"}, receipt_sha256="cd" * 32, compilation_note="cached")
    charged = BASE_FEE + 5 * 10**14 + 20 * 10**17
    assert stage.result(asked) == "42"
    assert stage.account("bob").balance_yocto - before == NEAR // 10 - charged
    (event,) = stage.events["execution_completed"]
    assert event == {
        "request_id": asked.request_id,
        "sender_id": "alice.test.near",
        "code_source": {"WasmUrl": SOURCE["WasmUrl"] | {"build_target": None}},
        "resources_used": USED | {"compile_time_ms": None},
        "success": True,
        "error_message": None,
        "payment_charged": str(charged),
        "payment_refunded": str(NEAR // 10 - charged),
        "compilation_note": "cached",
        "timestamp": event["timestamp"],
    }
    outcome = stage.outcome(asked.request_id)
    assert (outcome["status"], outcome["payment_charged"], outcome["receipt_sha256"]) == ("Succeeded", str(charged), "cd" * 32)
    assert stage.view("get_stats") == [1, str(charged)]
    assert stage.view("get_request", request_id=asked.request_id) is None


@pytest.mark.parametrize(
    ("response_format", "output", "heard"),
    [
        ("Text", {"Text": 'a "b"'}, 'a "b"'),
        ("Json", {"Json": {"a": [1, None, "x"]}}, {"a": [1, None, "x"]}),
        ("Json", {"Text": " [1] "}, [1]),
        ("Bytes", {"Bytes": [0, 255, 7]}, base64.b64encode(bytes([0, 255, 7])).decode()),
        ("Text", {"Bytes": [104, 105]}, "hi"),
        ("Text", None, None),
    ],
)
def test_the_caller_receives_the_output_in_the_format_it_asked_for(stage, response_format, output, heard):
    asked = stage.ask(response_format=response_format)
    stage.answer(asked.request_id, output=output)
    assert stage.result(asked) == heard


@pytest.mark.parametrize(
    ("response_format", "output", "reason"), [("Text", {"Bytes": [255]}, "it is not UTF-8"), ("Json", {"Text": "{"}, "it is not JSON")]
)
def test_an_output_that_does_not_fit_its_format_ends_as_a_failure_with_the_reason(stage, response_format, output, reason):
    asked = stage.ask(response_format=response_format)
    stage.answer(asked.request_id, output=output)
    assert stage.result(asked) is None
    outcome = stage.outcome(asked.request_id)
    assert outcome["status"] == "Failed"
    assert reason in outcome["error"]
    assert outcome["payment_charged"] == str(BASE_FEE)


def test_a_failed_run_gives_null_and_costs_the_base_fee(stage):
    asked = stage.ask()
    stage.answer(asked.request_id, success=False, error="out of fuel", used={"instructions": 10**7, "time_ms": 9_000})
    assert stage.result(asked) is None
    assert stage.outcome(asked.request_id)["error"] == "out of fuel"
    assert stage.outcome(asked.request_id)["payment_charged"] == str(BASE_FEE)


def test_metrics_above_the_limits_are_billed_at_the_limits(stage):
    asked = stage.ask()
    stage.answer(asked.request_id, output={"Text": ""}, used={"instructions": 10**15, "time_ms": 10**12})
    assert stage.outcome(asked.request_id)["payment_charged"] == stage.view("estimate_execution_cost", resource_limits=LIMITS)


@pytest.mark.exercises("submit_execution_output", "get_pending_output", "has_pending_output")
def test_a_large_output_may_come_before_its_answer_and_be_replaced(stage):
    asked = stage.ask()
    assert stage.view("has_pending_output", request_id=asked.request_id) is False
    stage.call("operator", "submit_execution_output", {"request_id": asked.request_id, "output": {"Text": "first"}})
    stage.call("operator", "submit_execution_output", {"request_id": asked.request_id, "output": {"Text": "y" * 5_000}})
    assert stage.view("has_pending_output", request_id=asked.request_id) is True
    assert stage.view("get_pending_output", request_id=asked.request_id) == {"Text": "y" * 5_000}
    stage.answer(asked.request_id)
    assert stage.result(asked) == "y" * 5_000
    assert stage.view("has_pending_output", request_id=asked.request_id) is False


@pytest.mark.exercises("submit_execution_output_and_resolve")
@pytest.mark.parametrize(
    ("response_format", "output", "heard"),
    [
        ("Text", {"Text": "z" * 1_025}, "z" * 1_025),
        ("Text", {"Text": LONGEST}, LONGEST),
        ("Bytes", {"Bytes": [255] * KIB_64}, base64.b64encode(b"\xff" * KIB_64).decode()),
        ("Json", {"Json": [1] * 30_000}, [1] * 30_000),
    ],
)
def test_an_output_of_up_to_64_kib_arrives_in_one_call(stage, response_format, output, heard):
    asked = stage.ask(response_format=response_format)
    stage.answer_large(asked.request_id, output)
    assert stage.result(asked) == heard


def test_an_output_of_more_than_64_kib_is_refused_and_a_failure_can_follow(stage):
    asked = stage.ask()
    args = {"request_id": asked.request_id, "output": {"Text": "x" * (KIB_64 + 1)}}
    assert "65537 bytes long, and at most 65536" in stage.refused("operator", "submit_execution_output", args)
    stage.answer(asked.request_id, success=False, error="too long")
    assert stage.result(asked) is None


def test_only_the_operator_answers_and_only_once(stage):
    asked = stage.ask()
    response = {"success": True, "output": {"Text": "mine"}, "resources_used": USED}
    args = {"request_id": asked.request_id, "response": response}
    for who in ("alice", "owner"):
        assert "only the operator operator.test.near may call this" in stage.refused(who, "resolve_execution", args)
    stage.answer(asked.request_id, output={"Text": "once"})
    assert f"request {asked.request_id} is not pending" in stage.refused("operator", "resolve_execution", args)
    assert "request 99 is not pending" in stage.refused("operator", "extend_execution", {"request_id": 99})
    assert stage.result(asked) == "once"


def test_two_answers_in_one_block_settle_once(stage):
    asked = stage.ask()
    for text in ("first", "second"):
        response = {"success": True, "output": {"Text": text}, "resources_used": USED}
        args = json.dumps({"request_id": asked.request_id, "response": response}).encode()
        stage.account("operator").submit(OUTLAYER, (FunctionCall("resolve_execution", args, 100 * TGAS, 0),))
    stage.chain.run_until_idle()
    assert stage.result(asked) == "first"
    assert stage.completed[asked.request_id] == 1


def test_an_answer_in_the_block_of_the_time_out_settles_once(stage):
    for early in range(4):
        asked = stage.ask()
        stage.chain.advance_blocks(199 - early, seconds_each=0)
        response = {"success": True, "output": {"Text": "just in time"}, "resources_used": USED}
        stage.account("operator").call(OUTLAYER, "resolve_execution", {"request_id": asked.request_id, "response": response})
        stage.time_out(10)
        assert stage.result(asked) in {"just in time", None}
        assert stage.completed[asked.request_id] == 1


def test_a_request_nobody_answers_times_out_after_200_blocks_with_null(stage):
    asked = stage.ask()
    stage.chain.advance_blocks(190, seconds_each=0)
    assert stage.chain.transaction(asked.tx_hash).status is None
    stage.time_out(20)
    assert stage.result(asked) is None
    outcome = stage.outcome(asked.request_id)
    assert (outcome["status"], outcome["payment_charged"]) == ("TimedOut", str(BASE_FEE))
    assert stage.completed[asked.request_id] == 1


@pytest.mark.exercises("extend_execution")
def test_announced_progress_renews_the_yield_and_the_caller_sees_one_answer(stage):
    asked = stage.ask()
    old_data_id = stage.events["execution_requested"][0]["data_id"]
    stage.call("operator", "extend_execution", {"request_id": asked.request_id})
    stage.time_out()
    (extended,) = stage.events["execution_extended"]
    assert extended["request_id"] == asked.request_id
    assert extended["data_id"] != old_data_id
    assert stage.view("get_request", request_id=asked.request_id)["data_id"] == extended["data_id"]
    stage.answer(asked.request_id, output={"Text": "late"})
    assert stage.result(asked) == "late"
    assert stage.completed[asked.request_id] == 1


def test_an_announcement_counts_for_one_window(stage):
    asked = stage.ask()
    stage.call("operator", "extend_execution", {"request_id": asked.request_id})
    stage.time_out()
    stage.time_out()
    assert stage.outcome(asked.request_id)["status"] == "TimedOut"


def test_progress_cannot_be_announced_past_the_deadline(stage):
    asked = stage.ask()
    stage.past_deadline()
    assert "cannot be extended: its deadline was" in stage.refused("operator", "extend_execution", {"request_id": asked.request_id})


def test_with_the_least_gas_the_yield_is_renewed_as_long_as_the_longest_answer_still_fits(stage):
    least = stage.view("get_minimum_gas", input_bytes=5)
    windows = 0
    asked = stage.ask(gas=least)
    while True:
        stage.call("operator", "extend_execution", {"request_id": asked.request_id})
        stage.time_out()
        if stage.outcome(asked.request_id) is not None:
            break
        windows += 1
        assert windows < 20
        # At any of them the longest answer there is would have arrived.
        snapshot, completed = stage.chain.snapshot(), stage.completed.copy()
        stage.answer_large(asked.request_id, {"Text": LONGEST})
        assert stage.result(asked) == LONGEST
        stage.chain.restore(snapshot)
        stage.completed = completed
    assert windows >= 1
    assert stage.result(asked) is None


@pytest.mark.exercises("cancel_stale_execution")
def test_who_made_a_request_may_cancel_it_after_its_deadline_and_hears_null(stage):
    asked = stage.ask()
    args = {"request_id": asked.request_id}
    assert "cannot be cancelled yet" in stage.refused("alice", "cancel_stale_execution", args)
    stage.past_deadline()
    assert "only alice.test.near, who made request" in stage.refused("bob", "cancel_stale_execution", args)
    stage.call("alice", "cancel_stale_execution", args)
    assert stage.result(asked) is None
    assert stage.outcome(asked.request_id)["status"] == "Cancelled"
    assert stage.outcome(asked.request_id)["payment_refunded"] == str(NEAR // 10)
    assert "is not pending" in stage.refused("alice", "cancel_stale_execution", args)


@pytest.mark.exercises("claim_refund", "get_claim", "on_refund")
def test_a_refund_that_nobody_can_take_becomes_a_claim(stage):
    asked = stage.ask(payer_account_id="bob.test.near")
    stage.account("bob").send("bob.test.near", (DeleteAccount("test.near"),)).raise_for_failure()
    stage.answer(asked.request_id, output={"Text": "x"})
    owed = int(stage.outcome(asked.request_id)["payment_refunded"])
    assert stage.view("get_claim", account_id="bob.test.near") == str(owed)
    assert stage.balances()["claims"] == owed
    stage.accounts["bob.test.near"] = stage.account("test.near").create_account("bob.test.near", balance_yocto=NEAR)
    before = stage.account("bob").balance_yocto
    assert stage.call("bob", "claim_refund").json() == str(owed)
    assert before + owed - stage.account("bob").balance_yocto < NEAR // 1_000
    assert stage.view("get_claim", account_id="bob.test.near") == "0"
    assert "has no refund to claim" in stage.refused("bob", "claim_refund")


@pytest.mark.parametrize("method", ["on_execution_response", "on_refund"])
def test_what_the_chain_calls_back_nobody_else_may_call(stage, method):
    asked = stage.ask()
    args = {"request_id": asked.request_id, "account_id": "alice.test.near", "amount": "5"}
    for who in ("alice", "operator", "owner"):
        assert "private" in stage.refused(who, method, args)


def test_an_outcome_is_told_for_ten_thousand_blocks_and_dropped_later(stage):
    asked = stage.ask()
    stage.answer(asked.request_id, output={"Text": "x"})
    stage.chain.advance_blocks(9_990, seconds_each=0)
    stage.answer(stage.ask().request_id, output={"Text": "x"})
    assert stage.outcome(asked.request_id) is not None
    stage.chain.advance_blocks(100, seconds_each=0)
    stage.answer(stage.ask().request_id, output={"Text": "x"})
    assert stage.outcome(asked.request_id) is None
