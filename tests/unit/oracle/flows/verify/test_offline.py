"""Checks 1 to 18 on bundles that the simulator quoted: each is made to fail alone, and names what it saw."""

import dataclasses
import json

import pytest

from oracle.flows.verify.check import Verdict
from oracle.flows.verify.offline import check_offline
from oracle.flows.verify.report import Overall, deciding, verdict_of
from oracle.flows.verify.rules import RULES, Group
from oracle.flows.verify.terms import CLOCK_TOLERANCE_S
from oracle.model import GitHub
from oracle.model.receipt import Outcome, TeeMode
from oracle.tee.policy import AcceptedMeasurements, Policy
from oracle.tee.receipt import receipt_report_data
from oracle.tee.root import INTEL
from oracle.tee.simulator import CollateralTerms, MachineOptions, Revocable, Simulator, SimulatorOptions, TcbStatus, Window, levels_for
from oracle.tee.simulator import Verdict as Said
from oracle.tee.simulator.hardware import Tee
from oracle.tee.simulator.reports import TD_ATTRIBUTES_DEBUG, EnclaveReport
from oracle.testing.code import TOOLCHAIN
from tests.unit.oracle.flows.verify.good import MADE_AT_S, Good, file_of, other_machine

DAY_S = 86_400


@pytest.fixture(scope="module")
def good():
    return Good()


def checks_of(good, bundle, **terms):
    return check_offline(file_of(bundle), good.terms(**terms)).checks


def verdict_at(checks, number):
    return next(check.verdict for check in checks if check.number == number)


def against(checks):
    """Numbers of the checks that contradict."""
    return [check.number for check in checks if check.verdict is Verdict.FAIL]


def with_attestation(bundle, **changes):
    return dataclasses.replace(bundle, attestation=dataclasses.replace(bundle.attestation, **changes))


def with_quote(bundle, **changes):
    return with_attestation(bundle, quote=dataclasses.replace(bundle.attestation.quote, **changes))


def with_collateral(good, terms=None, at_s=MADE_AT_S - 60):
    return with_attestation(good.bundle(), collateral_json=good.simulator.collateral(at_s, terms=terms).as_json())


def test_a_good_bundle_is_proven_and_every_check_is_made(good):
    checks = checks_of(good, good.bundle())
    assert verdict_of(checks) is Overall.PROVEN
    assert [check.number for check in checks] == [rule.number for rule in RULES if rule.group is Group.OFFLINE]
    assert all(check.verdict is Verdict.PASS for check in checks)


def test_a_good_bundle_of_a_batch_is_proven(good):
    assert verdict_of(checks_of(good, good.bundle(others=(b"one", b"two", b"three")))) is Overall.PROVEN


def test_a_receipt_that_never_was_in_the_batch_is_refused(good):
    batch = good.bundle(others=(b"one",))
    alone = good.bundle(good.receipt(settings_sha256_hex="77" * 32))
    assert against(checks_of(good, dataclasses.replace(alone, attestation=batch.attestation))) == [10]


def test_a_quote_of_a_batch_does_not_pass_for_one_of_a_receipt(good):
    assert against(checks_of(good, with_quote(good.bundle(others=(b"one",)), batch=None))) == [10]


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff", b"{" * 5_000, b'{"schema":"nco/bundle/v2"}', b"1" * 9_000_000])
def test_what_is_no_bundle_fails_at_the_first_check_and_reaches_no_other(good, raw):
    checks = check_offline(raw, good.terms()).checks
    assert against(checks) == [1]
    assert all(check.verdict is Verdict.UNKNOWN for check in checks[1:])


@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text.replace(":", ": ", 1),
        lambda text: text.replace('"nco/receipt/v1"', '"nco/receipt/v2"'),
        lambda text: text.replace('"request_id":"7"', '"request_id":7'),
        lambda text: text.replace('"request_id":"7"', '"request_id":"07"'),
        lambda text: text.replace('"made_at_ns"', '"made_at_ns":"1","made_at_ns"'),
        lambda text: text[:-1],
    ],
)
def test_a_receipt_in_another_spelling_fails_at_the_second_check(good, spell):
    document = json.loads(good.bundle().to_json())
    document["receipt"] = spell(document["receipt"])
    assert against(check_offline(json.dumps(document).encode(), good.terms()).checks) == [2]


