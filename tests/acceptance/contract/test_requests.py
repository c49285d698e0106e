"""Requests come in: what the event and the views tell of them, what they cost, and what is refused with its reason."""

import itertools
import json

import pytest

from localnet import NEAR, TGAS
from tests.acceptance.contract.stage import BASE_FEE, LIMITS, OUTLAYER, SOURCE, arguments

ESTIMATE = BASE_FEE + 10 * 10**14 + 10_000 * 10**17


@pytest.mark.exercises("request_execution", "get_request", "get_pending_request_ids", "get_event_metadata")
def test_a_request_is_told_by_its_event_and_by_get_request_in_the_same_words(stage):
    asked = stage.ask(secrets_ref={"profile": "main", "account_id": "bob.test.near"}, response_format="Json")
    (event,) = stage.events["execution_requested"]
    assert set(event) == {"request_data", "data_id", "timestamp"}
    assert len(event["data_id"]) == 32
    assert all(0 <= byte <= 255 for byte in event["data_id"])
    told = json.loads(event["request_data"])
    assert told == {
        "request_id": asked.request_id,
        "sender_id": "alice.test.near",
        "predecessor_id": "alice.test.near",
        "code_source": {"WasmUrl": SOURCE["WasmUrl"] | {"build_target": None}},
        "resource_limits": LIMITS,
        "input_data": "hello",
        "input_data_in_state": False,
        "secrets_ref": {"profile": "main", "account_id": "bob.test.near"},
        "response_format": "Json",
        "payment": str(NEAR // 10),
        "attached_usd": "0",
        "timestamp": event["timestamp"],
        "compile_only": False,
        "force_rebuild": False,
        "store_on_fastfs": False,
        "use_bound_identity": False,
        "project_uuid": None,
        "project_id": None,
    }
    view = stage.view("get_request", request_id=asked.request_id)
    assert {name: view[name] for name in told} == told
    assert view["data_id"] == event["data_id"]
    assert view["deadline"] == event["timestamp"] + 600 * 10**9
    assert stage.view("get_pending_request_ids") == [asked.request_id]
    assert stage.view("get_event_metadata") == ["near-outlayer", "1.0.0"]


def test_the_event_is_one_line_of_nep_297(stage):
    outcome = stage.chain.transaction(stage.ask().tx_hash)
    (line,) = outcome.logs
    assert line.startswith('EVENT_JSON:{"standard":"near-outlayer","version":"1.0.0","event":"execution_requested","data":[{')
    assert "\n" not in line


@pytest.mark.parametrize("length", [9_999, 10_000, 10_001, 64 * 1024])
def test_inputs_of_ten_thousand_bytes_and_more_stay_in_state(stage, length):
    asked = stage.ask(input_data="i" * length, deposit=2 * NEAR)
    told = stage.last_request
    assert told["input_data_in_state"] is (length >= 10_000)
    assert told["input_data"] == ("" if length >= 10_000 else "i" * length)
    assert stage.view("get_request", request_id=asked.request_id)["input_data"] == "i" * length


def test_an_input_that_swells_when_it_is_quoted_stays_in_state(stage):
    asked = stage.ask(input_data='"\\' * 4_900)
    assert stage.last_request["input_data_in_state"] is True
    assert stage.view("get_request", request_id=asked.request_id)["input_data"] == '"\\' * 4_900


def test_a_long_input_needs_a_deposit_which_comes_back(stage):
    bill = stage.view("estimate_execution_cost", resource_limits=LIMITS)
    assert "as a deposit for 20000 bytes" in stage.refused(
        "alice", "request_execution", arguments(input_data="i" * 20_000), deposit=int(bill)
    )
    before = stage.account("alice").balance_yocto
    asked = stage.ask(input_data="i" * 20_000, deposit=NEAR)
    assert int(stage.view("get_request", request_id=asked.request_id)["storage_deposit"]) >= 20_000 * 10**19
    burnt = stage.chain.burnt_yocto
    stage.answer(asked.request_id, success=False, error="no")
    assert int(stage.outcome(asked.request_id)["payment_refunded"]) == NEAR - BASE_FEE
    assert before - stage.account("alice").balance_yocto < BASE_FEE + burnt


@pytest.mark.exercises("estimate_execution_cost", "get_pricing", "get_max_limits")
def test_the_deposit_must_cover_the_price_of_the_limits(stage):
    assert stage.view("estimate_execution_cost", resource_limits=LIMITS) == str(ESTIMATE)
    assert stage.view("estimate_execution_cost") == str(BASE_FEE + 1_000 * 10**14 + 60_000 * 10**17)
    assert stage.view("get_pricing") == [str(10**21), str(10**14), str(10**17), str(10**17)]
    assert stage.view("get_max_limits") == [100 * 10**9, 60, 300]
    refusal = stage.refused("alice", "request_execution", arguments(), deposit=ESTIMATE - 1)
    assert str(ESTIMATE) in refusal
    assert str(ESTIMATE - 1) in refusal
    stage.ask(deposit=ESTIMATE)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source": None}, "a source is needed"),
        ({"code_source": {"repo": "github.com/o/r", "commit": "abc"}}, "were both given"),
        ({"source": {"WasmUrl": SOURCE["WasmUrl"] | {"hash": "12"}}}, "64 hex digits"),
        ({"source": {"WasmUrl": SOURCE["WasmUrl"] | {"url": "ftp://x"}}}, "starts with https://"),
        ({"source": {"WasmUrl": SOURCE["WasmUrl"] | {"url": "https://e.org/" + "u" * 2_000}}}, "at most 1024"),
        ({"source": {"WasmUrl": SOURCE["WasmUrl"] | {"build_target": "x86"}}}, "build_target 'x86' is unknown"),
        ({"source": {"GitHub": {"repo": "github.com/o/r", "commit": "--x"}}}, "commit '--x' is refused"),
        ({"source": {"Project": {"project_id": "bob.test.near/none"}}}, "there is no project"),
        ({"limits": LIMITS | {"max_instructions": 10**12}}, "above the cap of 100000000000"),
        ({"limits": LIMITS | {"max_execution_seconds": 61}}, "above the cap of 60"),
        ({"limits": LIMITS | {"max_memory_mb": 0}}, "max_memory_mb is 0"),
        ({"limits": None}, "input_data must be left out"),
        ({"params": {"force_rebuild": True}}, "nothing to build"),
        ({"params": {"store_on_fastfs": True}}, "needs force_rebuild"),
        ({"params": {"attached_usd": "5"}}, "keeps no stablecoin"),
        ({"secrets_ref": {"profile": "no good", "account_id": "a.near"}}, "profile 'no good' is refused"),
        ({"payer_account_id": OUTLAYER}, "payer_account_id is this contract itself"),
        ({"input_data": "i" * 500_001}, "500001 bytes long"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason_and_costs_nothing(stage, changes, reason):
    before = stage.account("alice").balance_yocto + stage.chain.burnt_yocto
    assert reason in stage.refused("alice", "request_execution", arguments(**changes), deposit=8 * NEAR)
    assert stage.account("alice").balance_yocto + stage.chain.burnt_yocto == before
    assert stage.view("get_pending_request_ids") == []


@pytest.mark.exercises("get_minimum_gas")
@pytest.mark.parametrize("input_bytes", [0, 5, 9_999, 10_000, 65_536, 500_000])
def test_the_least_gas_is_enough_and_one_less_is_refused_by_name(stage, input_bytes):
    least = stage.view("get_minimum_gas", input_bytes=input_bytes)
    args = arguments(input_data="i" * input_bytes)
    refusal = stage.refused("alice", "request_execution", args, deposit=8 * NEAR, gas=least - 1)
    assert f"{least - 1} gas is attached and {least} is needed" in refusal
    if least <= 300 * TGAS:
        asked = stage.ask(input_data="i" * input_bytes, deposit=8 * NEAR, gas=least)
        stage.answer_large(asked.request_id, {"Text": "\n" * 65_536})
        assert stage.result(asked) == "\n" * 65_536


def test_the_older_flat_form_names_a_repository(stage):
    stage.ask(source=None, code_source={"repo": "https://github.com/o/r", "commit": "abc", "build_target": "wasm32-wasi"})
    assert stage.last_request["code_source"] == {
        "GitHub": {"repo": "https://github.com/o/r", "commit": "abc", "build_target": "wasm32-wasip1"}
    }


@pytest.mark.parametrize("how", [{"limits": None}, {"params": {"compile_only": True}}])
def test_compile_only_costs_the_base_fee_and_answers_null(stage, how):
    asked = stage.ask(**({"input_data": ""} | how))
    assert stage.last_request["compile_only"] is True
    stage.answer(asked.request_id, used={"instructions": 0, "time_ms": 0, "compile_time_ms": 700}, compilation_note="cached")
    assert stage.result(asked) is None
    assert int(stage.outcome(asked.request_id)["payment_charged"]) == BASE_FEE + 700 * 10**17


def test_an_empty_object_of_limits_means_the_defaults(stage):
    stage.ask(limits={})
    assert stage.last_request["resource_limits"] == {"max_instructions": 10**9, "max_memory_mb": 128, "max_execution_seconds": 60}


def test_the_refund_goes_to_who_is_named_as_payer(stage):
    before = stage.account("bob").balance_yocto
    asked = stage.ask(payer_account_id="bob.test.near")
    stage.answer(asked.request_id, output={"Text": "x"})
    assert stage.account("bob").balance_yocto - before == int(stage.outcome(asked.request_id)["payment_refunded"])


def test_pending_requests_are_listed_by_the_page(stage):
    ids = [stage.ask().request_id for _ in range(7)]
    pages = [stage.view("get_pending_request_ids", from_index=start, limit=3) for start in (0, 3, 6, 9)]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert sorted(itertools.chain(*pages)) == ids
