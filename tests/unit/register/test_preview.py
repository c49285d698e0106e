"""What the contract would refuse is told here first, each rule of its policy by itself."""

import dataclasses
import json

import pytest

from oracle.model import Tcb
from oracle.tee.collateral import Collateral
from oracle.tee.root import Root
from oracle.tee.simulator import Simulator, SimulatorOptions
from oracle.tee.verify import verify_quote
from register.access import METHODS, AccessKey
from register.contract import ContractPolicy
from register.errors import RegistrationRefused
from register.preview import collateral_refusal, platform_refusal

AT_S, ADVISORY = 1_700_000_000, "INTEL-SA-00837"


@pytest.fixture(scope="module")
def simulator():
    return Simulator(SimulatorOptions(seed="preview"))


@pytest.fixture(scope="module")
def collateral(simulator):
    return Collateral.from_json(simulator.collateral(AT_S).as_json())


def policy(collateral, **changes):
    number = collateral.evaluation_data_number
    plain = {
        "accepted_tcb_statuses": ["UpToDate"],
        "accepted_advisories": [ADVISORY],
        "min_tcb_evaluation_data_number": number,
        "max_tcb_evaluation_data_number": number,
        "registration_lifetime_seconds": "3600",
        "max_collateral_age_seconds": str(AT_S - collateral.issued_s),
    }
    return ContractPolicy.model_validate_json(json.dumps(plain | changes))


def test_collateral_is_taken_at_the_very_bounds_of_the_policy(collateral):
    assert collateral_refusal(policy(collateral), collateral, AT_S) is None


def test_collateral_beyond_each_bound_is_refused_by_its_name(collateral):
    number = collateral.evaluation_data_number
    assert "tcbEvaluationDataNumber" in (
        collateral_refusal(policy(collateral, min_tcb_evaluation_data_number=number + 1), collateral, AT_S) or ""
    )
    assert "tcbEvaluationDataNumber" in (
        collateral_refusal(policy(collateral, max_tcb_evaluation_data_number=number - 1), collateral, AT_S) or ""
    )
    assert "was issued" in (collateral_refusal(policy(collateral), collateral, AT_S + 1) or "")


@pytest.mark.parametrize(
    ("status", "advisories", "told"),
    [
        ("UpToDate", (), None),
        ("UpToDate", (ADVISORY,), None),
        ("OutOfDate", (), "its TCB status is OutOfDate"),
        ("UpToDate", (ADVISORY, "INTEL-SA-00001"), "the advisories INTEL-SA-00001 apply"),
    ],
)
def test_a_platform_is_refused_by_status_and_by_advisory(simulator, collateral, status, advisories, told):
    verified = verify_quote(simulator.quote(bytes(64)), collateral, AT_S, Root(simulator.root_der))
    seen = dataclasses.replace(verified, tcb=Tcb(status, advisories, verified.tcb.fmspc, verified.tcb.evaluation_data_number))
    refusal = platform_refusal(policy(collateral), seen)
    assert refusal is None if told is None else told in (refusal or "")


@pytest.mark.parametrize(
    ("receiver_id", "methods"), [("other.near", METHODS), ("main.near", METHODS[:-1]), ("main.near", ("extend_execution",))]
)
def test_a_key_that_may_not_do_all_that_a_worker_does_is_refused(receiver_id, methods):
    with pytest.raises(RegistrationRefused, match="the key may"):
        AccessKey(receiver_id, methods, None).check_may_answer("main.near")


@pytest.mark.parametrize("methods", [METHODS, (*METHODS, "more"), ()])
def test_a_key_for_all_methods_or_for_any_may_answer(methods):
    AccessKey("main.near", methods, None).check_may_answer("main.near")