def test_white_space_around_the_receipt_proves_the_same(good):
    document = json.loads(good.bundle().to_json())
    compact = json.dumps(document, separators=(",", ":")).encode()
    assert verdict_of(check_offline(b" \n" + compact + b"\n", good.terms()).checks) is Overall.PROVEN


@pytest.mark.parametrize("changes", [{"input_bytes": b"hullo"}, {"output_bytes": b"HULLO"}, {"output_bytes": b""}])
def test_other_bytes_than_those_of_the_receipt_are_refused(good, changes):
    assert against(checks_of(good, dataclasses.replace(good.bundle(), **changes))) == [3]


def test_an_output_of_another_length_than_the_receipt_tells_is_refused(good):
    outcome = dataclasses.replace(good.receipt().outcome, output_length=6)
    assert against(checks_of(good, good.bundle(good.receipt(outcome=outcome)))) == [3]


def test_an_output_beside_a_failure_is_refused(good):
    receipt = good.receipt(outcome=Outcome(success=False, error="it trapped"))
    assert against(checks_of(good, good.bundle(receipt))) == [3]


def test_input_and_output_need_not_be_carried(good):
    bundle = dataclasses.replace(good.bundle(), input_bytes=None, output_bytes=None)
    checks = checks_of(good, bundle)
    assert verdict_of(checks) is Overall.PROVEN
    assert "not carried" in checks[2].seen


def test_a_signature_of_another_key_is_refused(good):
    bundle = good.bundle()
    flipped = bytes([bundle.signature[0] ^ 1]) + bundle.signature[1:]
    assert against(checks_of(good, dataclasses.replace(bundle, signature=flipped))) == [4]


def test_a_receipt_without_a_quote_is_unproven_and_says_what_to_do(good):
    checks = checks_of(good, dataclasses.replace(good.bundle(), attestation=None))
    assert verdict_of(checks) is Overall.UNPROVEN
    assert deciding(checks).number == 5
    assert deciding(checks).mend is not None


def test_a_receipt_of_a_worker_outside_a_tee_is_unproven(good):
    worker = dataclasses.replace(good.receipt().worker, tee_mode=TeeMode.NONE, root_sha256_hex=None, is_test_root=False)
    bundle = dataclasses.replace(good.bundle(good.receipt(worker=worker)), attestation=None)
    checks = checks_of(good, bundle)
    assert (verdict_of(checks), against(checks)) == (Overall.UNPROVEN, [])


def test_a_quote_that_is_none_is_refused(good):
    assert against(checks_of(good, with_quote(good.bundle(), quote=b"\x04\x00"))) == [5]


def test_another_root_than_the_trusted_one_is_refused(good):
    checks = checks_of(good, good.bundle(), root=INTEL)
    assert against(checks) == [6, 15]
    decided = deciding(checks)
    assert f"end at another root, sha256 {good.root.sha256_hex}" in decided.seen
    assert "--root-ca" in decided.mend


def test_a_quote_with_a_changed_report_is_refused(good):
    raw = bytearray(good.bundle().attestation.quote.quote)
    raw[48] ^= 1  # TEE_TCB_SVN
    assert 6 in against(checks_of(good, with_quote(good.bundle(), quote=bytes(raw))))


@pytest.mark.parametrize("revoked", list(Revocable))
def test_a_revoked_certificate_is_refused(good, revoked):
    assert against(checks_of(good, with_collateral(good, CollateralTerms(revoked=frozenset({revoked}))))) == [6]


def test_collateral_of_another_platform_is_refused(good):
    assert against(checks_of(good, with_collateral(good, CollateralTerms(fmspc=b"\x01" * 6)))) == [6]


@pytest.mark.parametrize("part", ["tcb_info_valid", "qe_identity_valid", "crl_valid"])
@pytest.mark.parametrize(("start", "end"), [(-60 * DAY_S, -DAY_S), (DAY_S, 30 * DAY_S)])
def test_collateral_with_an_expired_or_future_part_is_refused(good, part, start, end):
    terms = CollateralTerms(**{part: Window(MADE_AT_S + start, MADE_AT_S + end)})
    checks = checks_of(good, with_collateral(good, terms))
    assert against(checks) == [7]
    assert verdict_at(checks, 6) is Verdict.UNKNOWN


def test_collateral_that_is_older_than_the_policy_allows_is_refused(good):
    policy = dataclasses.replace(good.policy, max_age_days=0)
    assert against(checks_of(good, good.bundle(), policy=policy)) == [7]


def test_collateral_from_before_the_least_evaluation_number_is_refused(good):
    policy = dataclasses.replace(good.policy, min_evaluation_data_number=1_000)
    assert against(checks_of(good, good.bundle(), policy=policy)) == [7]


def test_mixed_collateral_is_refused(good):
    one, other = (json.loads(good.simulator.collateral(MADE_AT_S - 60, tee).as_json()) for tee in (Tee.TDX, Tee.SGX))
    mixed = one | {"tcb_info": other["tcb_info"]}
    assert against(checks_of(good, with_attestation(good.bundle(), collateral_json=json.dumps(mixed)))) != []


def test_a_bundle_without_collateral_is_unproven_until_a_file_brings_it(good):
    bundle = with_attestation(good.bundle(), collateral_json=None)
    checks = checks_of(good, bundle)
    assert (verdict_of(checks), deciding(checks).number) == (Overall.UNPROVEN, 6)
    brought = good.simulator.collateral(MADE_AT_S - 60).as_json()
    assert verdict_of(checks_of(good, bundle, collateral_json=brought)) is Overall.PROVEN


def test_collateral_that_cannot_be_read_is_refused(good):
    assert against(checks_of(good, with_attestation(good.bundle(), collateral_json='{"tcb_info":1}'))) == [7]


def test_a_bundle_is_judged_at_another_moment_when_asked(good):
    assert against(checks_of(good, good.bundle(), at_s=MADE_AT_S + 40 * DAY_S)) == [7]


@pytest.mark.parametrize("status", [TcbStatus.OUT_OF_DATE, TcbStatus.SW_HARDENING_NEEDED])
def test_a_platform_in_a_state_that_the_policy_does_not_take_is_refused(good, status):
    terms = CollateralTerms(verdict=Said(status, ("INTEL-SA-00001",)))
    bundle = with_collateral(good, terms)
    assert against(checks_of(good, bundle)) == [8]
    relaxed = dataclasses.replace(good.policy, tcb_statuses=(status.value,), advisories=("INTEL-SA-00001",))
    assert verdict_of(checks_of(good, bundle, policy=relaxed)) is Overall.PROVEN


def test_a_machine_in_debug_mode_proves_nothing():
    options = MachineOptions(td_attributes=TD_ATTRIBUTES_DEBUG)
    good = Good(Simulator(SimulatorOptions(seed="good bundles", machine=options)))
    assert against(checks_of(good, good.bundle())) == [9]


def test_a_quote_over_another_receipt_is_refused(good):
    other = good.bundle(good.receipt(settings_sha256_hex="77" * 32))
    assert against(checks_of(good, dataclasses.replace(good.bundle(), attestation=other.attestation))) == [10]


def test_a_quote_for_a_registration_is_no_quote_of_a_receipt(good):
    raw = good.simulator.quote(good.key.public_key().public_bytes_raw() + bytes(32))
    assert against(checks_of(good, with_quote(good.bundle(), quote=raw))) == [10]


