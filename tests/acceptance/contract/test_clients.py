"""Contracts that ask: the one to copy, and those that make every mistake. Nobody loses money, and the oracle goes on."""

import json

import pytest

from localnet import NEAR, TGAS
from localnet.values.actions import DeleteAccount
from tests.acceptance.contract.stage import BASE_FEE, LIMITS, OUTLAYER, SOURCE, Asked, arguments
from tests.acceptance.contract.test_answers import LONGEST

CLIENT, ASKER = "client.test.near", "asker.test.near"
DEPOSIT = NEAR // 10


def ask_client(stage, who="alice", deposit=DEPOSIT, gas=150 * TGAS, **changes):
    """A question to the example client, which waits for its answer."""
    args = {"input": "six times seven", "resource_limits": LIMITS, **changes}
    outcome = stage.account(who).call(CLIENT, "ask", args, deposit_yocto=deposit, gas=gas)
    return Asked(stage.last_request["request_id"], outcome.hash)


def ask_through(stage, callback, *, gas, callback_gas=None, deposit=DEPOSIT, attached=300 * TGAS, **changes):
    """A request of the test client, with exactly this gas, and this callback."""
    args = {
        "oracle_id": OUTLAYER,
        "request_json": json.dumps(arguments(**changes)),
        "gas": str(gas),
        "callback": callback,
        "callback_gas": None if callback_gas is None else str(callback_gas),
    }
    return stage.account("alice").call(ASKER, "ask", args, deposit_yocto=deposit, gas=attached)


def waiting(stage, outcome):
    assert outcome.failure is None, outcome
    return Asked(stage.last_request["request_id"], outcome.hash)


def test_the_example_client_asks_hears_and_keeps_the_answer(stage):
    asked = ask_client(stage)
    told = stage.last_request
    assert (told["predecessor_id"], told["sender_id"], told["input_data"]) == (CLIENT, "alice.test.near", "six times seven")
    stage.answer(asked.request_id, output={"Text": "42"})
    assert stage.result(asked) == "42"
    kept = stage.view("get_answer", CLIENT, question_id=0)
    assert (kept["asked_by"], kept["succeeded"], kept["answer"]) == ("alice.test.near", True, '"42"')
    assert stage.view("get_last", CLIENT) == kept
    assert stage.view("get_counts", CLIENT) == [1, 100]


def test_what_the_run_did_not_use_goes_back_to_who_asked(stage):
    client_before, alice_before = stage.account("client").balance_yocto, stage.account("alice").balance_yocto
    burnt_before = stage.chain.burnt_yocto
    asked = ask_client(stage)
    stage.answer(asked.request_id, output={"Text": "42"})
    charged = int(stage.outcome(asked.request_id)["payment_charged"])
    burnt = stage.chain.burnt_yocto - burnt_before
    spent = alice_before - stage.account("alice").balance_yocto
    assert charged <= spent <= charged + 2 * burnt
    assert stage.account("client").balance_yocto >= client_before


@pytest.mark.parametrize("end", ["failure", "time-out", "cancelled by the owner"])
def test_when_there_is_no_answer_the_example_client_hears_null(stage, end):
    asked = ask_client(stage)
    match end:
        case "failure":
            stage.answer(asked.request_id, success=False, error="out of fuel")
        case "time-out":
            stage.time_out()
        case _:
            stage.call("owner", "emergency_cancel_execution", {"request_id": asked.request_id})
    assert stage.result(asked) is None
    kept = stage.view("get_last", CLIENT)
    assert (kept["succeeded"], kept["answer"]) == (False, None)


def test_when_the_oracle_refuses_the_deposit_goes_back_to_who_paid_it(stage):
    client_before, alice_before = stage.account("client").balance_yocto, stage.account("alice").balance_yocto
    stage.call("owner", "set_paused", {"paused": True})
    outcome = stage.call("alice", "ask", {"input": "x"}, deposit=5 * NEAR, gas=150 * TGAS, contract_id=CLIENT)
    assert outcome.json() is None
    assert stage.view("get_last", CLIENT)["succeeded"] is False
    assert alice_before - stage.account("alice").balance_yocto < NEAR // 10
    assert stage.account("client").balance_yocto >= client_before


def test_too_little_deposit_for_the_limits_comes_back_whole_as_well(stage):
    before = stage.account("alice").balance_yocto
    outcome = stage.call("alice", "ask", {"input": "x", "resource_limits": LIMITS}, deposit=5, gas=150 * TGAS, contract_id=CLIENT)
    assert outcome.json() is None
    assert before - stage.account("alice").balance_yocto < NEAR // 100


def test_the_example_client_refuses_gas_that_would_not_reach_the_answer(stage):
    refusal = stage.refused("alice", "ask", {"input": "x"}, deposit=NEAR, gas=80 * TGAS, contract_id=CLIENT)
    needed = int(refusal.split(" gas is attached and ")[1].split(" ")[0])
    asked = ask_client(stage, gas=needed)
    stage.answer_large(asked.request_id, {"Text": LONGEST})
    assert stage.result(asked) == LONGEST


