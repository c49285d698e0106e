"""Hashes and signatures. These pay their own base instead of the common one."""

# ruff: noqa: PLR0913, PLR0917 - a host function takes what contracts hand it

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from localnet.vm.errors import HostError
from localnet.vm.host.call import HostCall
from localnet.vm.host.table import offered

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_SIGNATURE_BYTES, _P256_KEY_BYTES, _P256_DIGEST_BYTES, _P256_SHORTEST_DIGEST = 64, 33, 32, 16
_ED25519_SIGNATURE_BYTES, _ED25519_KEY_BYTES = 64, 32
_ED25519_HIGH_BITS = 0b1110_0000


@offered("sha256", "III", charges=("sha256_base",))
def sha256(call: HostCall, length: int, pointer: int, register: int) -> None:
    """SHA-2, 256 bits."""
    _hash(call, "sha256", call.parameters.host.sha256_byte, length, pointer, register)


@offered("sha3_256", "III", charges=("sha3_256_base",))
def sha3_256(call: HostCall, length: int, pointer: int, register: int) -> None:
    """SHA-3, 256 bits."""
    _hash(call, "sha3_256", call.parameters.host.sha3_256_byte, length, pointer, register)


@offered("sha3_384", "III", charges=("sha3_384_base",))
def sha3_384(call: HostCall, length: int, pointer: int, register: int) -> None:
    """SHA-3, 384 bits."""
    _hash(call, "sha3_384", call.parameters.host.sha3_384_byte, length, pointer, register)


@offered("sha3_512", "III", charges=("sha3_512_base",))
def sha3_512(call: HostCall, length: int, pointer: int, register: int) -> None:
    """SHA-3, 512 bits."""
    _hash(call, "sha3_512", call.parameters.host.sha3_512_byte, length, pointer, register)


def _hash(call: HostCall, algorithm: str, byte_cost: int, length: int, pointer: int, register: int) -> None:
    data = call.get(pointer, length)
    call.gas.burn(byte_cost * len(data))
    call.registers.set(register, hashlib.new(algorithm, data).digest())


@offered("ed25519_verify", "IIIIII", "I", charges=("ed25519_verify_base",))
def ed25519_verify(
    call: HostCall,
    signature_length: int,
    signature_pointer: int,
    message_length: int,
    message_pointer: int,
    key_length: int,
    key_pointer: int,
) -> int:
    """Whether an ed25519 signature holds."""
    signature = call.get(signature_pointer, signature_length)
    if len(signature) != _ED25519_SIGNATURE_BYTES:
        raise _invalid("Ed25519VerifyInvalidInput", "ED25519", "invalid signature length")
    if signature[-1] & _ED25519_HIGH_BITS:
        return 0
    message = call.get(message_pointer, message_length)
    call.gas.burn(call.parameters.host.ed25519_verify_byte * len(message))
    key = call.get(key_pointer, key_length)
    if len(key) != _ED25519_KEY_BYTES:
        raise _invalid("Ed25519VerifyInvalidInput", "ED25519", "invalid public key length")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return 0
    return 1


@offered("p256_verify", "IIIIII", "I", charges=("p256_verify_base",))
def p256_verify(
    call: HostCall,
    signature_length: int,
    signature_pointer: int,
    message_length: int,
    message_pointer: int,
    key_length: int,
    key_pointer: int,
) -> int:
    """Whether an ECDSA signature over P-256 of a digest holds; signature r and s, key compressed."""
    signature = call.get(signature_pointer, signature_length)
    if len(signature) != _P256_SIGNATURE_BYTES:
        raise _invalid("P256VerifyInvalidInput", "P256", "invalid signature length")
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if not (0 < r < _P256_ORDER and 0 < s < _P256_ORDER):
        return 0
    digest = call.get(message_pointer, message_length)
    call.gas.burn(call.parameters.host.p256_verify_byte * len(digest))
    key = call.get(key_pointer, key_length)
    if len(key) != _P256_KEY_BYTES:
        raise _invalid("P256VerifyInvalidInput", "P256", "invalid public key length")
    return int(len(digest) >= _P256_SHORTEST_DIGEST and _p256_holds(r, s, digest, key))


def _p256_holds(r: int, s: int, digest: bytes, key: bytes) -> bool:
    fitted = digest[:_P256_DIGEST_BYTES].rjust(_P256_DIGEST_BYTES, b"\0")
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
        public.verify(encode_dss_signature(r, s), fitted, ec.ECDSA(Prehashed(SHA256())))
    except (InvalidSignature, ValueError):
        return False
    return True


def _invalid(variant: str, name: str, message: str) -> HostError:
    return HostError(variant, f"{name} signature verification error: {message}", msg=message)