def test_an_event_log_of_another_machine_is_refused(good):
    other = other_machine().bundle().attestation.quote.event_log
    assert against(checks_of(good, with_quote(good.bundle(), event_log=other))) == [11]


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100, "[" + "1," * 3_000 + "1]"])
def test_an_event_log_that_is_none_is_refused(good, text):
    assert against(checks_of(good, with_quote(good.bundle(), event_log=text))) == [11]


def test_a_quote_of_sgx_is_none_of_a_worker(good):
    report = EnclaveReport(b"e" * 32, b"s" * 32, report_data=receipt_report_data(good.bundle().receipt))
    raw = good.simulator.quoter.sgx_quote(report)
    bundle = with_attestation(
        with_quote(good.bundle(), quote=raw), collateral_json=good.simulator.collateral(MADE_AT_S - 60, Tee.SGX).as_json()
    )
    assert against(checks_of(good, bundle)) == [11, 12]


def test_a_policy_that_names_no_measurements_leaves_it_unproven_with_the_mend(good):
    checks = checks_of(good, good.bundle(), policy=Policy.DEFAULT)
    assert (verdict_of(checks), deciding(checks).number) == (Overall.UNPROVEN, 12)
    assert "[[measurements]]" in deciding(checks).mend
    assert all(value in deciding(checks).seen for value in good.measurements_hex)


@pytest.mark.parametrize("register", range(5))
def test_software_with_another_register_is_refused(good, register):
    wanted = [value if index != register else "0" * 96 for index, value in enumerate(good.measurements_hex)]
    policy = dataclasses.replace(good.policy, measurements=(AcceptedMeasurements(*wanted),))
    assert against(checks_of(good, good.bundle(), policy=policy)) == [12]


def without_rtmr3(good, **changes):
    return dataclasses.replace(good.policy, measurements=(AcceptedMeasurements(*good.measurements_hex[:4]),), **changes)


def test_an_application_that_nothing_in_the_policy_names_leaves_it_unproven(good):
    checks = checks_of(good, good.bundle(), policy=without_rtmr3(good))
    assert (verdict_of(checks), deciding(checks).number) == (Overall.UNPROVEN, 13)
    named = good.simulator.machine.options.compose.sha256.hex()
    assert named in deciding(checks).mend
    assert verdict_of(checks_of(good, good.bundle(), policy=without_rtmr3(good, compose_hashes=(named,)))) is Overall.PROVEN


def test_one_loose_entry_beside_a_strict_one_does_not_name_the_application(good):
    both = (*good.policy.measurements, AcceptedMeasurements(*good.measurements_hex[:4]))
    checks = checks_of(good, good.bundle(), policy=dataclasses.replace(good.policy, measurements=both))
    assert verdict_at(checks, 13) is Verdict.UNKNOWN


@pytest.mark.parametrize("rule", ["compose_hashes", "os_image_hashes", "key_providers"])
def test_another_application_image_or_key_provider_is_refused(good, rule):
    policy = dataclasses.replace(good.policy, **{rule: ("0" * 64,)})
    assert against(checks_of(good, good.bundle(), policy=policy)) == [13]


def test_a_compose_file_that_was_not_measured_is_refused(good):
    assert against(checks_of(good, with_attestation(good.bundle(), app_compose="{}"))) == [13]


def test_a_compose_file_need_not_be_carried(good):
    assert verdict_of(checks_of(good, with_attestation(good.bundle(), app_compose=None))) is Overall.PROVEN


def test_a_policy_of_the_workers_own_is_told_and_not_needed(good):
    checks = checks_of(good, good.bundle(good.receipt(policy_sha256_hex="99" * 32)))
    assert (verdict_of(checks), verdict_at(checks, 14)) == (Overall.PROVEN, Verdict.UNKNOWN)


