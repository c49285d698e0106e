"""
Editions of collateral: Intel signs TCB info and QE identity under several `tcbEvaluationDataNumber`s at a time. Who brings collateral
chooses for itself, within the policy's range, and for nobody else (docs/adr/0013-collateral-editions.md).
"""

import json
from dataclasses import replace

import pytest

from localnet import NEAR
from oracle.tee.simulator.collateral import CollateralTerms, Revocable
from oracle.tee.simulator.tcb import OUT_OF_DATE
from oracle.tee.simulator.window import Window
from tests.acceptance.contract.register.register_stage import DAY_S, WORKER

HOUR_S = 3600
FMSPC = "7e57c0de0000"
STANDARD = CollateralTerms(evaluation_number=17)
EARLY = CollateralTerms(evaluation_number=18)
EARLY_THAT_FINDS_THE_PLATFORM_OLD = replace(EARLY, verdict=OUT_OF_DATE)


def place(register, collateral):
    """The owner's word: whatever was there."""
    register.call("owner", "update_collateral", {"collateral": collateral}, deposit=NEAR)
    return collateral


def stored(register):
    return register.view("get_collateral", fmspc=FMSPC)


def with_collateral(register, collateral):
    args = register.registration()
    return args | {"tdx_quote": args.pop("tdx_quote_hex"), "collateral": collateral}


def bring(register, collateral):
    return register.call("init", "register_worker", with_collateral(register, collateral), deposit=NEAR).json()


def bring_refused(register, collateral):
    return register.refused("init", "register_worker", with_collateral(register, collateral), deposit=NEAR)


def refresh_refused(register, collateral):
    return register.refused("alice", "refresh_collateral", {"quote": register.quote(), "collateral": collateral}, deposit=NEAR)


BOTH_WAYS = pytest.mark.parametrize(("there", "brought"), [(STANDARD, EARLY), (EARLY, STANDARD)], ids=["to early", "to standard"])


@BOTH_WAYS
def test_a_stranger_does_not_change_the_edition_that_is_stored(register, there, brought):
    kept = place(register, register.collateral(there))
    register.later(HOUR_S)
    why = refresh_refused(register, register.collateral(brought))
    numbers = [(terms.evaluation_number, terms.evaluation_number) for terms in (brought, there)]
    assert f"(tcbEvaluationDataNumber of TCB info and QE identity {numbers[0]}, stored {numbers[1]}), and the stored still serves" in why
    assert stored(register) == kept


@BOTH_WAYS
@pytest.mark.exercises("register_worker")
def test_a_worker_registers_with_its_own_edition_and_leaves_the_stored_one(register, there, brought):
    kept = place(register, register.collateral(there))
    held, told = register.balance("init"), list(register.events["collateral_updated"])
    assert bring(register, register.collateral(brought)) is True
    assert register.is_registered()
    assert stored(register) == kept
    assert register.events["collateral_updated"] == told
    assert held - register.balance("init") < NEAR // 20, "no deposit is held for collateral that is not stored"


def test_the_early_edition_in_the_place_shuts_no_platform_out(register):
    place(register, register.collateral(EARLY_THAT_FINDS_THE_PLATFORM_OLD))
    assert "the platform's TCB status is OutOfDate" in register.refusal()
    assert bring(register, register.collateral(STANDARD)) is True


def test_the_owner_closes_the_lower_edition_with_the_policy(register):
    place(register, register.collateral(EARLY))
    register.call("owner", "set_policy", {"min_tcb_evaluation_data_number": 18})
    assert "tcbEvaluationDataNumber of tcb_info is 17, and the policy takes 18" in bring_refused(register, register.collateral(STANDARD))


