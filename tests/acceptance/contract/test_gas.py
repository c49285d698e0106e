"""
What the main entry points burn, to the unit, and that no figure grows with the contract's age.

The figures are those of the contract's own receipt (no transaction, no refunds), without the nodes of the storage trie, which this chain
does not charge. A change of the contract changes them: the failing test says the old and the new ones.
"""

import pytest

from localnet import NEAR, TGAS
from tests.acceptance.contract.stage import SOURCE, Stage
from tests.acceptance.contract.test_answers import LONGEST

GAS = {
    "request_execution, 5 bytes": 3_080_733_626_321,
    "resolve_execution, short answer": 3_005_647_711_632,
    "on_execution_response, short answer": 3_131_900_187_103,
    "on_refund, delivered": 1_548_737_808_715,
    "on_execution_response, failure with a long error": 3_368_159_616_239,
    "request_execution, 9,999 bytes": 7_820_361_493_755,
    "submit_execution_output_and_resolve, 64 KiB escaped": 25_221_275_199_606,
    "on_execution_response, 64 KiB escaped": 7_251_220_977_645,
    "request_execution, 65,536 bytes in state": 7_046_470_095_898,
    "submit_execution_output, 1,025 bytes": 1_956_532_738_601,
    "extend_execution": 1_887_967_416_479,
    "on_execution_response, renewed": 2_588_287_085_791,
    "on_execution_response, timed out, 65,536 bytes of input": 4_159_187_416_363,
    "cancel_stale_execution": 4_322_567_513_249,
    "on_execution_response, cancelled": 1_790_311_464_454,
    "store_secrets": 3_254_621_235_993,
    "delete_secrets": 3_031_933_487_223,
    "create_project": 3_409_211_318_602,
    "withdraw_fees": 2_360_733_311_920,
}


def measured():
    """Gas of each entry point, by what was done with it."""
    stage, gas = Stage(with_clients=False), {}

    def take(what, method):
        gas[what] = stage.contract_gas[method]

    asked = stage.ask()
    take("request_execution, 5 bytes", "request_execution")
    stage.answer(asked.request_id, output={"Text": "42"})
    take("resolve_execution, short answer", "resolve_execution")
    take("on_execution_response, short answer", "on_execution_response")
    take("on_refund, delivered", "on_refund")
    stage.answer(stage.ask().request_id, success=False, error="e" * 600)
    take("on_execution_response, failure with a long error", "on_execution_response")
    stage.answer_large(stage.ask(input_data="i" * 9_999).request_id, {"Text": LONGEST})
    take("request_execution, 9,999 bytes", "request_execution")
    take("submit_execution_output_and_resolve, 64 KiB escaped", "submit_execution_output_and_resolve")
    take("on_execution_response, 64 KiB escaped", "on_execution_response")
    asked = stage.ask(input_data="i" * 65_536, deposit=2 * NEAR)
    take("request_execution, 65,536 bytes in state", "request_execution")
    stage.call("operator", "submit_execution_output", {"request_id": asked.request_id, "output": {"Text": "y" * 1_025}})
    take("submit_execution_output, 1,025 bytes", "submit_execution_output")
    stage.call("operator", "extend_execution", {"request_id": asked.request_id})
    take("extend_execution", "extend_execution")
    stage.time_out()
    take("on_execution_response, renewed", "on_execution_response")
    stage.time_out()
    take("on_execution_response, timed out, 65,536 bytes of input", "on_execution_response")
    asked = stage.ask()
    stage.past_deadline()
    stage.call("alice", "cancel_stale_execution", {"request_id": asked.request_id})
    take("cancel_stale_execution", "cancel_stale_execution")
    take("on_execution_response, cancelled", "on_execution_response")
    args = {"accessor": {"WasmHash": {"hash": "ab" * 32}}, "profile": "main", "encrypted_secrets_base64": "c2VhbGVk", "access": "AllowAll"}
    stage.call("alice", "store_secrets", args, deposit=NEAR)
    take("store_secrets", "store_secrets")
    stage.call("alice", "delete_secrets", {"accessor": args["accessor"], "profile": "main"})
    take("delete_secrets", "delete_secrets")
    stage.call("alice", "create_project", {"name": "game", "source": SOURCE}, deposit=NEAR)
    take("create_project", "create_project")
    stage.call("owner", "withdraw_fees")
    take("withdraw_fees", "withdraw_fees")
    return gas


def table(gas):
    return "GAS = {\n" + "".join(f'    "{what}": {figure:_},\n' for what, figure in gas.items()) + "}\n"


def test_the_main_entry_points_burn_these_figures():
    now = measured()
    changed = [f"{what}: was {GAS.get(what):_}, is {now[what]:_}" for what in now if what in GAS and now[what] != GAS[what]]
    assert now == GAS, "\n".join(["the gas has changed:", *changed, "the table as it is now:", table(now)])


def test_two_runs_of_the_same_calls_burn_the_same():
    assert measured() == measured()


def gas_of_a_round(stage):
    """A request, its answer, a cancelled one, a listing: the gas of each."""
    asked = stage.ask()
    stage.answer(asked.request_id, output={"Text": "42"})
    cancelled = stage.ask()
    stage.call("owner", "emergency_cancel_execution", {"request_id": cancelled.request_id})
    views = {
        "get_pending_request_ids": {"from_index": 0, "limit": 10},
        "get_outcome": {"request_id": asked.request_id},
        "get_stats": {},
        "get_balances": {},
    }
    burnt = {name: stage.chain.view("outlayer.test.near", name, args).gas_burnt for name, args in views.items()}
    methods = ("request_execution", "resolve_execution", "on_execution_response", "emergency_cancel_execution", "on_refund")
    return burnt | {method: stage.contract_gas[method] for method in methods}


def test_no_entry_point_grows_with_the_number_of_past_requests(stage):
    """Between the fifth and the hundred and fifth request: digits of numbers and of data ids aside, nothing."""
    while stage.ask().request_id < 4:
        pass
    early = gas_of_a_round(stage)
    for asked in range(100):
        stage.answer(stage.ask().request_id, output={"Text": str(asked)})
    late = gas_of_a_round(stage)
    assert max(late.values()) < 10 * TGAS
    grown = {name: (early[name], late[name]) for name in early if late[name] > early[name] * 1.01}
    assert grown == {}


def test_with_many_requests_pending_a_new_one_costs_what_the_first_did(stage):
    stage.ask()
    first = stage.contract_gas["request_execution"]
    for _ in range(120):
        stage.ask()
    assert stage.contract_gas["request_execution"] == pytest.approx(first, rel=0.01)
