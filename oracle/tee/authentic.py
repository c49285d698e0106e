"""
Whether collateral is what Intel signed, without a quote at hand.

`verify_quote` checks all of this again together with a quote. Alone it serves whoever keeps collateral: what a source answers may replace
what is kept only when it is authentic, for a source that lies must not be able to take good collateral away, and a platform that was
revoked must not look good because the news failed to verify with its quote.

Source: Intel SGX and TDX Provisioning Certification Service API v4; Intel SGX PCK Certificate and CRL Profile Specification 1.5.
"""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from oracle.errors import EvidenceRefused
from oracle.model import QuoteKind
from oracle.tee.certificates import UNREADABLE, common_names_of_issuer, read_chain, read_list
from oracle.tee.collateral import Collateral, check_dates, moment
from oracle.tee.members import Members, hex_of, read_members, text_of
from oracle.tee.root import Root

_IDENTITY = {QuoteKind.TDX: "TD_QE", QuoteKind.SGX: "QE"}
_SIGNATURE_BYTES = 64


def check_authentic(collateral: Collateral, root: Root, at_s: int) -> None:
    """
    Check dates, chains, signatures and revocation of TCB info, QE identity and both lists.

    Raises:
        EvidenceRefused: the first thing that does not hold.
    """
    check_dates(collateral, at_s)
    trusted = root.certificate()
    members = collateral.members()
    root_list = _list(members, "root_ca_crl", trusted, _other_root(root))
    for name in ("tcb_info", "qe_identity"):
        signer = _issued_by_root(members, f"{name}_issuer_chain", trusted, root_list, at_s)
        _check_signature(members, name, signer)
    _list(members, "pck_crl", _issued_by_root(members, "pck_crl_issuer_chain", trusted, root_list, at_s))


def check_is_for(collateral: Collateral, kind: QuoteKind, fmspc: bytes, authority: str) -> None:
    """
    Check that collateral is for a kind of machine, a platform and a PCK authority (`platform` or `processor`).

    Raises:
        EvidenceRefused: it is for another one.
    """
    if collateral.fmspc != fmspc:
        raise EvidenceRefused(f"the TCB info is for FMSPC {collateral.fmspc.hex()}; {fmspc.hex()} was asked for")
    members = collateral.members()
    for name, expected in (("tcb_info", kind.value), ("qe_identity", _IDENTITY[kind])):
        document = read_members(text_of(members, name, "the collateral"), name, max_bytes=2**20)
        if document.get("id") != expected:
            raise EvidenceRefused(f"the {name} is of {str(document.get('id'))[:20]!r}; {expected!r} was asked for")
    issuer = common_names_of_issuer(read_list(hex_of(members, "pck_crl", "the collateral"), "PCK CRL"), "PCK CRL")
    if not any(authority in name.lower() for name in issuer):
        raise EvidenceRefused(f"the PCK CRL is not of the {authority} authority, which was asked for")


def _issued_by_root(
    members: Members, name: str, trusted: x509.Certificate, root_list: x509.CertificateRevocationList, at_s: int
) -> x509.Certificate:
    """The first certificate of a chain, which the root has to have signed itself."""
    what = f"the {name}"
    leaf = read_chain(text_of(members, name, "the collateral").encode(), name)[0]
    try:
        leaf.verify_directly_issued_by(trusted)
        revoked = root_list.get_revoked_certificate_by_serial_number(leaf.serial_number)
    except (*UNREADABLE, UnsupportedAlgorithm, InvalidSignature) as error:
        raise EvidenceRefused(f"{what} does not lead to the trusted root") from error
    if revoked is not None:
        raise EvidenceRefused(f"{what} begins with a certificate that the root has revoked")
    if not leaf.not_valid_before_utc.timestamp() <= at_s <= leaf.not_valid_after_utc.timestamp():
        raise EvidenceRefused(f"{what} begins with a certificate that is not valid at {moment(at_s)}")
    return leaf


def _other_root(root: Root) -> str:
    """The root's own list is looked at first: who forgot to name a test root hears of it there."""
    if root.is_test:
        return "; another root than Intel's is trusted (TEE_ROOT_CA, or --root-ca): name this collateral's, or leave it out for Intel's"
    return "; Intel's root is trusted: name a simulator's with TEE_ROOT_CA, or --root-ca, which makes everything a test"


def _list(members: Members, name: str, issuer: x509.Certificate, mend: str = "") -> x509.CertificateRevocationList:
    found = read_list(hex_of(members, name, "the collateral"), name)
    try:
        key = issuer.public_key()
        signed = isinstance(key, ec.EllipticCurvePublicKey) and found.issuer == issuer.subject and found.is_signature_valid(key)
    except (*UNREADABLE, UnsupportedAlgorithm) as error:
        raise EvidenceRefused(f"the {name} has a signature that cannot be read") from error
    if not signed:
        raise EvidenceRefused(f"the {name} is not signed by its authority{mend}")
    return found


def _check_signature(members: Members, name: str, signer: x509.Certificate) -> None:
    """Signatures are r ‖ s over the document's text."""
    signature = hex_of(members, f"{name}_signature", "the collateral", size=_SIGNATURE_BYTES)
    try:
        key = signer.public_key()
    except (*UNREADABLE, UnsupportedAlgorithm) as error:
        raise EvidenceRefused(f"the signer of the {name} has a key that cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise EvidenceRefused(f"the signer of the {name} has no key on a curve")
    half = _SIGNATURE_BYTES // 2
    encoded = encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    try:
        key.verify(encoded, text_of(members, name, "the collateral").encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise EvidenceRefused(f"the {name} does not have its signer's signature") from error
