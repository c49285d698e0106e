import dataclasses
import hashlib
import json
import re
from pathlib import Path

import pytest

from oracle.errors import ConfigurationError
from oracle.model import AppIdentity
from oracle.tee.policy import AcceptedMeasurements, Policy
from oracle.tee.root import INTEL
from oracle.tee.verify import verify_quote
from tests.unit.oracle.tee.samples import AT_S, sample_collateral, sample_quote

EXAMPLE = Path(__file__).parents[4] / "examples" / "tee" / "policy.toml"
IDENTITY = AppIdentity("aa" * 20, "bb" * 32, "", "cc" * 32, "kms", "3059")
DAY_S = 86_400


@pytest.fixture(scope="module")
def tdx():
    return verify_quote(sample_quote("tdx"), sample_collateral("tdx"), AT_S, INTEL)


@pytest.fixture(scope="module")
def sgx():
    return verify_quote(sample_quote("sgx"), sample_collateral("sgx"), AT_S, INTEL)


def policy_of(tmp_path, text):
    (tmp_path / "policy.toml").write_text(text)
    return Policy.from_file(tmp_path / "policy.toml")


def problems_of(tmp_path, text):
    with pytest.raises(ConfigurationError) as refused:
        policy_of(tmp_path, text)
    assert all(problem.startswith(f"TEE_POLICY_FILE: {tmp_path / 'policy.toml'}") for problem in refused.value.problems)
    return "\n".join(refused.value.problems)


def finding(findings, name):
    return next(one for one in findings if one.name == name)


def test_the_example_file_is_the_default_policy():
    assert Policy.from_file(EXAMPLE) == Policy.from_file(None) == Policy.DEFAULT


def test_each_line_of_the_example_that_is_commented_out_can_be_used(tmp_path):
    text = re.sub(r"^# (\[\[measurements\]\]|[a-z_0-9]+ = )", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    text = text.replace("96 hex digits", "ab" * 48).replace("64 hex digits", "ab" * 32)
    policy = policy_of(tmp_path, text)
    assert policy.measurements == (AcceptedMeasurements(*["ab" * 48] * 5),)
    assert (policy.compose_hashes, policy.os_image_hashes, policy.key_providers) == (("ab" * 32,), ("ab" * 32,), ("kms",))
    assert policy.max_evaluation_data_number == 20


def test_an_up_to_date_platform_passes_the_default(tdx):
    findings = Policy.DEFAULT.judge(tdx, AT_S)
    assert [one.name for one in findings] == ["tcb.status", "tcb.advisories", "collateral.age", "collateral.evaluation_data_number"]
    assert all(one.ok for one in findings)
    assert Policy.DEFAULT.accepts(tdx, AT_S)


def test_a_finding_tells_what_was_seen_and_what_is_expected(sgx):
    status, advisories, *_ = Policy.DEFAULT.judge(sgx, AT_S)
    assert (status.seen, status.expected, status.ok) == ("ConfigurationAndSWHardeningNeeded", "UpToDate", False)
    assert (advisories.seen, advisories.expected, advisories.ok) == ("INTEL-SA-00289, INTEL-SA-00615", "none", False)


@pytest.mark.parametrize(
    ("advisories", "ok"),
    [((), False), (("INTEL-SA-00289",), False), (("INTEL-SA-00289", "INTEL-SA-00615"), True), (("*",), True)],
)
def test_every_advisory_of_a_platform_has_to_be_accepted(sgx, advisories, ok):
    policy = Policy(tcb_statuses=("UpToDate", "ConfigurationAndSWHardeningNeeded"), advisories=advisories)
    assert policy.accepts(sgx, AT_S) is ok


@pytest.mark.parametrize(("days_later", "max_age_days", "ok"), [(0, 7, True), (1, 7, False), (1, 8, True), (20, 30, True), (-8, 30, False)])
def test_the_age_of_collateral_counts_from_its_oldest_monthly_part(tdx, days_later, max_age_days, ok):
    # Issued 2025-06-19, and asked about 6.2 days later.
    found = finding(Policy(max_age_days=max_age_days).judge(tdx, AT_S + days_later * DAY_S), "collateral.age")
    assert found.ok is ok
    assert found.seen.startswith("issued 2025-06-19T10:00:35Z, ")


@pytest.mark.parametrize(("least", "most", "ok"), [(0, None, True), (17, 17, True), (18, None, False), (0, 16, False)])
def test_the_count_of_recoveries_is_bounded_on_both_sides(tdx, least, most, ok):
    policy = Policy(min_evaluation_data_number=least, max_evaluation_data_number=most)
    assert finding(policy.judge(tdx, AT_S), "collateral.evaluation_data_number").ok is ok


def test_measurements_have_to_be_listed_and_rtmr3_may_be_left_open(tdx, sgx):
    listed = AcceptedMeasurements(*tdx.report.measurements.hex_fields().values())
    assert Policy(measurements=(listed,)).accepts(tdx, AT_S)
    assert Policy(measurements=(dataclasses.replace(listed, rtmr3_hex=None),)).accepts(tdx, AT_S)
    for name in ("mrtd_hex", "rtmr0_hex", "rtmr1_hex", "rtmr2_hex", "rtmr3_hex"):
        assert not Policy(measurements=(dataclasses.replace(listed, **{name: "ab" * 48}),)).accepts(tdx, AT_S)
    assert finding(Policy(measurements=(listed,)).judge(sgx, AT_S), "measurements").ok is False


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ("compose_hashes", ("00" * 32, "bb" * 32), ("cc" * 32,)),
        ("os_image_hashes", ("cc" * 32,), ("bb" * 32,)),
        ("key_providers", ("kms",), ("local-sgx",)),
        ("key_providers", ("kms:3059",), ("kms:305",)),
    ],
)
def test_the_application_has_to_be_listed(tdx, rule, good, bad):
    assert Policy(**{rule: good}).accepts(tdx, AT_S, IDENTITY)
    assert not Policy(**{rule: bad}).accepts(tdx, AT_S, IDENTITY)
    without = Policy(**{rule: good}).judge(tdx, AT_S)[-1]
    assert (without.ok, without.seen) == (None, "no event log that says")
    assert not Policy(**{rule: good}).accepts(tdx, AT_S)


