"""
TLS certificates of an app, signed by a stand-in for the KMS's CA; with RA-TLS a quote over the certificate's key is in an extension.

Source: dstack's `ra-tls` (`cert.rs`, `oids.rs`); the names and the lifetime are those of the recorded certificate, the organisation says
that it is for tests.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from oracle.tee.simulator import der
from oracle.tee.simulator.keys import Secrets, SigningKey
from oracle.tee.simulator.machine import MachineRefused
from oracle.tee.simulator.pki import ORGANISATION, key_usage

_ATTESTATION = x509.ObjectIdentifier("1.3.6.1.4.1.62397.1.8")
_USAGE = x509.ObjectIdentifier("1.3.6.1.4.1.62397.1.4")
_APP_USAGE = b"app:custom"
_EARLIEST = datetime(1975, 1, 1)  # noqa: DTZ001  certificates take a naive time in UTC; dstack's clocks may be far behind
_LIFETIME = timedelta(days=3650)
_LATEST_S = 253_402_300_799
"""9999-12-31, the last day of a certificate."""
_MAX_NAMES = 100


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What is asked for. Times are in seconds since 1970."""

    subject: str = ""
    alt_names: tuple[str, ...] = ()
    ra_tls: bool = False
    server_auth: bool = False
    client_auth: bool = False
    not_before_s: int | None = None
    not_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class TlsKey:
    """A private key and its certificate chain, leaf first; PEM."""

    key_pem: str
    chain_pem: tuple[str, str]


class AppCertificates:
    """Issues certificates of one machine's app."""

    def __init__(self, secrets: Secrets, attest: Callable[[bytes], bytes]) -> None:
        """`attest`: dstack's attestation over 64 bytes of report data."""
        self._key, self._attest = secrets.p256_key_for("KMS root"), attest
        self._name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION), _common_name("Dstack KMS CA")])
        self._root = self._issue_root()

    def issue(self, key: SigningKey, request: CertificateRequest) -> TlsKey:
        """
        Sign a certificate for the key.

        Raises:
            MachineRefused: times or names no certificate can have.
        """
        start, end = _lifetime(request)
        try:
            builder = self._builder(x509.Name([_common_name(request.subject)] if request.subject else []), key, start, end)
            builder = builder.add_extension(key_usage(is_ca=False, signs_only=True), critical=True)
            for extension in self._extensions(key, request):
                builder = builder.add_extension(extension, critical=False)
            leaf = builder.sign(self._key.private, hashes.SHA256())
        except ValueError as error:
            raise MachineRefused(f"no certificate can say that: {error}") from error
        pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return TlsKey(pem, (_pem(leaf), _pem(self._root)))

    def _extensions(self, key: SigningKey, request: CertificateRequest) -> list[x509.ExtensionType]:
        extensions: list[x509.ExtensionType] = []
        if request.alt_names:
            extensions.append(x509.SubjectAlternativeName([_general_name(name) for name in request.alt_names[:_MAX_NAMES]]))
        usages = ((request.server_auth, ExtendedKeyUsageOID.SERVER_AUTH), (request.client_auth, ExtendedKeyUsageOID.CLIENT_AUTH))
        if wanted := [oid for wants, oid in usages if wants]:
            extensions.append(x509.ExtendedKeyUsage(wanted))
        extensions.append(x509.UnrecognizedExtension(_USAGE, der.octets(_APP_USAGE)))
        if request.ra_tls:
            spki = key.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            report_data = hashlib.sha512(b"ratls-cert:" + spki).digest()
            extensions.append(x509.UnrecognizedExtension(_ATTESTATION, der.octets(self._attest(report_data))))
        return extensions

    def _issue_root(self) -> x509.Certificate:
        builder = self._builder(self._name, self._key, _EARLIEST, _now() + _LIFETIME)
        builder = builder.add_extension(key_usage(is_ca=True), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.private.public_key()), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        return builder.sign(self._key.private, hashes.SHA256())

    def _builder(self, subject: x509.Name, key: SigningKey, start: datetime, end: datetime) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(self._name, subject, key.private.public_key(), x509.random_serial_number(), start, end)


def _lifetime(request: CertificateRequest) -> tuple[datetime, datetime]:
    start_s, end_s = request.not_before_s, request.not_after_s
    if start_s is not None and end_s is not None and start_s >= end_s:
        raise MachineRefused("not_before must be earlier than not_after")
    if max(start_s or 0, end_s or 0) > _LATEST_S:
        raise MachineRefused("a certificate's times end with the year 9999")
    start = _EARLIEST if start_s is None else datetime.fromtimestamp(start_s, UTC).replace(tzinfo=None)
    return start, _now() + _LIFETIME if end_s is None else datetime.fromtimestamp(end_s, UTC).replace(tzinfo=None)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _common_name(text: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(NameOID.COMMON_NAME, text)


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
