import dataclasses
import json

import dcap_qvl
import pytest

from oracle.errors import EvidenceRefused
from oracle.tee.collateral import Collateral
from oracle.tee.quote import parse_quote
from oracle.tee.root import INTEL, Root
from oracle.tee.simulator import Platform, Quoter, Secrets, Simulator, SimulatorOptions, make_collateral, make_pki
from oracle.tee.simulator.collateral import CollateralTerms, Revocable
from oracle.tee.simulator.hardware import Tee
from oracle.tee.simulator.quotes import TdQuoteVersion
from oracle.tee.simulator.reports import SGX_ATTRIBUTES_DEBUG, TD_ATTRIBUTES_DEBUG, EnclaveReport, TdReport
from oracle.tee.simulator.tcb import TcbStatus, Verdict, levels_for
from oracle.tee.simulator.window import Window
from oracle.tee.verify import platform_of, verify_quote
from tests.unit.oracle.tee.samples import AT_S, sample_collateral, sample_collateral_text, sample_quote

DAY_S = 86_400
REPORT_DATA = bytes(range(64))


@pytest.fixture(scope="module")
def simulator():
    return Simulator(SimulatorOptions(seed="verify", clock=lambda: AT_S))


@pytest.fixture(scope="module")
def root(simulator):
    return Root(simulator.root_der)


def collateral_of(simulated):
    return Collateral.from_json(simulated.as_json())


def test_the_real_tdx_quote_verifies_under_intels_root_at_its_time():
    verified = verify_quote(sample_quote("tdx"), sample_collateral("tdx"), AT_S, INTEL)
    assert verified.report == parse_quote(sample_quote("tdx")).report
    assert (verified.tcb.status, verified.tcb.advisory_ids) == ("UpToDate", ())
    assert (verified.tcb.fmspc.hex(), verified.tcb.evaluation_data_number) == ("b0c06f000000", 17)
    assert (verified.root_sha256_hex, verified.test_root) == (INTEL.sha256_hex, False)
    assert verified.valid_until_s == sample_collateral("tdx").valid_until_s
    assert verified.collateral_sha256_hex == sample_collateral("tdx").sha256_hex


def test_the_real_sgx_quote_tells_its_platforms_advisories():
    verified = verify_quote(sample_quote("sgx"), sample_collateral("sgx"), AT_S, INTEL)
    assert verified.tcb.status == "ConfigurationAndSWHardeningNeeded"
    assert verified.tcb.advisory_ids == ("INTEL-SA-00289", "INTEL-SA-00615")


@pytest.mark.parametrize(("kind", "authority"), [("tdx", "platform"), ("sgx", "processor")])
def test_a_quote_names_the_collateral_it_needs(kind, authority):
    assert platform_of(parse_quote(sample_quote(kind))) == (sample_collateral(kind).fmspc, authority)


@pytest.mark.parametrize("kind", ["tdx", "sgx"])
def test_with_any_byte_changed_a_real_quote_is_refused_or_says_the_same(kind):
    raw, collateral = sample_quote(kind), sample_collateral(kind)
    good, quote = verify_quote(raw, collateral, AT_S, INTEL), parse_quote(raw)
    signed_and_signature = quote.signed_bytes + 4 + 64
    # A byte costs a millisecond; certificates, which both quotes end with, are changed in one of them only.
    checked_bytes = len(raw) if kind == "tdx" else len(raw) - len(quote.certification) + 200
    for at in range(checked_bytes):
        mutant = bytearray(raw)
        mutant[at] ^= 1 << at % 8
        try:
            verified = verify_quote(bytes(mutant), collateral, AT_S, INTEL)
        except EvidenceRefused:
            continue
        assert at >= signed_and_signature, f"byte {at} is signed or the signature"
        assert verified.report == good.report
        assert verified.tcb == good.tcb


@pytest.mark.parametrize(
    ("at_s", "reason"),
    [
        (AT_S - 30 * DAY_S, "from the future: issued 2025-06-19"),
        (AT_S + 30 * DAY_S, "has expired: good until 2025-07-19"),
        (0, "from the future"),
        (-1, "outside 1970 to 2242"),
        (2**63, "outside 1970 to 2242"),
    ],
)
def test_outside_the_time_of_its_collateral_a_quote_is_refused(at_s, reason):
    with pytest.raises(EvidenceRefused, match=reason):
        verify_quote(sample_quote("tdx"), sample_collateral("tdx"), at_s, INTEL)


def test_collateral_of_the_other_kind_of_machine_is_refused():
    with pytest.raises(EvidenceRefused, match="does not verify"):
        verify_quote(sample_quote("tdx"), sample_collateral("sgx"), AT_S, INTEL)


