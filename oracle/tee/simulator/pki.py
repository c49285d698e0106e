"""
A test PKI in the shape of Intel's: root, PCK CAs, PCK certificate, signer of TCB information, revocation lists.

It proves nothing: its keys are in this process or follow from a seed. Its names carry `TEST ONLY` in the organisation; the common names are
Intel's, because verifiers tell the PCK CAs apart by them.

Source: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification 1.5, 1.3 and 2; the sample collateral.
"""

from dataclasses import dataclass
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from oracle.tee.simulator.hardware import PckCa, Platform
from oracle.tee.simulator.keys import Secrets, SigningKey
from oracle.tee.simulator.pck_extension import pck_extension
from oracle.tee.simulator.window import Window

CERTIFICATES_VALID = Window(1_526_899_510, 2_524_607_999)
"""2018-05-21 to 2049-12-31, the lifetime of Intel's root."""
ORGANISATION = "TEST ONLY quote simulator, proves nothing"
_CRL_URL = "https://pccs.invalid/sgx/certification/v4"
"""RFC 2606 keeps this name unused; verifiers are given the lists and never fetch them from here."""
_COMMON_NAMES = {PckCa.PLATFORM: "Intel SGX PCK Platform CA", PckCa.PROCESSOR: "Intel SGX PCK Processor CA"}


@dataclass(frozen=True)
class Signer:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: SigningKey

    @cached_property
    def pem(self) -> str:
        """The certificate alone."""
        return self.certificate.public_bytes(Encoding.PEM).decode()


@dataclass(frozen=True)
class Pki:
    """Everything that is signed once."""

    platform: Platform
    root: Signer
    pck_cas: dict[PckCa, Signer]
    tcb_signer: Signer
    pck: Signer

    @property
    def root_der(self) -> bytes:
        """The trusted root a verifier has to be given, DER."""
        return self.root.certificate.public_bytes(Encoding.DER)

    @property
    def pck_ca(self) -> Signer:
        """Who signed this platform's PCK certificate and its revocation list."""
        return self.pck_cas[self.platform.pck_ca]

    @cached_property
    def pck_chain_pem(self) -> str:
        """Leaf first, as a quote's certification data carries it."""
        return self.pck.pem + self.pck_ca.pem + self.root.pem

    @cached_property
    def tcb_signer_chain_pem(self) -> str:
        """Of TCB info and QE identity."""
        return self.tcb_signer.pem + self.root.pem


def make_pki(secrets: Secrets, platform: Platform, valid: Window = CERTIFICATES_VALID) -> Pki:
    """Sign a root and everything below it; the same arguments give the same bytes."""
    issue = _Issuer(secrets, valid)
    root = issue.root()
    cas = {kind: issue.ca(root, common_name) for kind, common_name in _COMMON_NAMES.items()}
    ppid, instance_id = secrets.bytes_for("ppid", 16), secrets.bytes_for("platform instance", 16)
    extension = pck_extension(platform, ppid, instance_id)
    pck = issue.leaf(cas[platform.pck_ca], "Intel SGX PCK Certificate", f"/pckcrl?ca={platform.pck_ca}&encoding=der", extension)
    return Pki(platform, root, cas, issue.leaf(root, "Intel SGX TCB Signing", "/rootcacrl"), pck)


def revocation_list(signer: Signer, revoked: tuple[Signer, ...], valid: Window) -> bytes:
    """DER of a list, number 1, reason key compromise for each entry."""
    key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.private.public_key())
    builder = x509.CertificateRevocationListBuilder(signer.certificate.subject, valid.start, valid.end)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder(one.certificate.serial_number, valid.start)
        builder = builder.add_revoked_certificate(
            entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False).build()
        )
    builder = builder.add_extension(x509.CRLNumber(1), critical=False).add_extension(key_id, critical=False)
    return builder.sign(signer.key.private, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


@dataclass(frozen=True, slots=True)
class _Issuer:
    secrets: Secrets
    valid: Window

    def root(self) -> Signer:
        return self._sign("Intel SGX Root CA", None, "/rootcacrl", path_length=1)

    def ca(self, root: Signer, common_name: str) -> Signer:
        return self._sign(common_name, root, "/rootcacrl", path_length=0)

    def leaf(self, issuer: Signer, common_name: str, crl_path: str, *extra: x509.ExtensionType) -> Signer:
        return self._sign(common_name, issuer, crl_path, None, extra)

    def _sign(
        self, common_name: str, issuer: Signer | None, crl_path: str, path_length: int | None, extra: tuple[x509.ExtensionType, ...] = ()
    ) -> Signer:
        key = self.secrets.p256_key_for(f"key of {common_name}")
        above = issuer.key if issuer is not None else key
        name = _name(common_name)
        builder = (
            x509.CertificateBuilder(
                issuer_name=issuer.certificate.subject if issuer is not None else name,
                subject_name=name,
                public_key=key.private.public_key(),
                serial_number=int.from_bytes(b"\x01" + self.secrets.bytes_for(f"serial of {common_name}", 18), "big"),
                not_valid_before=self.valid.start,
                not_valid_after=self.valid.end,
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.private.public_key()), critical=False)
            .add_extension(_crl_at(crl_path), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.private.public_key()), critical=False)
            .add_extension(key_usage(is_ca=path_length is not None), critical=True)
            .add_extension(x509.BasicConstraints(ca=path_length is not None, path_length=path_length), critical=True)
        )
        for extension in extra:
            builder = builder.add_extension(extension, critical=False)
        return Signer(builder.sign(above.private, hashes.SHA256(), ecdsa_deterministic=True), key)


def _name(common_name: str) -> x509.Name:
    parts = {
        NameOID.COMMON_NAME: common_name,
        NameOID.ORGANIZATION_NAME: ORGANISATION,
        NameOID.LOCALITY_NAME: "Santa Clara",
        NameOID.STATE_OR_PROVINCE_NAME: "CA",
        NameOID.COUNTRY_NAME: "US",
    }
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts.items()])


def _crl_at(path: str) -> x509.CRLDistributionPoints:
    name = x509.UniformResourceIdentifier(_CRL_URL + path)
    return x509.CRLDistributionPoints([x509.DistributionPoint([name], None, None, None)])


def key_usage(*, is_ca: bool, signs_only: bool = False) -> x509.KeyUsage:
    """Of a CA, or of a leaf, which vouches for content beside signing unless it `signs_only`."""
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=not is_ca and not signs_only,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )
