"""What the owner of the register contract may set, what nobody may change, and the life of the contract's code."""

import hashlib

import pytest

from localnet import NEAR, ExecutionFailed
from localnet.values.actions import DeployContract, FunctionCall
from tests.acceptance.contract.register.register_stage import APPROVED, DAY_S, MAIN, REGISTER, WORKER, RegisterStage, hex_of, pki_of
from tests.acceptance.contract.stage import artifact

INTEL_ROOT_SHA256 = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"
"""Fingerprint of the Intel SGX Root CA."""

OWNERS = [
    ("set_owner", {"new_owner_id": "bob.test.near"}),
    ("set_init_worker_account", {"init_worker_account": "bob.test.near"}),
    ("set_key_allowance", {"allowance": str(NEAR)}),
    ("set_policy", {"registration_lifetime_seconds": "7200"}),
    ("add_approved_measurements", hex_of(APPROVED) | {"mrtd": "ff" * 48}),
    ("remove_approved_measurements", hex_of(APPROVED)),
    ("revoke_worker", {"public_key": str(WORKER.public_key)}),
]


@pytest.mark.parametrize(("method", "args"), OWNERS, ids=[method for method, _ in OWNERS])
def test_only_the_owner_may(register, method, args):
    payable = method in {"add_approved_measurements", "revoke_worker"}
    for who in ("alice", "init", REGISTER):
        why = register.refused(who, method, args, deposit=NEAR if payable else 0)
        assert "only the owner owner.test.near may call this" in why
    register.call("owner", method, args, deposit=NEAR if payable else 0)


@pytest.mark.exercises(
    "get_config", "get_root", "get_policy", "get_key_allowance", "get_minimum_gas", "get_version", "contract_source_metadata"
)
def test_the_contract_begins_as_it_was_told_and_with_strict_defaults(register):
    assert register.view("get_config") == {
        "owner_id": "owner.test.near",
        "outlayer_contract_id": MAIN,
        "init_worker_account": "init.test.near",
        "worker_count": 0,
    }
    assert register.view("get_policy") == {
        "accepted_tcb_statuses": ["UpToDate"],
        "accepted_advisories": [],
        "min_tcb_evaluation_data_number": 0,
        "max_tcb_evaluation_data_number": 4_294_967_295,
        "registration_lifetime_seconds": str(30 * DAY_S),
        "max_collateral_age_seconds": str(30 * DAY_S),
    }
    assert register.view("get_root") == pki_of().root_der.hex()
    assert register.view("get_key_allowance") == str(5 * NEAR)
    assert register.view("get_minimum_gas") == 200 * 10**12
    assert register.view("get_version") == register.view("contract_source_metadata")["version"] == "0.1.0"


def test_the_root_is_intels_unless_another_is_given():
    stage = RegisterStage(root_hex=None)
    assert hashlib.sha256(bytes.fromhex(stage.view("get_root"))).hexdigest() == INTEL_ROOT_SHA256


@pytest.mark.parametrize("root", ["", "00", "xx", pki_of().root_der.hex()[:-2], pki_of().root_der.hex() + "00", "30" * 4_097])
def test_a_root_that_is_no_certificate_begins_nothing(root):
    with pytest.raises(ExecutionFailed, match="root_ca_der_hex is"):
        RegisterStage(root_hex=root)


@pytest.mark.exercises("new")
def test_the_root_is_fixed_for_ever():
    stage = RegisterStage()
    args = {"owner_id": "owner.test.near", "outlayer_contract_id": MAIN}
    for who in ("owner", REGISTER):
        assert "already been initialized" in stage.refused(who, "new", args)


@pytest.mark.exercises("add_approved_measurements", "remove_approved_measurements", "get_approved_measurements")
def test_measurements_are_approved_and_removed_and_paid_for(register):
    other = hex_of(APPROVED) | {"rtmr3": "ab" * 48}
    before = register.storage_yocto()
    assert "is needed as the deposit" in register.refused("owner", "add_approved_measurements", other)
    register.call("owner", "add_approved_measurements", {"measurements": other}, deposit=NEAR)
    assert "approved already" in register.refused("owner", "add_approved_measurements", other, deposit=NEAR)
    assert register.view("get_approved_measurements") == [hex_of(APPROVED), other]
    assert register.view("get_approved_measurements", from_index=1, limit=1) == [other]
    held = register.balance("owner")
    register.call("owner", "remove_approved_measurements", other)
    assert register.balance("owner") > held, "the deposit goes back"
    assert register.storage_yocto() == before
    assert "nothing to remove" in register.refused("owner", "remove_approved_measurements", other)
    assert (register.events["measurements_added"], register.events["measurements_removed"]) == ([other], [other])