@pytest.mark.parametrize(
    "changes",
    [
        {"tee_mode": TeeMode.NONE},
        {"tee_mode": TeeMode.NONE, "root_sha256_hex": None, "is_test_root": False},
        {"root_sha256_hex": INTEL.sha256_hex},
        {"root_sha256_hex": None},
        {"is_test_root": False},
    ],
)
def test_a_worker_that_says_something_else_than_its_quote_is_refused(good, changes):
    worker = dataclasses.replace(good.receipt().worker, **changes)
    assert against(checks_of(good, good.bundle(good.receipt(worker=worker)))) == [15]


def test_a_receipt_from_the_future_is_refused(good):
    assert against(checks_of(good, good.bundle(), now_s=MADE_AT_S - CLOCK_TOLERANCE_S - 1)) == [16]
    assert verdict_of(checks_of(good, good.bundle(), now_s=MADE_AT_S - CLOCK_TOLERANCE_S)) is Overall.PROVEN


def test_another_module_than_the_one_asked_for_is_refused(good):
    assert against(checks_of(good, good.bundle(good.receipt(wasm_sha256_hex="00" * 32)))) == [17]
    assert against(checks_of(good, good.bundle(good.receipt(wasm_sha256_hex=None)))) == [17]


def test_a_module_built_from_a_repository_is_told_and_not_needed(good):
    checks = checks_of(good, good.bundle(good.receipt(source=GitHub("github.com/o/r", "c" * 40))))
    assert (verdict_of(checks), verdict_at(checks, 17)) == (Overall.PROVEN, Verdict.UNKNOWN)
    assert "by a toolchain that is not named" in next(check.seen for check in checks if check.number == 17)


def test_a_module_built_from_a_repository_names_what_built_it(good):
    checks = checks_of(good, good.bundle(good.receipt(source=GitHub("github.com/o/r", "c" * 40), toolchain=TOOLCHAIN)))
    seen = next(check.seen for check in checks if check.number == 17)
    assert seen.endswith(f"by fake cc 1.2.3 for wasm32-wasi (-O2; recipe {TOOLCHAIN.recipe_sha256_hex})")


def test_the_subject_names_receipt_request_and_worker(good):
    subject = check_offline(file_of(good.bundle()), good.terms()).subject
    assert (subject.request_id, subject.contract_id, subject.worker_id, subject.at_s) == (
        7,
        "outlayer.test.near",
        "worker.test.near",
        MADE_AT_S,
    )
    assert subject.receipt_sha256_hex == good.bundle().receipt_sha256_hex


def test_levels_of_a_platform_that_was_updated_since_are_judged_by_the_policy_alone(good):
    levels = levels_for(good.simulator.pki.platform, Tee.TDX, Said(TcbStatus.OUT_OF_DATE, ()))
    assert against(checks_of(good, with_collateral(good, CollateralTerms(levels=levels)))) == [8]


@pytest.mark.parametrize("named", [{"request_id": 8}, {"contract_id": "other.test.near"}])
def test_a_good_bundle_of_another_request_is_refused(good, named):
    assert against(checks_of(good, good.bundle(), **named)) == [18]
    assert verdict_of(checks_of(good, good.bundle(), request_id=7, contract_id="outlayer.test.near")) is Overall.PROVEN


def test_a_good_bundle_of_another_transaction_is_refused(good):
    assert against(checks_of(good, good.bundle(), request_transaction="9" * 44)) == [18]
    named = good.receipt().request.transaction_hash
    assert verdict_of(checks_of(good, good.bundle(), request_transaction=named)) is Overall.PROVEN


def test_a_receipt_that_names_no_transaction_may_be_asked_for_by_any(good):
    receipt = good.receipt(request=dataclasses.replace(good.receipt().request, transaction_hash=None))
    assert verdict_of(checks_of(good, good.bundle(receipt), request_transaction="9" * 44)) is Overall.PROVEN