def test_the_example_client_keeps_a_hundred_answers_and_no_more(stage):
    for number in range(102):
        asked = ask_client(stage)
        stage.answer(asked.request_id, output={"Text": str(number)})
    assert stage.view("get_answer", CLIENT, question_id=1) is None
    assert stage.view("get_answer", CLIENT, question_id=2)["answer"] == '"2"'
    assert stage.view("get_counts", CLIENT) == [102, 100]


def test_a_callback_that_panics_undoes_neither_the_settlement_nor_the_refund(stage):
    least = stage.view("get_minimum_gas", input_bytes=5)
    before = stage.account("bob").balance_yocto
    asked = waiting(stage, ask_through(stage, "Panic", gas=least, payer_account_id="bob.test.near"))
    stage.answer(asked.request_id, output={"Text": "42"})
    assert "this callback always panics" in json.dumps(stage.chain.transaction(asked.tx_hash).failure.to_json())
    outcome = stage.outcome(asked.request_id)
    assert outcome["status"] == "Succeeded"
    assert stage.account("bob").balance_yocto - before == int(outcome["payment_refunded"])
    assert stage.view("get_pending_request_ids") == []


@pytest.mark.parametrize("callback_gas", [1, TGAS // 10])
def test_a_callback_without_gas_fails_alone(stage, callback_gas):
    least = stage.view("get_minimum_gas", input_bytes=5)
    asked = waiting(stage, ask_through(stage, "Keep", gas=least, callback_gas=callback_gas))
    stage.answer(asked.request_id, output={"Text": "42"})
    assert stage.chain.transaction(asked.tx_hash).failure is not None
    assert stage.outcome(asked.request_id)["status"] == "Succeeded"


@pytest.mark.parametrize("response_format", ["Text", "Bytes", "Json"])
def test_the_least_gas_carries_the_longest_answer_through_a_callers_callback(stage, response_format):
    output, heard = {
        "Text": ({"Text": LONGEST}, json.dumps(LONGEST)),
        "Bytes": ({"Bytes": [255] * 65_536}, None),
        "Json": ({"Text": json.dumps("j" * 65_534)}, json.dumps("j" * 65_534)),
    }[response_format]
    least = stage.view("get_minimum_gas", input_bytes=5)
    asked = waiting(stage, ask_through(stage, "Keep", gas=least, response_format=response_format))
    stage.answer_large(asked.request_id, output)
    assert stage.outcome(asked.request_id)["status"] == "Succeeded"
    kept = stage.view("get_result", ASKER)
    assert kept == heard if heard is not None else len(kept) == 4 * (65_536 // 3 + 1) + 2


def test_one_gas_below_the_least_is_refused_and_the_client_has_its_deposit_back(stage):
    least = stage.view("get_minimum_gas", input_bytes=5)
    before = stage.account("asker").balance_yocto
    outcome = ask_through(stage, "None", gas=least - 1)
    assert f"{least} is needed" in json.dumps(outcome.failure.to_json())
    assert stage.account("asker").balance_yocto >= before + DEPOSIT
    assert stage.view("get_pending_request_ids") == []


@pytest.mark.parametrize("callback", ["Keep", "None"])
def test_a_client_that_is_gone_leaves_a_claim_and_takes_nothing_with_it(stage, callback):
    least = stage.view("get_minimum_gas", input_bytes=5)
    asked = waiting(stage, ask_through(stage, callback, gas=least))
    stage.account("asker").send(ASKER, (DeleteAccount("test.near"),)).raise_for_failure()
    stage.answer(asked.request_id, output={"Text": "42"})
    outcome = stage.outcome(asked.request_id)
    assert outcome["status"] == "Succeeded"
    assert stage.view("get_claim", account_id=ASKER) == outcome["payment_refunded"]
    assert stage.balances()["claims"] == DEPOSIT - int(outcome["payment_charged"]) < DEPOSIT - BASE_FEE
    stage.accounts[ASKER] = stage.account("test.near").create_account(ASKER, balance_yocto=NEAR)
    assert stage.call("asker", "claim_refund").json() == outcome["payment_refunded"]
    assert stage.balances()["claims"] == 0


def test_a_client_cancels_its_own_stale_request(stage):
    least = stage.view("get_minimum_gas", input_bytes=5)
    asked = waiting(stage, ask_through(stage, "Keep", gas=least))
    stage.past_deadline()
    args = {"request_id": asked.request_id}
    assert "only asker.test.near" in stage.refused("alice", "cancel_stale_execution", args)
    through = {"oracle_id": OUTLAYER, "method": "cancel_stale_execution", "args_json": json.dumps(args), "gas": str(50 * TGAS)}
    stage.call("alice", "call_oracle", through, contract_id=ASKER)
    assert stage.outcome(asked.request_id)["status"] == "Cancelled"
    assert stage.view("get_result", ASKER) == "null"


def test_the_source_of_a_question_may_come_with_it(stage):
    other = {"GitHub": {"repo": "https://github.com/o/r", "commit": "c0ffee", "build_target": None}}
    ask_client(stage, source=other)
    assert stage.last_request["code_source"] == other
    ask_client(stage)
    assert stage.last_request["code_source"]["WasmUrl"]["url"] == SOURCE["WasmUrl"]["url"]