def test_workers_of_removed_measurements_stay_and_no_more_come(register):
    register.register()
    register.call("owner", "remove_approved_measurements", hex_of(APPROVED))
    assert register.is_registered()
    register.later(1)
    assert "these measurements are not approved" in register.refusal()


@pytest.mark.parametrize("changes", [{"mrtd": "00"}, {"rtmr1": "zz" * 48}, {"rtmr3": "00" * 49}])
def test_a_measurement_is_96_hex_digits(register, changes):
    (name,) = changes
    why = register.refused("owner", "add_approved_measurements", hex_of(APPROVED) | changes, deposit=NEAR)
    assert f"{name} is '" in why
    assert "96 hex digits" in why


def test_all_five_measurements_are_needed(register):
    args = hex_of(APPROVED)
    del args["rtmr0"]
    assert "the measurements are missing" in register.refused("owner", "add_approved_measurements", args, deposit=NEAR)


@pytest.mark.exercises("set_policy")
def test_a_policy_changes_where_it_is_named_and_is_told(register):
    changed = register.call("owner", "set_policy", {"accepted_tcb_statuses": ["UpToDate", "SWHardeningNeeded"]}).json()
    assert changed == register.view("get_policy") == register.events["policy_set"][-1]
    assert changed["registration_lifetime_seconds"] == str(30 * DAY_S)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"accepted_tcb_statuses": []}, "no platform could register"),
        ({"accepted_tcb_statuses": ["Revoked"]}, "the TCB status 'Revoked' cannot be accepted"),
        ({"accepted_tcb_statuses": ["uptodate"]}, "the known ones are UpToDate, SWHardeningNeeded"),
        ({"accepted_tcb_statuses": ["UpToDate"] * 9}, "at most 8 statuses"),
        ({"accepted_advisories": ["A"] * 65}, "64 advisories"),
        ({"accepted_advisories": ["INTEL SA"]}, "the advisory 'INTEL SA' is refused"),
        (
            {"min_tcb_evaluation_data_number": 5, "max_tcb_evaluation_data_number": 4},
            "the range of tcbEvaluationDataNumber is empty: 5 to 4",
        ),
        ({"registration_lifetime_seconds": "600"}, "registration_lifetime_seconds is 600: it must be 3600 to 31536000"),
        ({"registration_lifetime_seconds": str(2**63)}, "it must be 3600 to 31536000"),
        ({"max_collateral_age_seconds": "0"}, "max_collateral_age_seconds is 0"),
        ({}, "nothing is changed"),
        ({"accepted_tcb_statuses": ["UpToDate"]}, "nothing is changed"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(register, change, why):
    assert why in register.refused("owner", "set_policy", change)


@pytest.mark.exercises("set_key_allowance", "set_owner")
def test_an_allowance_is_bounded(register):
    for allowance in (0, 101 * NEAR):
        assert "the allowance of a key is" in register.refused("owner", "set_key_allowance", {"allowance": str(allowance)})
    register.call("owner", "set_owner", {"new_owner_id": "bob.test.near"})
    register.call("bob", "set_key_allowance", {"allowance": str(NEAR)})
    register.register()
    assert register.key_on_account().allowance_yocto == NEAR


@pytest.mark.exercises("migrate")
def test_new_code_takes_the_state_over_and_the_owner_or_the_account_says_when(register):
    register.register()
    assert "only the owner or the contract itself may migrate, not alice.test.near" in register.refused("alice", "migrate")
    actions = [DeployContract(artifact("register.wasm")), FunctionCall("migrate", b"{}", 50 * 10**12, 0)]
    register.account(REGISTER).send(REGISTER, actions).raise_for_failure()
    register.call("owner", "migrate")
    assert register.is_registered()


def test_the_callback_is_the_accounts_own(register):
    args = {"public_key": str(WORKER.public_key), "seen_block_time": "0"}
    assert "on_key_added is private" in register.refused("alice", "on_key_added", args)


def test_a_worker_is_asked_for_by_one_name(register):
    for args in ({}, {"rtmr3": "00" * 48, "public_key": str(WORKER.public_key)}):
        assert "pass either rtmr3 or public_key" in register.refused("alice", "get_worker", args)
    assert "rtmr3 is '00'" in register.refused("alice", "get_worker", {"rtmr3": "00"})
