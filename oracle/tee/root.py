"""
The certificate all trust in quotes begins with.

Intel's is built in. Another one is a setting (`TEE_ROOT_CA`) and marks everything that was verified under it as a test; nothing else in the
code asks whether a machine is simulated.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from oracle.errors import ConfigurationError, EvidenceRefused
from oracle.tee.certificates import UNREADABLE

MAX_ROOT_BYTES = 16 * 1024

# https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.cer
_INTEL_DER = base64.b64decode(
    "MIICjzCCAjSgAwIBAgIUImUM1lqdNInzg7SVUr9QGzknBqwwCgYIKoZIzj0EAwIwaDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENv"
    "cnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYTAlVTMB4XDTE4MDUyMTEwNDUxMFoXDTQ5MTIzMTIzNTk1OVowaDEaMBgG"
    "A1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENvcnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYT"
    "AlVTMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi71OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxFP2sJBK5zlKOB"
    "uzCBuDAfBgNVHSMEGDAWgBQiZQzWWp00ifODtJVSv1AbOScGrDBSBgNVHR8ESzBJMEegRaBDhkFodHRwczovL2NlcnRpZmljYXRlcy50cnVzdGVkc2VydmljZXMuaW50"
    "ZWwuY29tL0ludGVsU0dYUm9vdENBLmRlcjAdBgNVHQ4EFgQUImUM1lqdNInzg7SVUr9QGzknBqwwDgYDVR0PAQH/BAQDAgEGMBIGA1UdEwEB/wQIMAYBAf8CAQEwCgYI"
    "KoZIzj0EAwIDSQAwRgIhAOW/5QkR+S9CiSDcNoowLuPRLsWGf/Yi7GSX94BgwTwgAiEA4J0lrHoMs+Xo5o/sX6O9QWxHRAvZUGOdRQ7cvqRXaqI="
)


@dataclass(frozen=True, slots=True)
class Root:
    """A trusted root certificate, DER."""

    der: bytes = field(repr=False)

    @property
    def sha256_hex(self) -> str:
        """Of the DER; receipts and the register contract name a root by it."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def is_test(self) -> bool:
        """Whether it is another one than Intel's."""
        return self.der != _INTEL_DER

    def certificate(self) -> x509.Certificate:
        """
        The certificate itself.

        Raises:
            EvidenceRefused: the bytes are none; those of `from_file` always are.
        """
        try:
            return x509.load_der_x509_certificate(self.der)
        except UNREADABLE as error:
            raise EvidenceRefused("the trusted root is no certificate") from error

    @classmethod
    def from_file(cls, path: Path) -> "Root":
        """
        Read one certificate, PEM or DER.

        Raises:
            ConfigurationError: the file cannot be read, or holds anything else.
        """
        try:
            with path.open("rb") as file:
                data = file.read(MAX_ROOT_BYTES + 1)
        except OSError as error:
            raise ConfigurationError(
                (f"TEE_ROOT_CA: {path} cannot be read ({error.strerror}); name a certificate, PEM or DER.",)
            ) from error
        return cls(_one_certificate(data, path))


def _one_certificate(data: bytes, path: Path) -> bytes:
    mend = "it has to hold one certificate, PEM or DER; leave TEE_ROOT_CA unset for Intel's root."
    if len(data) > MAX_ROOT_BYTES:
        raise ConfigurationError((f"TEE_ROOT_CA: {path} has more than {MAX_ROOT_BYTES:,} bytes; {mend}",))
    try:
        found = x509.load_pem_x509_certificates(data) if b"-----BEGIN" in data else [x509.load_der_x509_certificate(data)]
    except UNREADABLE as error:
        raise ConfigurationError((f"TEE_ROOT_CA: {path} holds no certificate; {mend}",)) from error
    if len(found) != 1:
        raise ConfigurationError((f"TEE_ROOT_CA: {path} holds {len(found)} certificates; {mend}",))
    return found[0].public_bytes(Encoding.DER)


INTEL = Root(_INTEL_DER)
"""Intel SGX Root CA, 2018 to 2049; SHA-256 44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3."""
