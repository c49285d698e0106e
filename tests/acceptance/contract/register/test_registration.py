"""A worker's key comes on the account, is renewed, and is what the quote says it is."""

import json
import re
from dataclasses import replace

import pytest

from localnet import NEAR, TGAS, InvalidTransaction, KeyPair
from localnet.values.actions import DeleteKey, FunctionCallPermission
from oracle.tee.simulator.quotes import TdQuoteVersion
from tests.acceptance.contract.register.register_stage import (
    APPROVED,
    DAY_S,
    MAIN,
    MINUTE_S,
    NS,
    REGISTER,
    WORKER,
    RegisterStage,
    hex_of,
)

METHODS = ("resolve_execution", "submit_execution_output", "submit_execution_output_and_resolve", "extend_execution")


@pytest.mark.exercises("register_worker_key", "on_key_added", "is_worker_registered", "get_worker", "list_workers")
@pytest.mark.parametrize("version", TdQuoteVersion)
def test_a_quote_puts_its_key_on_the_account_for_the_workers_methods_alone(register, version):
    assert register.register(version=version) is True
    assert register.key_on_account() == FunctionCallPermission(5 * NEAR, MAIN, METHODS)
    assert register.is_registered()
    assert register.view("list_workers") == [register.worker()]


def test_a_registered_worker_is_told_with_all_that_was_proved(register):
    seen_ns, settings = register.now_ns, b"s" * 32
    register.register(settings=settings)
    worker = register.worker()
    assert worker.pop("registered_at") == str(register.events["worker_registered"][0]["registered_at"])
    assert worker == {
        "public_key": str(WORKER.public_key),
        "measurements": hex_of(APPROVED),
        "settings_sha256": settings.hex(),
        "seen_block_time": str(seen_ns),
        "expires_at": str(seen_ns + 30 * DAY_S * NS),
        "expired": False,
        "tcb_status": "UpToDate",
        "advisory_ids": [],
        "fmspc": "7e57c0de0000",
        "payer": "init.test.near",
        "renewals": 0,
    }
    assert register.events["worker_registered"] == [register.worker()]


@pytest.mark.exercises("register_worker", "get_collateral", "list_collateral")
def test_collateral_may_come_along_as_an_object_or_as_text():
    for as_text in (False, True):
        stage = RegisterStage()
        stage.call("owner", "add_approved_measurements", hex_of(APPROVED), deposit=NEAR)
        args = stage.registration()
        collateral = stage.collateral()
        args |= {"tdx_quote": args.pop("tdx_quote_hex"), "collateral": json.dumps(collateral) if as_text else collateral}
        assert stage.call("init", "register_worker", args, deposit=NEAR).json() is True
        assert stage.view("get_collateral", fmspc="7E57C0DE0000") == collateral
        assert stage.view("list_collateral") == ["7e57c0de0000"]
        assert stage.is_registered()


def test_the_time_may_be_a_number(register):
    args = register.registration()
    args["seen_block_time"] = int(args["seen_block_time"])
    register.call("init", "register_worker_key", args, deposit=NEAR)
    assert register.is_registered()


def test_workers_are_found_by_their_rtmr3_newest_quote_first(register):
    other = KeyPair.from_seed("another worker's key")
    register.register()
    register.later(1)
    register.register(other)
    assert register.view("get_worker", rtmr3="05" * 48)["public_key"] == str(other.public_key)
    assert register.view("get_worker", rtmr3="06" * 48) is None
    assert len(register.view("list_workers", from_index=1, limit=5)) == 1
    assert len(register.view("list_workers", limit=1)) == 1


def test_a_renewal_replaces_the_key_with_a_fresh_allowance(register):
    register.register()
    first = register.chain.access_key(REGISTER, WORKER.public_key)
    register.call("owner", "set_key_allowance", {"allowance": str(7 * NEAR)})
    register.later(5 * MINUTE_S)
    assert register.register() is True
    renewed = register.chain.access_key(REGISTER, WORKER.public_key)
    assert (first.permission.allowance_yocto, renewed.permission.allowance_yocto) == (5 * NEAR, 7 * NEAR)
    assert register.worker()["renewals"] == 1
    assert register.worker()["expires_at"] > register.events["worker_registered"][0]["expires_at"]
    assert [event["public_key"] for event in register.events["worker_renewed"]] == [str(WORKER.public_key)]
    assert len(register.view("list_workers")) == 1


def test_a_renewal_may_move_to_other_approved_measurements(register):
    register.register()
    other = replace(APPROVED, rt_mr3=b"\x99" * 48)
    register.call("owner", "add_approved_measurements", hex_of(other), deposit=NEAR)
    register.later(1)
    register.register(measurements=other)
    assert register.view("get_worker", rtmr3="05" * 48) is None
    assert register.view("get_worker", rtmr3="99" * 48)["public_key"] == str(WORKER.public_key)


def test_a_registration_ends_with_its_lifetime_counted_from_the_quotes_time(register):
    seen_ns = register.now_ns
    register.later(9 * MINUTE_S)
    register.register(seen_ns=seen_ns)
    register.later(30 * DAY_S - 9 * MINUTE_S - 5)
    assert register.is_registered()
    register.later(6)
    assert not register.is_registered()
    assert register.worker()["expired"] is True


