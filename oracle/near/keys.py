"""Keys that sign: read from settings or made here, never shown, and turned into signed transactions by py-near's primitives."""

from dataclasses import dataclass, field
from hashlib import sha256

import base58
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from py_near_primitives import FunctionCallAction, Transaction

from oracle.model import TxHash

_PREFIX = "ed25519:"
_SIGNATURE_BYTES = 65
"""Tag of the curve and 64 bytes, at the end of borsh(SignedTransaction)."""


@dataclass(frozen=True, slots=True)
class Call:
    """One function call. Only a full-access key may attach a deposit."""

    receiver_id: str
    method: str
    args: bytes
    gas: int
    deposit_yocto: int = 0


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An ed25519 key of an account; `public_key` is text with its prefix."""

    account_id: str
    public_key: str
    _secret: bytes = field(repr=False)
    """Seed and public key, 64 bytes."""

    @classmethod
    def generate(cls, account_id: str) -> "SigningKey":
        """A fresh key, which nobody but this process knows."""
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        return cls(account_id, _PREFIX + base58.b58encode(public).decode(), private.private_bytes_raw() + public)

    @property
    def public_bytes(self) -> bytes:
        """The public key without its prefix, 32 bytes."""
        return self._secret[32:]

    @classmethod
    def from_text(cls, account_id: str, text: str) -> "SigningKey":
        """
        Read `ed25519:` and base58 of 64 bytes.

        Raises:
            ValueError: it is not such a key; the message holds nothing of it.
        """
        try:
            raw = base58.b58decode(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else b""
        except ValueError:
            raw = b""
        if len(raw) != 64:
            raise ValueError("a private key must be ed25519: and 64 bytes in base58")
        public = Ed25519PrivateKey.from_private_bytes(raw[:32]).public_key().public_bytes_raw()
        if public != raw[32:]:
            raise ValueError("a private key's public half does not belong to its secret half")
        return cls(account_id, _PREFIX + base58.b58encode(public).decode(), raw)

    def sign(self, message: bytes) -> bytes:
        """ed25519 of a message that is no transaction; 64 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self._secret[:32]).sign(message)

    def sign_call(self, call: Call, *, nonce: int, block_hash: str) -> tuple[TxHash, bytes]:
        """
        Make a signed transaction of one function call.

        Returns:
            Its hash, and borsh(SignedTransaction).
        """
        action = FunctionCallAction(call.method, call.args, call.gas, call.deposit_yocto)
        transaction = Transaction(self.account_id, self._secret[32:], nonce, call.receiver_id, base58.b58decode(block_hash), [action])
        signed = bytes(transaction.to_vec(self._secret))
        return TxHash(base58.b58encode(sha256(signed[:-_SIGNATURE_BYTES]).digest()).decode()), signed
