"""
Keys that an app gets of its machine: derived from the app's key by path, signed by the app's key, which the KMS's root key has signed.

Source: dstack's guest agent (`rpc_service.rs`), KMS (`crypto.rs`) and `ra-tls/src/kdf.rs`; the signatures are Ethereum's, r, s and recovery
id over Keccak-256.
"""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from eth_keys.datatypes import PrivateKey

from oracle.tee.simulator.keccak import keccak
from oracle.tee.simulator.keys import Secrets
from oracle.tee.simulator.machine import MachineRefused

_ISSUED = b"dstack-kms-issued:"
_SIGNING_PATH, _SIGNING_PURPOSE = "vms", "signing"
_ALIASES = {"": "secp256k1", "k256": "secp256k1"}


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """A private key of 32 bytes and who vouches for it: the app's key, then the KMS's root."""

    key: bytes
    signature_chain: tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Signature:
    """What `Sign` answers; the chain begins with the signature itself."""

    signature: bytes
    signature_chain: tuple[bytes, bytes, bytes]
    public_key: bytes


class AppKeys:
    """The keys of one app; the same app, path and seed give the same key on every machine."""

    def __init__(self, app_key: bytes, app_key_signature: bytes) -> None:
        """`app_key`: secp256k1, 32 bytes; the signature is the KMS root's over it, 65 bytes."""
        self._app_key, self._app_key_signature = app_key, app_key_signature

    @classmethod
    def issued_by_kms(cls, secrets: Secrets, app_id: bytes) -> "AppKeys":
        """As the KMS hands them to a machine of the app."""
        root = secrets.bytes_for("KMS root, secp256k1", 32)
        app_key = derive_key(root, app_id + b"app-key")
        return cls(app_key, _recoverable(root, _ISSUED + app_id + _public(app_key)))

    def get_key(self, path: str, purpose: str, algorithm: str) -> DerivedKey:
        """
        The key at a path; the purpose is only in what the app's key signs.

        Raises:
            MachineRefused: neither secp256k1 nor ed25519.
        """
        key = derive_key(self._app_key, path.encode())
        match _ALIASES.get(algorithm, algorithm):
            case "secp256k1":
                public = _public(key)
            case "ed25519":
                public = Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
            case _:
                raise MachineRefused("Unsupported algorithm")
        return DerivedKey(key, (_recoverable(self._app_key, f"{purpose}:{public.hex()}".encode()), self._app_key_signature))

    def tls_seed(self, path: str) -> bytes:
        """Of a TLS key that is the same whenever it is asked for (the 0.3 interface)."""
        return derive_key(self._app_key, path.encode())

    def sign(self, algorithm: str, data: bytes) -> Signature:
        """
        Sign with the app's signing key: ed25519, secp256k1 over SHA-256, or secp256k1 over a digest that is given.

        Raises:
            MachineRefused: another algorithm, or a digest that is not 32 bytes long.
        """
        algorithm = _ALIASES.get(algorithm, algorithm)
        derived = self.get_key(_SIGNING_PATH, _SIGNING_PURPOSE, algorithm.removesuffix("_prehashed"))
        if algorithm == "ed25519":
            ed25519 = Ed25519PrivateKey.from_private_bytes(derived.key)
            signature, public = ed25519.sign(data), ed25519.public_key().public_bytes_raw()
        else:
            signature = PrivateKey(derived.key).sign_msg_hash_non_recoverable(_digest(algorithm, data)).to_bytes()
            public = _public(derived.key)
        return Signature(signature, (signature, *derived.signature_chain), public)

    @staticmethod
    def verify(algorithm: str, data: bytes, signature: bytes, public_key: bytes) -> bool:
        """
        Whether the signature is the key's.

        Raises:
            MachineRefused: another algorithm, or a key or signature of the wrong form.
        """
        algorithm = _ALIASES.get(algorithm, algorithm)
        try:
            if algorithm == "ed25519":
                return _ed25519_holds(public_key, signature, data)
            return _secp256k1_holds(public_key, signature, _digest(algorithm, data))
        except ValueError as error:
            raise MachineRefused(str(error) or "the key or the signature has the wrong form") from error


def derive_key(secret: bytes, context: bytes) -> bytes:
    """Dstack's derivation: HKDF-SHA256, salt `RATLS`, 32 bytes."""
    return HKDF(hashes.SHA256(), 32, salt=b"RATLS", info=context).derive(secret)


def _public(key: bytes) -> bytes:
    """SEC 1 compressed, 33 bytes."""
    return PrivateKey(key).public_key.to_compressed_bytes()


def _recoverable(key: bytes, message: bytes) -> bytes:
    return PrivateKey(key).sign_msg_hash(keccak(message)).to_bytes()


def _digest(algorithm: str, data: bytes) -> bytes:
    if algorithm == "secp256k1":
        return hashlib.sha256(data).digest()
    if algorithm != "secp256k1_prehashed":
        raise MachineRefused("Unsupported algorithm")
    if len(data) != 32:
        raise MachineRefused(f"Pre-hashed signing requires a 32-byte digest, but received {len(data)} bytes")
    return data


def _ed25519_holds(public_key: bytes, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _secp256k1_holds(public_key: bytes, signature: bytes, digest: bytes) -> bool:
    if len(signature) != 64:
        raise MachineRefused(f"a secp256k1 signature has 64 bytes, this one {len(signature)}")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public_key)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True