@pytest.mark.parametrize(
    "names",
    [
        ("tcb_info", "tcb_info_signature"),
        ("qe_identity", "qe_identity_signature"),
        ("pck_crl",),
        ("tcb_info_signature",),
        ("qe_identity_signature",),
    ],
)
def test_parts_of_two_collaterals_do_not_mix(names):
    theirs = json.loads(sample_collateral_text("sgx"))
    mixed = json.loads(sample_collateral_text("tdx")) | {name: theirs[name] for name in names}
    with pytest.raises(EvidenceRefused, match="does not verify"):
        verify_quote(sample_quote("tdx"), Collateral.from_json(json.dumps(mixed)), AT_S, INTEL)


def test_a_pck_chain_that_comes_with_the_collateral_replaces_no_chain_of_a_quote(simulator):
    foreign = json.loads(sample_collateral_text("tdx")) | {"pck_certificate_chain": simulator.pki.pck_chain_pem}
    verified = verify_quote(sample_quote("tdx"), Collateral.from_json(json.dumps(foreign)), AT_S, INTEL)
    assert verified.report.report_data == parse_quote(sample_quote("tdx")).report.report_data


def _without_its_chain(raw):
    """The same quote as machines write it that know their PCK certificate's name only: certification data of kind 3."""
    quote = parse_quote(raw)
    named = (3).to_bytes(2, "little") + (404).to_bytes(4, "little") + bytes(404)
    signature = raw[quote.signed_bytes + 4 : -len(quote.certification) - 6] + named
    return raw[: quote.signed_bytes] + len(signature).to_bytes(4, "little") + signature


def test_a_quote_that_only_names_its_pck_certificate_needs_the_chain_in_the_collateral():
    raw, chain = _without_its_chain(sample_quote("sgx")), parse_quote(sample_quote("sgx")).certification.rstrip(b"\0").decode()
    members = json.loads(sample_collateral_text("sgx"))
    verified = verify_quote(raw, Collateral.from_json(json.dumps(members | {"pck_certificate_chain": chain})), AT_S, INTEL)
    assert verified.tcb.status == "ConfigurationAndSWHardeningNeeded"
    with pytest.raises(EvidenceRefused, match=r"neither the quote \(certification data of kind 3\) nor the collateral"):
        verify_quote(raw, sample_collateral("sgx"), AT_S, INTEL)
    other = parse_quote(sample_quote("tdx")).certification.rstrip(b"\0").decode()
    with pytest.raises(EvidenceRefused, match="does not verify"):
        verify_quote(raw, Collateral.from_json(json.dumps(members | {"pck_certificate_chain": other})), AT_S, INTEL)
    with pytest.raises(EvidenceRefused, match="kind 5, the PCK chain"):
        platform_of(parse_quote(raw))


class PanicException(BaseException):
    """As the Rust library's, which is no Exception."""


@pytest.mark.parametrize(
    ("raised", "comes_out"), [(PanicException, EvidenceRefused), (ValueError, EvidenceRefused), (KeyboardInterrupt,) * 2]
)
def test_a_panic_of_the_library_refuses_and_what_is_none_of_its_passes(monkeypatch, raised, comes_out):
    def gives_up(*_):
        raise raised

    monkeypatch.setattr(dcap_qvl, "verify_with_root_ca", gives_up)
    with pytest.raises(comes_out):
        verify_quote(sample_quote("tdx"), sample_collateral("tdx"), AT_S, INTEL)


def test_a_simulated_quote_verifies_under_the_test_root_alone_and_says_so(simulator, root):
    raw, collateral = simulator.quote(REPORT_DATA), collateral_of(simulator.collateral())
    verified = verify_quote(raw, collateral, AT_S, root)
    assert (verified.report.report_data, verified.test_root, verified.root_sha256_hex) == (REPORT_DATA, True, root.sha256_hex)
    with pytest.raises(EvidenceRefused, match="does not verify"):
        verify_quote(raw, collateral, AT_S, INTEL)


def test_the_real_quote_does_not_verify_under_a_test_root(root):
    with pytest.raises(EvidenceRefused, match="does not verify"):
        verify_quote(sample_quote("tdx"), sample_collateral("tdx"), AT_S, root)


def test_a_quote_of_version_5_verifies_and_its_bytes_are_guarded_alike(simulator, root):
    report = TdReport(simulator.machine.measurements, REPORT_DATA)
    raw, collateral = simulator.quoter.td_quote(report, TdQuoteVersion.V5), collateral_of(simulator.collateral())
    verified = verify_quote(raw, collateral, AT_S, root)
    assert (verified.report.version, verified.report.tdx.mr_service_td) == (5, bytes(48))
    assert verified.report.measurements.rtmr3 == simulator.machine.measurements.rt_mr3
    for at in range(48 + 6 + 648 + 4 + 64):
        mutant = bytearray(raw)
        mutant[at] ^= 0x40
        with pytest.raises(EvidenceRefused):
            verify_quote(bytes(mutant), collateral, AT_S, root)


