import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from oracle.errors import ConfigurationError
from oracle.tee.quote import parse_quote
from oracle.tee.root import INTEL, Root
from tests.unit.oracle.tee.samples import sample_quote


def test_the_built_in_root_is_intels():
    # The fingerprint Intel publishes; and each real quote ends in that certificate.
    assert INTEL.sha256_hex == "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"
    assert not INTEL.is_test
    for kind in ("tdx", "sgx"):
        chain = x509.load_pem_x509_certificates(parse_quote(sample_quote(kind)).certification.rstrip(b"\0"))
        assert chain[-1].public_bytes(Encoding.DER) == INTEL.der


def test_a_root_is_read_as_pem_and_as_der(tmp_path):
    der, pem = tmp_path / "root.der", tmp_path / "root.pem"
    der.write_bytes(INTEL.der)
    pem.write_bytes(x509.load_der_x509_certificate(INTEL.der).public_bytes(Encoding.PEM))
    assert Root.from_file(der) == Root.from_file(pem) == INTEL


def test_another_root_is_a_test_root(tmp_path):
    chain = x509.load_pem_x509_certificates(parse_quote(sample_quote("tdx")).certification.rstrip(b"\0"))
    (tmp_path / "other.der").write_bytes(chain[1].public_bytes(Encoding.DER))
    assert Root.from_file(tmp_path / "other.der").is_test


@pytest.mark.parametrize(
    "content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"0" * 20_000]
)
def test_a_file_without_a_certificate_is_refused_with_the_setting_to_mend(tmp_path, content):
    (tmp_path / "root").write_bytes(content)
    with pytest.raises(ConfigurationError, match="TEE_ROOT_CA"):
        Root.from_file(tmp_path / "root")


def test_a_chain_is_no_root(tmp_path):
    (tmp_path / "chain.pem").write_bytes(parse_quote(sample_quote("tdx")).certification.rstrip(b"\0"))
    with pytest.raises(ConfigurationError, match="holds 3 certificates"):
        Root.from_file(tmp_path / "chain.pem")


def test_a_missing_file_is_refused_with_the_setting_to_mend(tmp_path):
    with pytest.raises(ConfigurationError, match=r"TEE_ROOT_CA: .* cannot be read"):
        Root.from_file(tmp_path / "none")
