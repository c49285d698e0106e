"""Collateral on the chain: who may bring it, what it must be, who pays for it."""

import re

import pytest

from localnet import NEAR, ViewFailed
from oracle.tee.simulator.collateral import CollateralTerms
from oracle.tee.simulator.hardware import PckCa, Platform
from oracle.tee.simulator.window import Window
from tests.acceptance.contract.register.register_stage import APPROVED, DAY_S, RegisterStage, hex_of

HOUR_S = 3600


def windows(**parts):
    """Terms in which the named parts have these windows."""
    return CollateralTerms(**{f"{part}_valid": window for part, window in parts.items()})


def refresh(stage, collateral, who="alice", deposit=NEAR):
    return stage.call(who, "refresh_collateral", {"quote": stage.quote(), "collateral": collateral}, deposit=deposit)


def refresh_refused(stage, collateral, deposit=NEAR):
    return stage.refused("alice", "refresh_collateral", {"quote": stage.quote(), "collateral": collateral}, deposit=deposit)


@pytest.mark.exercises("refresh_collateral")
def test_anybody_refreshes_collateral_with_a_quote_that_it_verifies(register):
    register.later(DAY_S)
    fresh = register.collateral()
    refresh(register, fresh)
    assert register.view("get_collateral", fmspc="7e57c0de0000") == fresh
    told = register.events["collateral_updated"][-1]
    assert (told["fmspc"], told["tcb_evaluation_data_number"]) == ("7e57c0de0000", 17)
    assert told["tcb_info_issued"] == told["pck_crl_issued"] == register.now_s - HOUR_S


@pytest.mark.parametrize(("part", "name"), [("tcb_info", "tcb_info"), ("qe_identity", "qe_identity"), ("crl", "root_ca_crl")])
def test_no_part_may_be_older_than_what_is_stored(register, part, name):
    older = Window(register.now_s - 2 * HOUR_S, register.now_s + DAY_S)
    why = refresh_refused(register, register.collateral(windows(**{part: older})))
    assert f"{name} of the collateral was issued at {older.start_s}, before what is stored" in why
    args = register.registration()
    args |= {"tdx_quote": args.pop("tdx_quote_hex"), "collateral": register.collateral(windows(**{part: older}))}
    assert "before what is stored" in register.refused("init", "register_worker", args, deposit=NEAR)


def test_an_older_pck_list_alone_is_refused_too(register):
    older = Window(register.now_s - 2 * HOUR_S, register.now_s + DAY_S)
    rolled_back = register.collateral() | {"pck_crl": register.collateral(windows(crl=older))["pck_crl"]}
    assert "pck_crl of the collateral was issued at" in refresh_refused(register, rolled_back)


@pytest.mark.parametrize("part", ["tcb_info", "qe_identity", "crl"])
def test_collateral_that_has_expired_is_refused(register, part):
    past = Window(register.now_s - HOUR_S, register.now_s - 1)
    assert "of the collateral expired at" in refresh_refused(register, register.collateral(windows(**{part: past})))


@pytest.mark.parametrize("part", ["tcb_info", "qe_identity", "crl"])
def test_collateral_of_the_future_is_refused(register, part):
    coming = Window(register.now_s + 60, register.now_s + DAY_S)
    assert "it is not valid yet" in refresh_refused(register, register.collateral(windows(**{part: coming})))


def test_stored_collateral_that_has_expired_registers_nobody(register):
    register.later(31 * DAY_S)
    assert "of the collateral expired at" in register.refusal()
    refresh(register, register.collateral())
    assert register.register()


def test_collateral_older_than_the_policy_takes_registers_nobody(register):
    register.call("owner", "set_policy", {"max_collateral_age_seconds": str(2 * HOUR_S)})
    register.later(3 * HOUR_S)
    assert "the policy takes 7200 s at most: bring newer collateral" in register.refusal()
    refresh(register, register.collateral())
    assert register.register()


@pytest.mark.parametrize(("number", "bounds"), [(16, "17 to 18"), (19, "17 to 18")])
def test_an_evaluation_out_of_range_is_refused(register, number, bounds):
    register.call("owner", "set_policy", {"min_tcb_evaluation_data_number": 17, "max_tcb_evaluation_data_number": 18})
    why = refresh_refused(register, register.collateral(CollateralTerms(evaluation_number=number)))
    assert f"tcbEvaluationDataNumber of tcb_info is {number}, and the policy takes {bounds}" in why