def test_a_simulated_sgx_quote_verifies(simulator, root):
    raw = simulator.quoter.sgx_quote(EnclaveReport(b"e" * 32, b"s" * 32, REPORT_DATA, prod_id=7, svn=9))
    verified = verify_quote(raw, collateral_of(simulator.collateral(tee=Tee.SGX)), AT_S, root)
    assert (verified.report.sgx.mr_enclave, verified.report.sgx.isv_prod_id, verified.report.sgx.isv_svn) == (b"e" * 32, 7, 9)


def test_a_machine_in_debug_mode_is_refused(simulator, root):
    td = simulator.quoter.td_quote(TdReport(simulator.machine.measurements, REPORT_DATA, td_attributes=TD_ATTRIBUTES_DEBUG))
    sgx = simulator.quoter.sgx_quote(EnclaveReport(bytes(32), bytes(32), REPORT_DATA, attributes=SGX_ATTRIBUTES_DEBUG))
    for raw, tee in ((td, Tee.TDX), (sgx, Tee.SGX)):
        assert parse_quote(raw).report.debug
        with pytest.raises(EvidenceRefused, match="debug mode"):
            verify_quote(raw, collateral_of(simulator.collateral(tee=tee)), AT_S, root)


def _window(days_from, days_to):
    return Window(AT_S + days_from * DAY_S, AT_S + days_to * DAY_S)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        *((CollateralTerms(revoked=frozenset({kind})), "Revoked") for kind in Revocable),
        (CollateralTerms(fmspc=bytes(5) + b"\1"), "[Ff]mspc mismatch"),
        (CollateralTerms(tcb_info_valid=_window(-40, -10)), "TCB info has expired"),
        (CollateralTerms(tcb_info_valid=_window(1, 30)), "TCB info is from the future"),
        (CollateralTerms(qe_identity_valid=_window(-40, -10)), "QE identity has expired"),
        (CollateralTerms(qe_identity_valid=_window(1, 30)), "QE identity is from the future"),
        (CollateralTerms(crl_valid=_window(-40, -10)), "CRL has expired"),
        (CollateralTerms(crl_valid=_window(1, 30)), "CRL is from the future"),
    ],
)
def test_bad_collateral_is_refused_with_what_is_wrong(simulator, root, terms, reason):
    with pytest.raises(EvidenceRefused, match=reason):
        verify_quote(simulator.quote(REPORT_DATA), collateral_of(simulator.collateral(terms=terms)), AT_S, root)


def _platform_level(simulator, **fields):
    usual = levels_for(simulator.pki.platform, Tee.TDX)
    return CollateralTerms(levels=dataclasses.replace(usual, platform=(dataclasses.replace(usual.platform[0], **fields),)))


@pytest.mark.parametrize("fields", [{"pce_svn": 65_535}, {"sgx_components": b"\xff" * 16}, {"tdx_components": b"\xff" * 16}])
def test_a_platform_below_every_tcb_level_is_refused(simulator, root, fields):
    collateral = collateral_of(simulator.collateral(terms=_platform_level(simulator, **fields)))
    with pytest.raises(EvidenceRefused, match="does not verify"):
        verify_quote(simulator.quote(REPORT_DATA), collateral, AT_S, root)


@pytest.mark.parametrize("status", TcbStatus)
def test_the_platforms_status_is_told_and_only_a_revoked_one_is_refused_here(simulator, root, status):
    terms = CollateralTerms(verdict=Verdict(status, ("INTEL-SA-00001",)))
    raw, collateral = simulator.quote(REPORT_DATA), collateral_of(simulator.collateral(terms=terms))
    if status is TcbStatus.REVOKED:
        with pytest.raises(EvidenceRefused, match="does not verify"):
            verify_quote(raw, collateral, AT_S, root)
    else:
        tcb = verify_quote(raw, collateral, AT_S, root).tcb
        assert (tcb.status, tcb.advisory_ids) == (status.value, ("INTEL-SA-00001",))


def test_certificates_have_to_be_valid_at_the_moment_asked_about():
    secrets = Secrets.from_text("ends soon")
    pki = make_pki(secrets, Platform(), _window(-10, 5))
    raw = Quoter(secrets, pki).sgx_quote(EnclaveReport(bytes(32), bytes(32), REPORT_DATA))
    collateral = collateral_of(make_collateral(pki, Tee.SGX, AT_S))
    verified = verify_quote(raw, collateral, AT_S, Root(pki.root_der))
    assert verified.valid_until_s == AT_S + 5 * DAY_S < min(part.valid_until_s for part in collateral.parts)
    verify_quote(raw, collateral, verified.valid_until_s, Root(pki.root_der))
    with pytest.raises(EvidenceRefused, match="CertExpired"):
        verify_quote(raw, collateral, verified.valid_until_s + 1, Root(pki.root_der))


def test_a_root_that_is_no_certificate_is_refused(simulator):
    with pytest.raises(EvidenceRefused, match="does not verify"):
        verify_quote(simulator.quote(REPORT_DATA), collateral_of(simulator.collateral()), AT_S, Root(b"no certificate"))
