"""What the owner may do, what nobody else may, and the life of the contract's code."""

import json

import pytest

from localnet import NEAR
from localnet.values.actions import DeployContract, FunctionCall
from tests.acceptance.contract.stage import BASE_FEE, LIMITS, OUTLAYER, arguments, artifact

OWNERS = [
    ("set_owner", {"new_owner_id": "bob.test.near"}),
    ("set_operator", {"new_operator_id": "bob.test.near"}),
    ("set_paused", {"paused": True}),
    ("set_pricing", {"base_fee": "5"}),
    ("set_max_limits", {"max_instructions": 5}),
    ("set_event_metadata", {"version": "2"}),
    ("emergency_cancel_execution", {"request_id": 0}),
    ("cancel_pending_requests", {"request_ids": [0]}),
    ("withdraw_fees", {}),
]


@pytest.mark.parametrize(("method", "args"), OWNERS, ids=[method for method, _ in OWNERS])
def test_only_the_owner_may(stage, method, args):
    stage.ask()
    for who in ("alice", "operator"):
        assert "only the owner owner.test.near may call this" in stage.refused(who, method, args)
    stage.call("owner", method, args)


@pytest.mark.exercises("new", "get_config")
def test_the_contract_begins_with_the_owner_and_operator_it_was_given_and_only_once(stage):
    assert stage.view("get_config") == ["owner.test.near", "operator.test.near"]
    assert "already been initialized" in stage.refused(OUTLAYER, "new", {"owner_id": "alice.test.near"})
    stage.account("bob").deploy(artifact("outlayer.wasm"), "new", {"owner_id": "alice.test.near", "event_standard": "mine"})
    assert stage.view("get_config", "bob.test.near") == ["alice.test.near", "alice.test.near"]
    assert stage.view("get_event_metadata", "bob.test.near") == ["mine", "1.0.0"]


@pytest.mark.exercises("set_owner", "set_operator")
def test_owner_and_operator_can_be_replaced(stage):
    stage.call("owner", "set_operator", {"new_operator_id": "bob.test.near"})
    stage.call("owner", "set_owner", {"new_owner_id": "alice.test.near"})
    assert stage.view("get_config") == ["alice.test.near", "bob.test.near"]
    asked = stage.ask()
    assert "only the operator bob" in stage.refused("operator", "extend_execution", {"request_id": asked.request_id})
    assert "only the owner alice" in stage.refused("owner", "set_paused", {"paused": True})


@pytest.mark.exercises("set_paused", "is_paused")
def test_while_paused_nothing_new_comes_in_and_what_waits_is_answered(stage):
    asked = stage.ask()
    stage.call("owner", "set_paused", {"paused": True})
    assert stage.view("is_paused") is True
    assert "paused by its owner" in stage.refused("alice", "request_execution", arguments(), deposit=NEAR)
    stage.answer(asked.request_id, output={"Text": "still"})
    assert stage.result(asked) == "still"
    stage.call("owner", "set_paused", {"paused": False})
    stage.ask()


@pytest.mark.exercises("set_pricing")
def test_a_new_price_holds_for_new_requests_only(stage):
    old = stage.ask()
    stage.call("owner", "set_pricing", {"base_fee": str(2 * BASE_FEE), "per_ms_fee": "0"})
    assert stage.view("get_pricing") == [str(2 * BASE_FEE), str(10**14), "0", str(10**17)]
    new = stage.ask()
    for asked in (old, new):
        stage.answer(asked.request_id, success=False, error="x")
    assert [stage.outcome(asked.request_id)["payment_charged"] for asked in (old, new)] == [str(BASE_FEE), str(2 * BASE_FEE)]
    assert "at most" in stage.refused("owner", "set_pricing", {"per_ms_fee": str(10**23)})
    assert "nothing is changed" in stage.refused("owner", "set_pricing")


@pytest.mark.exercises("set_max_limits")
def test_caps_can_be_raised_to_the_highest_and_no_further(stage):
    stage.call("owner", "set_max_limits", {"max_instructions": 500 * 10**9, "max_execution_seconds": 180})
    assert stage.view("get_max_limits") == [500 * 10**9, 180, 300]
    stage.ask(limits=LIMITS | {"max_execution_seconds": 180}, deposit=NEAR)
    assert "above the cap of 180" in stage.refused("owner", "set_max_limits", {"max_execution_seconds": 181})
    assert "nothing is changed" in stage.refused("owner", "set_max_limits")


