"""Quotes verify with dcap-qvl under the test root, with no other, and with no byte changed."""

from dataclasses import replace
from pathlib import Path

import dcap_qvl
import pytest

from oracle.tee.simulator.collateral import make_collateral
from oracle.tee.simulator.hardware import PckCa, Platform, Tee
from oracle.tee.simulator.keys import Secrets
from oracle.tee.simulator.pki import make_pki
from oracle.tee.simulator.quotes import Quoter, TdQuoteVersion
from oracle.tee.simulator.reports import SGX_ATTRIBUTES_DEBUG, TD_ATTRIBUTES_DEBUG, EnclaveReport

NOW_S = 1_800_000_000
SAMPLES = Path(__file__).parents[3] / "vectors/quotes"
ENCLAVE = EnclaveReport(mr_enclave=b"e" * 32, mr_signer=b"s" * 32, report_data=bytes(range(64)), prod_id=7, svn=3)


@pytest.fixture(scope="module")
def tdx_collateral(pki):
    return make_collateral(pki, Tee.TDX, NOW_S)


@pytest.mark.parametrize("version", TdQuoteVersion)
def test_a_td_quote_verifies_under_the_test_root(pki, quoter, td_report, tdx_collateral, version):
    verified = dcap_qvl.verify_with_root_ca(quoter.td_quote(td_report, version), tdx_collateral.as_dcap(), pki.root_der, NOW_S)
    assert (verified.status, verified.advisory_ids) == ("UpToDate", [])


def test_an_sgx_quote_verifies_under_the_test_root(pki, quoter):
    collateral = make_collateral(pki, Tee.SGX, NOW_S)
    assert dcap_qvl.verify_with_root_ca(quoter.sgx_quote(ENCLAVE), collateral.as_dcap(), pki.root_der, NOW_S).status == "UpToDate"


@pytest.mark.parametrize("version", TdQuoteVersion)
def test_dcap_qvl_reads_what_was_put_into_a_td_quote(pki, quoter, td_report, version):
    quote = dcap_qvl.Quote.parse(quoter.td_quote(td_report, version))
    report, platform, of = quote.report, pki.platform, td_report.measurements
    assert quote.header.version == version
    assert (report.mr_td, report.rt_mr0, report.rt_mr1, report.rt_mr2, report.rt_mr3) == (
        of.mr_td,
        of.rt_mr0,
        of.rt_mr1,
        of.rt_mr2,
        of.rt_mr3,
    )
    assert (report.report_data, report.mr_config_id) == (td_report.report_data, td_report.mr_config_id)
    assert (report.tee_tcb_svn, report.mr_seam) == (platform.tee_tcb_svn, platform.mr_seam)
    assert (report.td_attributes, report.xfam) == (td_report.td_attributes, td_report.xfam)
    if version is TdQuoteVersion.V5:
        assert (report.tee_tcb_svn2, report.mr_service_td) == (platform.tee_tcb_svn, bytes(48))


def test_dcap_qvl_reads_what_was_put_into_an_sgx_quote(quoter):
    report = dcap_qvl.Quote.parse(quoter.sgx_quote(ENCLAVE)).report
    assert (report.mr_enclave, report.mr_signer, report.report_data) == (ENCLAVE.mr_enclave, ENCLAVE.mr_signer, ENCLAVE.report_data)


def test_intels_root_refuses_the_quotes(quoter, td_report, tdx_collateral):
    with pytest.raises(ValueError, match="CRL"):
        dcap_qvl.verify(quoter.td_quote(td_report), tdx_collateral.as_dcap(), NOW_S)


def test_another_test_root_refuses_the_quotes(quoter, td_report, tdx_collateral):
    other = make_pki(Secrets.from_text("another"), Platform())
    with pytest.raises(ValueError, match="Verification failed"):
        dcap_qvl.verify_with_root_ca(quoter.td_quote(td_report), tdx_collateral.as_dcap(), other.root_der, NOW_S)


def test_a_quote_of_another_pki_is_refused_with_our_collateral(pki, td_report, tdx_collateral):
    secrets = Secrets.from_text("another")
    quote = Quoter(secrets, make_pki(secrets, Platform())).td_quote(td_report)
    with pytest.raises(ValueError, match="certificate chain"):
        dcap_qvl.verify_with_root_ca(quote, tdx_collateral.as_dcap(), pki.root_der, NOW_S)


