"""Base58 as NEAR writes hashes and keys; texts are bounded before they are decoded, because decoding is quadratic."""

from functools import lru_cache

import base58

_LONGEST_TEXT = 128


@lru_cache(maxsize=4096)
def encode(data: bytes) -> str:
    """Write bytes as base58 (Bitcoin's alphabet)."""
    return base58.b58encode(data).decode()


def decode(text: str, *, length: int) -> bytes:
    """
    Read base58 text that must stand for `length` bytes.

    Raises:
        ValueError: another length, or a character outside the alphabet.
    """
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"base58 text of {len(text)} characters; the longest read here has {_LONGEST_TEXT}")
    try:
        data = base58.b58decode(text)
    except ValueError as error:
        raise ValueError(f"not base58: {text!r}") from error
    if len(data) != length:
        raise ValueError(f"base58 text of {len(data)} bytes where {length} are needed: {text!r}")
    return data