@pytest.mark.exercises("set_event_metadata")
def test_events_carry_the_label_that_was_set(stage):
    stage.call("owner", "set_event_metadata", {"standard": "our-oracle", "version": "2.1"})
    (line,) = stage.chain.transaction(stage.ask().tx_hash).logs
    assert line.startswith('EVENT_JSON:{"standard":"our-oracle","version":"2.1",')
    assert "event label" in stage.refused("owner", "set_event_metadata", {"standard": 'x"'})


@pytest.mark.exercises("emergency_cancel_execution", "cancel_pending_requests")
def test_the_owner_cancels_at_once_and_everyone_hears_and_is_refunded(stage):
    first, *others = [stage.ask() for _ in range(4)]
    stage.call("owner", "emergency_cancel_execution", {"request_id": first.request_id})
    ids = [asked.request_id for asked in others]
    assert stage.call("owner", "cancel_pending_requests", {"request_ids": [first.request_id, *ids, 99]}).json() == 3
    for asked in (first, *others):
        assert stage.result(asked) is None
        assert stage.outcome(asked.request_id)["payment_refunded"] == str(NEAR // 10)
    assert "is not pending" in stage.refused("owner", "emergency_cancel_execution", {"request_id": first.request_id})
    assert "at most 20 at once" in stage.refused("owner", "cancel_pending_requests", {"request_ids": list(range(21))})


def test_twenty_requests_can_be_cancelled_at_once(stage):
    asked = [stage.ask(input_data="i" * 9_000) for _ in range(20)]
    assert stage.call("owner", "cancel_pending_requests", {"request_ids": [each.request_id for each in asked]}).json() == 20
    assert [stage.result(each) for each in asked] == [None] * 20


@pytest.mark.exercises("withdraw_fees", "get_balances")
def test_fees_go_to_the_owner_and_never_what_is_owed(stage):
    for _ in range(3):
        stage.answer(stage.ask().request_id, success=False, error="x")
    stage.ask(deposit=2 * NEAR)
    assert stage.balances()["fees_withdrawable"] == 3 * BASE_FEE
    assert "are free" in stage.refused("owner", "withdraw_fees", {"amount": str(3 * BASE_FEE + 1)})
    before = stage.account("owner").balance_yocto
    assert stage.call("owner", "withdraw_fees", {"amount": str(BASE_FEE)}).json() == str(BASE_FEE)
    assert stage.call("owner", "withdraw_fees").json() == str(2 * BASE_FEE)
    assert stage.balances()["fees_withdrawable"] == 0
    assert 3 * BASE_FEE - (stage.account("owner").balance_yocto - before) < NEAR // 500
    stage.check_law()


@pytest.mark.exercises("migrate", "get_version", "contract_source_metadata")
def test_the_same_state_is_taken_over_by_newly_deployed_code(stage):
    asked = stage.ask()
    actions = (DeployContract(artifact("outlayer.wasm")), FunctionCall("migrate", b"{}", 10**14, 0))
    stage.account(OUTLAYER).send(OUTLAYER, actions).raise_for_failure()
    stage.call("owner", "migrate")
    assert "only the owner or the contract itself may migrate" in stage.refused("alice", "migrate")
    assert stage.view("get_version") == "0.1.0"
    assert "version" in stage.view("contract_source_metadata")
    stage.answer(asked.request_id, output={"Text": "kept"})
    assert stage.result(asked) == "kept"


def test_without_state_there_is_nothing_to_migrate(stage):
    stage.account("bob").deploy(artifact("outlayer.wasm"))
    assert "no state to migrate" in stage.refused("bob", "migrate", contract_id="bob.test.near")


def test_a_request_is_refused_when_the_contracts_own_reserve_is_used_up(stage):
    balances = stage.balances()
    spare = balances["balance"] - balances["required"]
    stage.account(OUTLAYER).transfer("test.near", spare - NEAR // 200)
    for _ in range(20):
        outcome = stage.account("alice").call(
            OUTLAYER, "request_execution", arguments(input_data="i" * 2_000), deposit_yocto=NEAR // 10, gas=10**14
        )
        if outcome.failure is not None:
            break
    assert "balance is" in json.dumps(outcome.failure.to_json())
    assert "its owner must send it at least that much" in json.dumps(outcome.failure.to_json())
    stage.check_law()