@pytest.mark.parametrize("position", [0, 24, 48, 200, 520, 568, 631])
def test_a_changed_byte_of_the_signed_part_is_refused(pki, quoter, td_report, tdx_collateral, position):
    quote = bytearray(quoter.td_quote(td_report))
    quote[position] ^= 1
    with pytest.raises(ValueError, match="Verification failed"):
        dcap_qvl.verify_with_root_ca(bytes(quote), tdx_collateral.as_dcap(), pki.root_der, NOW_S)


def test_a_machine_under_debug_is_refused(pki, quoter, td_report, tdx_collateral):
    quote = quoter.td_quote(replace(td_report, td_attributes=TD_ATTRIBUTES_DEBUG))
    with pytest.raises(ValueError, match="Debug mode is enabled"):
        dcap_qvl.verify_with_root_ca(quote, tdx_collateral.as_dcap(), pki.root_der, NOW_S)


def test_an_enclave_under_debug_is_refused(pki, quoter):
    quote = quoter.sgx_quote(replace(ENCLAVE, attributes=SGX_ATTRIBUTES_DEBUG))
    with pytest.raises(ValueError, match="Debug mode is enabled"):
        dcap_qvl.verify_with_root_ca(quote, make_collateral(pki, Tee.SGX, NOW_S).as_dcap(), pki.root_der, NOW_S)


def test_quotes_of_a_platform_of_one_package_verify_too(secrets, td_report):
    pki = make_pki(secrets, replace(Platform(), pck_ca=PckCa.PROCESSOR))
    quote = Quoter(secrets, pki).td_quote(td_report)
    assert dcap_qvl.Quote.parse(quote).ca() == "processor"
    assert dcap_qvl.verify_with_root_ca(quote, make_collateral(pki, Tee.TDX, NOW_S).as_dcap(), pki.root_der, NOW_S).status == "UpToDate"


def test_nothing_follows_the_certification_data(quoter, td_report):
    quote = quoter.td_quote(td_report)
    auth_bytes = int.from_bytes(quote[632:636], "little")
    assert len(quote) == 636 + auth_bytes
    assert int.from_bytes(quote[636 + 130 : 636 + 134], "little") == auth_bytes - 134


def test_a_td_quote_is_laid_out_as_a_real_one(quoter, td_report):
    ours, real = quoter.td_quote(td_report), (SAMPLES / "tdx_quote").read_bytes()
    assert ours[:28] == real[:28]  # version, kind of key, TEE, reserved, vendor
    assert ours[764:766] == real[764:766]  # kind of certification data: a QE report
    assert ours[1218:1252] == real[1218:1252]  # QE authentication data and its length
    assert ours[1252:1254] == real[1252:1254]  # kind of certification data: a PCK chain
    assert ours[1258:].startswith(b"-----BEGIN CERTIFICATE-----")
    assert real[1258:].startswith(b"-----BEGIN CERTIFICATE-----")


def test_an_sgx_quote_is_laid_out_as_a_real_one(quoter, pki):
    ours, real = quoter.sgx_quote(ENCLAVE), (SAMPLES / "sgx_quote").read_bytes()
    assert ours[:10] == real[:10]  # version, kind of key, TEE, SVN of the quoting enclave
    assert int.from_bytes(ours[10:12], "little") == pki.platform.pce_svn
    assert ours[12:28] == real[12:28]
    assert ours[1012:1048] == real[1012:1048]  # QE authentication data, its length, and that a PCK chain follows
    assert ours[1052:].startswith(b"-----BEGIN CERTIFICATE-----")


def test_a_field_of_another_length_is_refused(quoter, td_report):
    with pytest.raises(ValueError, match="584 bytes, this one 583"):
        quoter.td_quote(replace(td_report, report_data=bytes(63)))
    with pytest.raises(ValueError, match="384 bytes, this one 385"):
        quoter.sgx_quote(replace(ENCLAVE, mr_enclave=bytes(33)))
    with pytest.raises(ValueError, match="cpu_svn has 16 bytes, not 15"):
        Platform(cpu_svn=bytes(15))


def test_the_same_seed_and_report_make_the_same_quote(secrets, pki, quoter, td_report):
    assert Quoter(secrets, pki).td_quote(td_report) == quoter.td_quote(td_report)