@pytest.mark.exercises("refresh_collateral")
@pytest.mark.parametrize(
    ("policy", "later_s"),
    [({}, 31 * DAY_S), ({"max_collateral_age_seconds": str(2 * HOUR_S)}, 2 * HOUR_S), ({"min_tcb_evaluation_data_number": 18}, 0)],
    ids=["expired", "too old", "out of range"],
)
@pytest.mark.parametrize("method", ["refresh_collateral", "register_worker"])
def test_what_no_longer_serves_gives_its_place_to_any_edition(register, policy, later_s, method):
    if policy:
        register.call("owner", "set_policy", policy)
    register.later(later_s)
    early = register.collateral(EARLY)
    if method == "register_worker":
        assert bring(register, early) is True
    register.call("alice", "refresh_collateral", {"quote": register.quote(), "collateral": early}, deposit=NEAR)
    assert stored(register) == early
    assert len(register.events["collateral_updated"]) == 1


def test_the_same_edition_is_refreshed_by_anybody(register):
    place(register, register.collateral(EARLY))
    register.later(HOUR_S)
    fresh = register.collateral(EARLY)
    register.call("alice", "refresh_collateral", {"quote": register.quote(), "collateral": fresh}, deposit=NEAR)
    assert stored(register) == fresh


def test_an_edition_is_both_numbers(register):
    kept, early = stored(register), register.collateral(EARLY)
    mixed = register.collateral() | {part: early[part] for part in ("qe_identity", "qe_identity_signature")}
    assert "QE identity (17, 18), stored (17, 17)" in refresh_refused(register, mixed)
    assert bring(register, mixed) is True
    assert stored(register) == kept


def older(register, seconds, *parts, terms=STANDARD):
    """Collateral in which these parts were issued so much before the usual."""
    window = Window(register.now_s - HOUR_S - seconds, register.now_s + DAY_S)
    return register.collateral(replace(terms, **dict.fromkeys(parts, window)))


@pytest.mark.parametrize("part", ["tcb_info", "qe_identity"])
def test_another_edition_counts_while_intel_signs_it(register, part):
    place(register, register.collateral(EARLY))
    left = older(register, 7 * DAY_S + 1, f"{part}_valid")
    why = bring_refused(register, left)
    issued_s = register.now_s - HOUR_S
    assert f"{part} of the collateral was issued at {issued_s - 7 * DAY_S - 1}, more than 604800 s before" in why
    assert f"stored beside it ({issued_s}, seconds since 1970)" in why
    assert bring(register, older(register, 7 * DAY_S, f"{part}_valid")) is True


def test_with_another_edition_the_newer_of_both_revocation_lists_count(register):
    place(register, register.collateral(EARLY))
    assert bring(register, older(register, HOUR_S, "crl_valid")) is True, "the list that is stored is newer, and names nobody"


def test_newer_lists_of_collateral_that_no_longer_serves_shut_nobody_out(register):
    """A stranger can bring newer lists alone until the rest has expired; a worker's source may have them a little later."""
    expiring = Window(register.now_s - HOUR_S, register.now_s + HOUR_S)
    kept = place(register, register.collateral(replace(STANDARD, tcb_info_valid=expiring)))
    register.later(2 * HOUR_S)
    lagging = older(register, 3 * HOUR_S, "crl_valid")
    assert "was issued at" in refresh_refused(register, lagging)
    assert bring(register, lagging) is True
    assert stored(register) == kept


@pytest.mark.parametrize("revoked", [Revocable.PCK, Revocable.PCK_CA])
def test_no_edition_brings_a_revoked_platform_back(register, revoked):
    place(register, register.collateral(replace(EARLY, revoked=frozenset({revoked}))))
    assert "CertRevoked" in bring_refused(register, older(register, HOUR_S, "crl_valid"))
    assert register.key_on_account(WORKER) is None
    place(register, older(register, HOUR_S, "crl_valid", terms=EARLY))
    listed = register.collateral(replace(STANDARD, revoked=frozenset({revoked})))
    assert "CertRevoked" in bring_refused(register, listed), "the list that comes along is the newer one"


def test_the_stored_edition_is_not_touched_by_a_refused_one(register):
    kept = stored(register)
    refresh_refused(register, register.collateral(EARLY))
    bring_refused(register, register.collateral(EARLY_THAT_FINDS_THE_PLATFORM_OLD))
    assert stored(register) == kept
    assert json.loads(kept["tcb_info"])["tcbEvaluationDataNumber"] == 17