@pytest.mark.exercises("estimate_deposit")
def test_the_registrant_pays_for_exactly_the_bytes_kept_and_has_the_rest_back(register):
    before = register.storage_yocto()
    why = register.refusal(deposit=1)
    needed = int(re.search(r"(\d+) is needed as the deposit", why).group(1))
    assert "1 yoctoNEAR is attached" in why
    register.register(deposit=needed)
    assert register.storage_yocto() - before == needed
    assert needed <= int(register.view("estimate_deposit"))

    register.later(1)
    held = register.balance("init")
    register.register(deposit=NEAR)
    assert held - register.balance("init") < NEAR // 10, "what is too much must come back"
    register.later(1)
    assert register.register(deposit=0), "a renewal keeps no more bytes than there were"


def test_an_estimate_with_collateral_is_enough_for_both():
    stage = RegisterStage()
    stage.call("owner", "add_approved_measurements", hex_of(APPROVED), deposit=NEAR)
    args = stage.registration()
    args |= {"tdx_quote": args.pop("tdx_quote_hex"), "collateral": stage.collateral()}
    estimate = int(stage.view("estimate_deposit", collateral=args["collateral"]))
    before = stage.storage_yocto()
    stage.call("init", "register_worker", args, deposit=estimate)
    assert stage.storage_yocto() - before <= estimate


def test_another_payer_takes_over_the_deposit_at_a_renewal():
    stage = RegisterStage(init_account=None)
    stage.prepare()
    stage.register(who="alice")
    held = stage.balance("alice")
    stage.later(1)
    stage.register(who="bob")
    assert stage.worker()["payer"] == "bob.test.near"
    assert stage.balance("alice") > held, "who paid first has the deposit back"


@pytest.mark.exercises("set_init_worker_account")
def test_only_the_account_that_is_set_may_register(register):
    why = register.refusal(who="alice")
    assert "only init.test.near may register workers here, not alice.test.near" in why
    register.call("owner", "set_init_worker_account", {"init_worker_account": None})
    assert register.register(who="alice")


def test_the_registering_account_has_no_other_right(register):
    for method, args in [
        ("revoke_worker", {"public_key": str(WORKER.public_key)}),
        ("set_policy", {"registration_lifetime_seconds": "7200"}),
    ]:
        assert "only the owner owner.test.near may call this, not init.test.near" in register.refused("init", method, args)


def test_a_key_that_is_on_the_account_already_leaves_no_registration(register):
    register.account(REGISTER).add_key(WORKER.public_key)
    before = register.storage_yocto()
    assert register.register() is False
    assert not register.is_registered()
    assert register.storage_yocto() == before
    assert [gone["public_key"] for gone in register.events["worker_dropped"]] == [str(WORKER.public_key)]
    assert register.events["worker_registered"] == []


def test_a_key_that_was_taken_away_by_hand_registers_at_the_second_try(register):
    register.register()
    register.account(REGISTER).send(REGISTER, [DeleteKey(WORKER.public_key)]).raise_for_failure()
    register.later(1)
    assert register.register() is False
    register.later(1)
    assert register.register() is True
    assert register.key_on_account() is not None


def test_a_worker_signs_for_the_account_and_cannot_do_more(register):
    register.register()
    worker = register.account(REGISTER).with_key(WORKER)
    assert "DepositWithFunctionCall" in str(_refusal_of(worker, MAIN, "resolve_execution", deposit=1))
    assert "ReceiverMismatch" in str(_refusal_of(worker, REGISTER, "revoke_worker"))
    assert "MethodNameMismatch" in str(_refusal_of(worker, MAIN, "set_owner"))
    # Taken by the chain: the main contract's account has no code here, which is all that fails.
    assert "CodeDoesNotExist" in str(worker.call(MAIN, "resolve_execution", {}).failure)


def _refusal_of(account, receiver, method, deposit=0):
    with pytest.raises(InvalidTransaction) as refused:
        account.call(receiver, method, {}, deposit_yocto=deposit)
    return refused.value.fault


def test_too_little_gas_is_refused_at_once_with_the_figure(register):
    least = register.view("get_minimum_gas")
    assert f"{least} is needed to verify a quote" in register.refusal(gas=least - TGAS)
    assert register.register(gas=least)


@pytest.mark.exercises("verify_quote")
def test_a_dry_run_tells_the_verdict_and_what_the_policy_says(register):
    verdict = register.view("verify_quote", tdx_quote_hex=register.quote())
    assert (verdict["measurements_approved"], verdict["policy_refusal"]) == (True, None)
    register.call("owner", "set_policy", {"min_tcb_evaluation_data_number": 18})
    refusal = register.view("verify_quote", tdx_quote_hex=register.quote())["policy_refusal"]
    assert "tcbEvaluationDataNumber of tcb_info is 17" in refusal


def test_the_deposit_alone_carries_the_worker_and_its_key(register):
    """The account has nothing to spare, and would fail for want of stake were the deposit too small."""
    account = register.account(REGISTER)
    account.transfer("test.near", account.balance_yocto - register.storage_yocto() - NEAR // 1_000).raise_for_failure()
    needed = int(re.search(r"(\d+) is needed as the deposit", register.refusal(deposit=0)).group(1))
    assert register.register(deposit=needed)
    assert account.balance_yocto - register.storage_yocto() < NEAR // 100
