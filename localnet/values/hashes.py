"""Hashes and the ids made of them."""

from hashlib import sha256
from typing import NewType

from localnet.values import base58

CryptoHash = NewType("CryptoHash", bytes)
"""sha256, 32 bytes; base58 in texts."""

NO_HASH = CryptoHash(bytes(32))
"""`1` x 32 in base58: no code, no previous block."""


def hash_of(data: bytes) -> CryptoHash:
    """The sha256 of bytes."""
    return CryptoHash(sha256(data).digest())


def hash_to_text(value: bytes) -> str:
    """Base58, as JSON-RPC writes it."""
    return base58.encode(value)


def hash_from_text(text: str) -> CryptoHash:
    """
    Read a base58 hash.

    Raises:
        ValueError: it is not 32 bytes of base58.
    """
    return CryptoHash(base58.decode(text, length=32))


def child_id(parent: bytes, height: int, number: int) -> CryptoHash:
    """
    The id that follows from a parent, at a height.

    Args:
        parent: transaction hash, receipt id or action hash.
        height: of the block that applies it.
        number: 0 for the receipt of a transaction; i for the i-th new receipt of a receipt, counted as nearcore does;
            2**64 - 1 - i for the hash of a receipt's i-th action; k for the k-th data id of an action.

    Source: nearcore `create_hash_upgradable` (sha256 over the parts, integers as u64 little endian).
    """
    return CryptoHash(sha256(parent + height.to_bytes(8, "little") + number.to_bytes(8, "little")).digest())