def test_stored_collateral_out_of_a_new_range_registers_nobody(register):
    register.call("owner", "set_policy", {"min_tcb_evaluation_data_number": 18})
    assert "tcbEvaluationDataNumber of tcb_info is 17" in register.refusal()


def test_collateral_of_another_fmspc_does_not_serve_a_quote(register):
    other = register.collateral(CollateralTerms(fmspc=bytes.fromhex("7e57c0de0001")))
    assert "FMSPC 7e57c0de0000, and the collateral is for 7e57c0de0001" in refresh_refused(register, other)
    stage = RegisterStage()
    stage.call("owner", "add_approved_measurements", hex_of(APPROVED), deposit=NEAR)
    assert "no collateral is stored for FMSPC 7e57c0de0000: bring it with refresh_collateral" in stage.refusal()


def test_a_list_of_the_other_ca_does_not_take_the_place(register):
    other = Platform(pck_ca=PckCa.PROCESSOR)
    args = {"quote": register.quote(platform=other), "collateral": register.collateral(platform=other)}
    assert "pck_crl is of another CA" in register.refused("alice", "refresh_collateral", args, deposit=NEAR)


@pytest.mark.exercises("update_collateral")
def test_the_owner_may_put_collateral_back_and_nobody_else_may(register):
    older = register.collateral(windows(tcb_info=Window(register.now_s - 2 * HOUR_S, register.now_s + DAY_S)))
    assert "only the owner" in register.refused("alice", "update_collateral", {"collateral": older}, deposit=NEAR)
    register.call("owner", "update_collateral", {"collateral": older, "index": 0}, deposit=NEAR)
    assert register.register()


def test_who_brings_collateral_pays_for_it_and_has_it_back_when_the_next_one_does(register):
    register.later(1)
    fresh = register.collateral()
    needed = int(re.search(r"(\d+) is needed as the deposit", refresh_refused(register, fresh, deposit=1)).group(1))
    owner_held, held = register.balance("owner"), register.balance("alice")
    refresh(register, fresh, deposit=needed)
    assert register.balance("owner") > owner_held, "who paid for the former has the deposit back"
    assert held - register.balance("alice") >= needed
    register.later(1)
    refresh(register, register.collateral(), who="bob")
    assert held - register.balance("alice") < needed


def test_the_same_collateral_again_costs_no_deposit(register):
    refresh(register, register.view("get_collateral", fmspc="7e57c0de0000"), deposit=0)
    assert register.events["collateral_updated"] == []


UNREADABLE = [("tcb_info", "{}"), ("tcb_info", "no json"), ("pck_crl", "30"), ("pck_crl", "xy"), ("root_ca_crl", "")]


@pytest.mark.parametrize(("part", "text"), UNREADABLE)
def test_collateral_that_cannot_be_read_is_refused_by_the_part(register, part, text):
    assert f"{part} of the collateral cannot be read" in refresh_refused(register, register.collateral() | {part: text})


@pytest.mark.parametrize(("part", "most"), [("tcb_info", 65_536), ("pck_crl", 65_536), ("pck_crl_issuer_chain", 8_192)])
def test_a_part_beyond_all_measure_is_refused(register, part, most):
    why = refresh_refused(register, register.collateral() | {part: "9" * (most + 1)})
    assert f"{part} of the collateral is {most + 1} bytes long, and at most {most} are taken" in why


@pytest.mark.parametrize("collateral", [None, 5, [], {}, "", "{}", "[" * 5_000])
def test_what_is_no_collateral_is_refused(register, collateral):
    assert "Failed to deserialize input" in refresh_refused(register, collateral)


@pytest.mark.parametrize("fmspc", ["", "7e57c0de00", "zz57c0de0000"])
def test_an_fmspc_is_twelve_hex_digits(register, fmspc):
    with pytest.raises(ViewFailed, match="12 hex digits"):
        register.view("get_collateral", fmspc=fmspc)
