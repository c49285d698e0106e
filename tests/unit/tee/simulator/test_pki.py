"""The test PKI has the shape of Intel's, as dcap-qvl and cryptography read it, and follows from its seed."""

from dataclasses import replace

import dcap_qvl
import pytest
from cryptography import x509

from oracle.tee.simulator.hardware import PckCa, Platform
from oracle.tee.simulator.keys import Secrets
from oracle.tee.simulator.pki import ORGANISATION, make_pki


def test_the_same_seed_makes_the_same_certificates(secrets, pki):
    again = make_pki(secrets, Platform())
    assert (again.root_der, again.pck_chain_pem, again.tcb_signer_chain_pem) == (pki.root_der, pki.pck_chain_pem, pki.tcb_signer_chain_pem)


def test_without_a_seed_every_run_has_another_root():
    assert len({make_pki(Secrets.random(), Platform()).root_der for _ in range(3)}) == 3


def test_every_certificate_says_that_it_is_for_tests(pki):
    certificates = x509.load_pem_x509_certificates((pki.pck_chain_pem + pki.tcb_signer_chain_pem).encode())
    assert len(certificates) == 5
    assert all(ORGANISATION in certificate.subject.rfc4514_string().replace("\\", "") for certificate in certificates)
    assert "TEST ONLY" in ORGANISATION


def test_each_certificate_of_a_chain_is_issued_by_the_next(pki):
    chain = x509.load_pem_x509_certificates(pki.pck_chain_pem.encode())
    for below, above in zip(chain, [*chain[1:], chain[-1]], strict=True):
        below.verify_directly_issued_by(above)


def test_dcap_qvl_reads_the_platform_from_the_pck_certificate(pki, secrets):
    platform = pki.platform
    extension = dcap_qvl.parse_pck_extension_from_pem(pki.pck_chain_pem.encode())
    assert extension.fmspc == platform.fmspc
    assert extension.cpu_svn == platform.cpu_svn
    assert extension.pce_svn == platform.pce_svn
    assert extension.pce_id == platform.pce_id
    assert extension.ppid == secrets.bytes_for("ppid", 16)
    assert extension.sgx_type == 1
    assert extension.platform_instance_id == secrets.bytes_for("platform instance", 16)


@pytest.mark.parametrize("svn", [0, 127, 128, 255])
def test_svns_of_every_size_are_encoded_as_dcap_qvl_reads_them(secrets, svn):
    platform = Platform(cpu_svn=bytes([svn]) * 16, pce_svn=svn)
    if svn > 127:
        # dcap-qvl takes a two-byte INTEGER as big-endian, so the sign byte must be there.
        assert bytes([2, 2, 0, svn]) in make_pki(secrets, platform).pck.certificate.extensions[-1].value.value
    extension = dcap_qvl.parse_pck_extension_from_pem(make_pki(secrets, platform).pck_chain_pem.encode())
    assert (extension.pce_svn, extension.cpu_svn) == (svn, bytes([svn]) * 16)


def test_a_processor_ca_signs_for_platforms_of_one_package(secrets):
    pki = make_pki(secrets, replace(Platform(), pck_ca=PckCa.PROCESSOR))
    assert "Intel SGX PCK Processor CA" in pki.pck.certificate.issuer.rfc4514_string()
    extension = dcap_qvl.parse_pck_extension_from_pem(pki.pck_chain_pem.encode())
    assert (extension.sgx_type, extension.platform_instance_id) == (0, None)