def test_an_image_hash_that_the_log_does_not_tell_is_not_accepted(tdx):
    old = dataclasses.replace(IDENTITY, os_image_hash=None)
    assert Policy(os_image_hashes=("cc" * 32,)).judge(tdx, AT_S, old)[-1].ok is False


def test_the_digest_is_that_of_the_canonical_document():
    written = (
        '{"app":{"compose_hashes":[],"key_providers":[],"os_image_hashes":[]},"chain":{"two_nodes":true},"collateral":'
        '{"max_age_days":30,"max_evaluation_data_number":null,"min_evaluation_data_number":0},"measurements":[],'
        '"schema":"nco/policy/v1","tcb":{"advisories":[],"statuses":["UpToDate"]}}'
    )
    assert Policy.DEFAULT.sha256_hex == hashlib.sha256(written.encode()).hexdigest()
    assert json.loads(written) == Policy.DEFAULT.document()


def test_order_and_spelling_do_not_change_the_digest_and_each_rule_does(tmp_path):
    one = policy_of(tmp_path, 'tcb.statuses = ["UpToDate", "OutOfDate"]')
    other = policy_of(tmp_path, '# as above\n[tcb]\nstatuses = ["OutOfDate",\n "UpToDate"]\n[chain]\ntwo_nodes = true')
    assert one.sha256_hex == other.sha256_hex
    measured = AcceptedMeasurements(*["ab" * 48] * 5)
    changed = [
        Policy(tcb_statuses=("OutOfDate",)),
        Policy(advisories=("*",)),
        Policy(max_age_days=29),
        Policy(min_evaluation_data_number=1),
        Policy(max_evaluation_data_number=1),
        Policy(measurements=(measured,)),
        Policy(measurements=(dataclasses.replace(measured, rtmr3_hex=None),)),
        Policy(compose_hashes=("ab" * 32,)),
        Policy(os_image_hashes=("ab" * 32,)),
        Policy(key_providers=("kms",)),
        Policy(two_nodes=False),
    ]
    assert len({policy.sha256_hex for policy in [Policy.DEFAULT, *changed]}) == len(changed) + 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tcb.status = []", "tcb.status is no rule"),
        ("[typo]", "typo is no part of a policy"),
        ("tcb = 1", "tcb is no table"),
        ("[tcb]\nstatuses = []", "would accept nothing"),
        ("[tcb]\nstatuses = ['Revoked']", "'Revoked'; each has to be one of UpToDate"),
        ("[tcb]\nstatuses = 'UpToDate'", "no list"),
        ("[tcb]\nadvisories = ['*', 'INTEL-SA-00289']", 'write ["*"]'),
        ("[tcb]\nadvisories = ['SA-1']", "five digits"),
        ("[collateral]\nmax_age_days = -1", "whole number from 0"),
        ("[collateral]\nmax_age_days = true", "whole number from 0"),
        ("[collateral]\nmin_evaluation_data_number = 5\nmax_evaluation_data_number = 4", "nothing could pass"),
        ("[app]\ncompose_hashes = ['AB']", "64 hex digits in lower case"),
        ("[app]\nkey_providers = [1]", "each has to be a name"),
        ("[chain]\ntwo_nodes = 'no'", "true or false"),
        ("measurements = 1", "write [[measurements]]"),
        ("measurements = [1]", "write [[measurements]]"),
        ("[[measurements]]\nmrtd = 'ab'", "mrtd is 'ab'; it has to be 96"),
        ("[[measurements]]\nmrtd = 'ab'", "lacks rtmr0"),
        ("[[measurements]]\nmr_td = 'ab'", "mr_td is no register"),
        ("not toml", "is no TOML"),
        ("a = " + "[" * 5_000, "is no TOML"),
    ],
)
def test_a_rule_that_is_wrong_is_named_with_its_mend(tmp_path, text, reason):
    assert reason in problems_of(tmp_path, text)


def test_all_problems_are_told_at_once(tmp_path):
    assert problems_of(tmp_path, "typo = 1\n[tcb]\nstatuses = []\n[chain]\ntwo_nodes = 1").count("TEE_POLICY_FILE") == 3


def test_a_file_that_is_missing_or_too_large_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Policy.from_file(tmp_path / "none.toml")
    assert "more than" in problems_of(tmp_path, "#" * 300_000)
