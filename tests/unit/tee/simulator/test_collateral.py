"""What the terms say is what dcap-qvl finds: every bad case is refused for its own reason, every status is told."""

import json
from dataclasses import replace
from pathlib import Path

import dcap_qvl
import pytest

from oracle.tee.simulator.collateral import CollateralTerms, Revocable, make_collateral
from oracle.tee.simulator.hardware import SGX_QE, TD_QE, Platform, Tee
from oracle.tee.simulator.pki import make_pki
from oracle.tee.simulator.quotes import Quoter
from oracle.tee.simulator.tcb import SvnLevel, TcbStatus, Verdict, levels_for
from oracle.tee.simulator.window import DAY_S, Window

NOW_S = 1_800_000_000
PAST, FUTURE = Window(NOW_S - 40 * DAY_S, NOW_S - 10 * DAY_S), Window(NOW_S + DAY_S, NOW_S + 31 * DAY_S)
SAMPLE = json.loads((Path(__file__).parents[3] / "vectors/quotes/tdx_quote_collateral.json").read_text())


@pytest.fixture
def verify(pki, quoter, td_report):
    def run(terms: CollateralTerms, **replaced):
        collateral = replace(make_collateral(pki, Tee.TDX, NOW_S, terms), **replaced)
        return dcap_qvl.verify_with_root_ca(quoter.td_quote(td_report), collateral.as_dcap(), pki.root_der, NOW_S)

    return run


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (CollateralTerms(tcb_info_valid=PAST), "TCBInfo expired"),
        (CollateralTerms(tcb_info_valid=FUTURE), "TCBInfo issue date is in the future"),
        (CollateralTerms(qe_identity_valid=PAST), "QE Identity expired"),
        (CollateralTerms(qe_identity_valid=FUTURE), "QE Identity issue date is in the future"),
        (CollateralTerms(crl_valid=PAST), "(?i)crl"),
        (CollateralTerms(revoked=frozenset({Revocable.PCK})), "CertRevoked"),
        (CollateralTerms(revoked=frozenset({Revocable.PCK_CA})), "CertRevoked"),
        (CollateralTerms(revoked=frozenset({Revocable.TCB_SIGNER})), "CertRevoked"),
        (CollateralTerms(fmspc=bytes.fromhex("b0c06f000000")), "Fmspc mismatch"),
        (CollateralTerms(verdict=Verdict(TcbStatus.REVOKED)), "TCB status is invalid"),
    ],
    ids=repr,
)
def test_bad_collateral_is_refused(verify, terms, reason):
    with pytest.raises(ValueError, match=reason):
        verify(terms)


@pytest.mark.parametrize("status", [status for status in TcbStatus if status is not TcbStatus.REVOKED])
def test_every_other_status_is_told_with_its_advisories(verify, status):
    verified = verify(CollateralTerms(verdict=Verdict(status, ("INTEL-SA-00001", "INTEL-SA-00002"))))
    assert (verified.status, verified.advisory_ids) == (status.value, ["INTEL-SA-00001", "INTEL-SA-00002"])


@pytest.mark.parametrize("part", ["tcb_info", "qe_identity"])
def test_a_changed_document_is_refused(verify, pki, part):
    text = getattr(make_collateral(pki, Tee.TDX, NOW_S), part)
    changed = text.replace('"tcbEvaluationDataNumber":17', '"tcbEvaluationDataNumber":18')
    assert changed != text
    with pytest.raises(ValueError, match=f"Signature is invalid for {part}"):
        verify(CollateralTerms(), **{part: changed})


@pytest.mark.parametrize("below", [{"cpu_svn": bytes(16)}, {"pce_svn": 3}], ids=repr)
def test_a_platform_below_every_level_is_refused(secrets, pki, td_report, below):
    quote = Quoter(secrets, make_pki(secrets, replace(pki.platform, **below))).td_quote(td_report)
    with pytest.raises(ValueError, match="No matching TCB level found"):
        dcap_qvl.verify_with_root_ca(quote, make_collateral(pki, Tee.TDX, NOW_S).as_dcap(), pki.root_der, NOW_S)


def test_an_old_tdx_module_puts_a_platform_on_an_older_level(secrets, pki, td_report):
    quote = Quoter(secrets, make_pki(secrets, replace(pki.platform, tee_tcb_svn=bytes(16)))).td_quote(td_report)
    verified = dcap_qvl.verify_with_root_ca(quote, make_collateral(pki, Tee.TDX, NOW_S).as_dcap(), pki.root_der, NOW_S)
    assert verified.status == "OutOfDate"


def test_an_outdated_module_makes_an_up_to_date_platform_out_of_date(verify, pki):
    levels = levels_for(pki.platform, Tee.TDX)
    old = SvnLevel(pki.platform.tee_tcb_svn[0], Verdict(TcbStatus.OUT_OF_DATE, ("INTEL-SA-00837",)))
    verified = verify(CollateralTerms(levels=replace(levels, module=(old,))))
    assert (verified.status, verified.advisory_ids) == ("OutOfDate", ["INTEL-SA-00837"])


def test_a_quoting_enclave_below_every_level_is_refused(verify, pki):
    levels = levels_for(pki.platform, Tee.TDX)
    with pytest.raises(ValueError, match="QE ISVSVN 4 is below minimum required 9"):
        verify(CollateralTerms(levels=replace(levels, enclave=(SvnLevel(9),))))


def test_collateral_of_the_other_kind_is_refused(pki, quoter, td_report):
    with pytest.raises(ValueError, match="Verification failed"):
        dcap_qvl.verify_with_root_ca(quoter.td_quote(td_report), make_collateral(pki, Tee.SGX, NOW_S).as_dcap(), pki.root_der, NOW_S)


def test_the_json_is_dcap_qvls(pki):
    collateral = make_collateral(pki, Tee.TDX, NOW_S)
    assert json.loads(dcap_qvl.QuoteCollateralV3.from_json(collateral.as_json()).to_json()) == json.loads(collateral.as_json())


@pytest.mark.parametrize("part", ["tcb_info", "qe_identity"])
def test_documents_have_the_fields_of_intels_in_their_order(pki, part):
    ours = json.loads(getattr(make_collateral(pki, Tee.TDX, NOW_S), part))
    intels = json.loads(SAMPLE[part])
    assert list(ours) == list(intels)
    assert [set(level) - {"advisoryIDs"} for level in ours["tcbLevels"]] == [set(intels["tcbLevels"][0])] * 2
    assert set(ours["tcbLevels"][0]["tcb"]) == set(intels["tcbLevels"][0]["tcb"])
    if part == "tcb_info":
        assert set(ours["tdxModuleIdentities"][0]) == set(intels["tdxModuleIdentities"][0])
        assert ours["tdxModuleIdentities"][0]["id"] in {identity["id"] for identity in intels["tdxModuleIdentities"]}


def test_the_evaluation_number_is_in_both_documents(pki):
    collateral = make_collateral(pki, Tee.TDX, NOW_S, CollateralTerms(evaluation_number=16))
    assert [json.loads(part)["tcbEvaluationDataNumber"] for part in (collateral.tcb_info, collateral.qe_identity)] == [16, 16]


def test_the_quoting_enclaves_are_told_apart(secrets):
    assert {Platform().quoting_enclave(tee).identity for tee in Tee} == {TD_QE.identity, SGX_QE.identity} == {"TD_QE", "QE"}
