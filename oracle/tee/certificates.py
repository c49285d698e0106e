"""Certificates and revocation lists of strangers, read with every failure of the library as one of ours."""

from cryptography import x509
from cryptography.x509.oid import NameOID

from oracle.errors import EvidenceRefused

MAX_CHAIN_CERTIFICATES = 8

UNREADABLE = (ValueError, TypeError, UserWarning, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What `cryptography` raises for bytes that are no certificate; several of them are no ValueError. Odd names are a UserWarning."""


def read_chain(pem: bytes, what: str) -> list[x509.Certificate]:
    """
    A chain in PEM, leaf first; at least one certificate.

    Raises:
        EvidenceRefused: no chain, or too long a one; `what` names it.
    """
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except UNREADABLE as error:
        raise EvidenceRefused(f"the {what} holds no certificates in PEM") from error
    if len(certificates) > MAX_CHAIN_CERTIFICATES:
        raise EvidenceRefused(f"the {what} has {len(certificates)} certificates; at most {MAX_CHAIN_CERTIFICATES} are read")
    return certificates


def last_second_of(chain_pem: bytes, what: str) -> int:
    """When the first certificate of a chain ends, Unix time, still good."""
    return min(int(certificate.not_valid_after_utc.timestamp()) for certificate in read_chain(chain_pem, what))


def read_list(der: bytes, what: str) -> x509.CertificateRevocationList:
    """
    A revocation list that says until when it is good.

    Raises:
        EvidenceRefused: no such list; `what` names it.
    """
    try:
        found = x509.load_der_x509_crl(der)
        until = found.next_update_utc
    except UNREADABLE as error:
        raise EvidenceRefused(f"the {what} is no revocation list") from error
    if until is None:
        raise EvidenceRefused(f"the {what} does not say until when it is good")
    return found


def number_of_list(found: x509.CertificateRevocationList, what: str) -> int:
    """Its number, which grows with each list; 0 where it has none."""
    try:
        return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return 0
    except UNREADABLE as error:
        raise EvidenceRefused(f"the {what} has extensions that cannot be read") from error


def common_names_of_issuer(found: x509.CertificateRevocationList, what: str) -> list[str]:
    """Who issued a list."""
    try:
        return [str(name.value) for name in found.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except UNREADABLE as error:
        raise EvidenceRefused(f"the {what} has an issuer that cannot be read") from error
