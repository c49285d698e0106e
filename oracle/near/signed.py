"""
Signed transactions to the byte: read, and put together again from what a node tells of one.

A transaction's hash is sha256 of its borsh without the signature. Nodes tell everything that is under that hash but the recent block that
the signer named, so whoever puts one together tries blocks until the hash fits.

Source: near-primitives 0.38, `SignedTransaction`, `TransactionV0`, `Action::FunctionCall` (variant 2); keys and signatures are ed25519.
"""

import base64
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import base58
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_SIGNED_BYTES = 4 * 1024 * 1024
"""NEAR `max_transaction_size` has been 4 MiB and is 1.5."""
MAX_ACTIONS = 100
"""NEAR `max_actions_per_receipt`."""
HASH_BYTES = 32

_PREFIX = "ed25519:"
_ED25519, _FUNCTION_CALL = b"\0", b"\2"
_KEY_BYTES, _SIGNATURE_BYTES = 32, 64
_MAX_NAME_BYTES = 256
"""Of accounts and methods (NEAR `max_length_method_name`)."""
_MAX_BASE58_CHARS = 90
"""Of a signature; decoding takes the square of the length."""


class NoTransaction(ValueError):
    """The bytes are no signed transaction of function calls, or what a node tells makes none; `str()` is the reason."""


@dataclass(frozen=True, slots=True)
class SignedCall:
    """One function call of a transaction."""

    method: str
    args: bytes = field(repr=False)
    gas: int
    deposit_yocto: int


@dataclass(frozen=True, slots=True)
class SignedCalls:
    """A transaction of nothing but function calls, whose signature verifies; `hash` is 32 bytes, `public_key` text with its prefix."""

    hash: bytes
    signer_id: str
    public_key: str
    nonce: int
    receiver_id: str
    calls: tuple[SignedCall, ...]


def read_signed(raw: bytes) -> SignedCalls:
    """
    Read borsh(SignedTransaction).

    Raises:
        NoTransaction
    """
    if len(raw) > MAX_SIGNED_BYTES:
        raise NoTransaction(f"a transaction of {len(raw):,} bytes; at most {MAX_SIGNED_BYTES:,} are read")
    reader = _Reader(raw)
    signer_id, public = reader.text(), reader.tagged(_ED25519, _KEY_BYTES, "a key")
    nonce, receiver_id, _ = reader.number(8), reader.text(), reader.take(HASH_BYTES)
    count = reader.number(4)
    if count > MAX_ACTIONS:
        raise NoTransaction(f"a transaction of {count} actions; at most {MAX_ACTIONS} are read")
    calls = tuple(reader.call() for _ in range(count))
    digest = sha256(raw[: reader.at]).digest()
    signature = reader.tagged(_ED25519, _SIGNATURE_BYTES, "a signature")
    if reader.at != len(raw):
        raise NoTransaction(f"a transaction with {len(raw) - reader.at} bytes after its end")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, digest)
    except (InvalidSignature, ValueError) as error:
        raise NoTransaction("a transaction whose signature does not verify") from error
    return SignedCalls(digest, signer_id, _PREFIX + base58.b58encode(public).decode(), nonce, receiver_id, calls)


@dataclass(frozen=True, slots=True)
class Told:
    """A transaction as a node tells it: borsh before and after the block that the signer named."""

    hash: bytes
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def with_block(self, block_hash: bytes) -> bytes | None:
        """borsh(SignedTransaction) where this is the block that was named; None: it is another one."""
        unsigned = self.before + block_hash + self.after
        return unsigned + self.signature if sha256(unsigned).digest() == self.hash else None


def told_by_node(view: Any) -> Told:
    """
    Read a transaction as nodes write it (`SignedTransactionView`).

    Raises:
        NoTransaction: it is not one of function calls under ed25519; or it does not have its shape.
    """
    try:
        actions = view["actions"]
        if len(actions) > MAX_ACTIONS or any("FunctionCall" not in action for action in actions):
            raise NoTransaction("a transaction of other actions than function calls")
        before = b"".join(
            (
                _written(view["signer_id"]),
                _ED25519 + base58_bytes(view["public_key"].removeprefix(_PREFIX), _KEY_BYTES),
                _number(view["nonce"], 8),
                _written(view["receiver_id"]),
            )
        )
        after = _number(len(actions), 4) + b"".join(_written_call(action["FunctionCall"]) for action in actions)
        signature = _ED25519 + base58_bytes(view["signature"].removeprefix(_PREFIX), _SIGNATURE_BYTES)
        return Told(base58_bytes(view["hash"], HASH_BYTES), before, after, signature)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        if isinstance(error, NoTransaction):
            raise
        raise NoTransaction(f"a transaction that cannot be read ({type(error).__name__})") from error


def base58_bytes(text: str, length: int = HASH_BYTES) -> bytes:
    """
    Read base58 of so many bytes.

    Raises:
        ValueError: it is not that.
    """
    raw = base58.b58decode(text) if len(text) <= _MAX_BASE58_CHARS else b""
    if len(raw) != length:
        raise ValueError(f"{text[:60]!r} is not {length} bytes in base58")
    return raw


class _Reader:
    """Borsh, from the front."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self.at = raw, 0

    def take(self, length: int) -> bytes:
        taken = self._raw[self.at : self.at + length]
        if len(taken) != length:
            raise NoTransaction("a transaction that ends too early")
        self.at += length
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def vector(self, most: int) -> bytes:
        length = self.number(4)
        if length > most:
            raise NoTransaction(f"a field of {length:,} bytes; at most {most:,} are read")
        return self.take(length)

    def text(self) -> str:
        try:
            return self.vector(_MAX_NAME_BYTES).decode()
        except UnicodeDecodeError as error:
            raise NoTransaction("a name that is not UTF-8") from error

    def tagged(self, tag: bytes, length: int, what: str) -> bytes:
        if self.take(1) != tag:
            raise NoTransaction(f"{what} that is not ed25519")
        return self.take(length)

    def call(self) -> SignedCall:
        if self.take(1) != _FUNCTION_CALL:
            raise NoTransaction("a transaction of other actions than function calls")
        return SignedCall(self.text(), self.vector(MAX_SIGNED_BYTES), self.number(8), self.number(16))


def _written_call(call: Any) -> bytes:
    args = base64.b64decode(call["args"], validate=True)
    amounts = _number(int(call["gas"]), 8) + _number(int(call["deposit"]), 16)
    return _FUNCTION_CALL + _written(call["method_name"]) + _number(len(args), 4) + args + amounts


def _written(text: str) -> bytes:
    raw = text.encode()
    return _number(len(raw), 4) + raw


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")
