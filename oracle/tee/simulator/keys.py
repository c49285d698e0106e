"""
The simulator's secrets: all of them follow from one seed.

A seed makes every key, certificate and quote of a run the same again, which is what tests want and what makes it worthless as a proof:
whoever knows the seed can sign any quote. Without a seed the keys are random and end with the process.
"""

import hashlib
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SEED_BYTES = 32
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ECDSA = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)  # RFC 6979: the same seed gives the same bytes


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys and bytes by their purpose; two purposes share nothing."""

    seed: bytes = field(repr=False)

    @classmethod
    def random(cls) -> "Secrets":
        """For a run of which nothing is to be repeated."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def from_text(cls, text: str) -> "Secrets":
        """For tests, which repeat their keys by a word."""
        return cls(hashlib.sha256(text.encode()).digest())

    def bytes_for(self, purpose: str, length: int) -> bytes:
        """HKDF-SHA256 of the seed with the purpose as its info."""
        return HKDF(hashes.SHA256(), length, salt=b"nco/quote-simulator/v1", info=purpose.encode()).derive(self.seed)

    def p256_key_for(self, purpose: str) -> "SigningKey":
        """A P-256 key; 16 bytes beyond its size make the remainder as good as uniform (FIPS 186-5, A.2.1)."""
        scalar = int.from_bytes(self.bytes_for(purpose, 48), "big") % (_P256_ORDER - 1) + 1
        return SigningKey(ec.derive_private_key(scalar, ec.SECP256R1()))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A P-256 key that signs as quotes and collateral carry it."""

    private: ec.EllipticCurvePrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-256 as 64 bytes, r then s, each big-endian."""
        r, s = decode_dss_signature(self.private.sign(message, _ECDSA))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    @property
    def public_bytes(self) -> bytes:
        """The point's x then y, 64 bytes (SEC 1 uncompressed without its 04)."""
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
