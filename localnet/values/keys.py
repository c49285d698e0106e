"""Public keys and key pairs. NEAR also knows secp256k1 and ML-DSA keys; this chain takes ed25519, which is what its clients make."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from localnet.values import base58

_CURVE = "ed25519"
_SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An ed25519 public key; `str()` gives `ed25519:base58`."""

    raw: bytes
    """32 bytes, without the curve's tag."""

    def __post_init__(self) -> None:
        if len(self.raw) != 32:
            raise ValueError(f"an ed25519 public key has 32 bytes, not {len(self.raw)}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read `ed25519:base58`; a text without a curve is taken for ed25519, as nodes do.

        Raises:
            ValueError: another curve, or not 32 bytes of base58.
        """
        return cls(base58.decode(_without_curve(text), length=32))

    @property
    def tagged(self) -> bytes:
        """The borsh form: the curve's tag 0, then the key; 33 bytes."""
        return b"\0" + self.raw

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the 64-byte signature of the message is this key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def __str__(self) -> str:
        return f"{_CURVE}:{base58.encode(self.raw)}"


@dataclass(frozen=True)
class KeyPair:
    """A private key with its public half. Neither `repr` nor `str` shows the private one."""

    seed: bytes = field(repr=False)
    """32 bytes of RFC 8032."""

    def __post_init__(self) -> None:
        if len(self.seed) != _SEED_BYTES:
            raise ValueError(f"an ed25519 seed has {_SEED_BYTES} bytes, not {len(self.seed)}")

    @classmethod
    def random(cls) -> Self:
        """A new key from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_seed(cls, seed: str) -> Self:
        """The key of a name, for tests: its UTF-8, cut or filled with spaces to 32 bytes (nearcore's `SecretKey::from_seed`)."""
        return cls(seed.encode()[:_SEED_BYTES].ljust(_SEED_BYTES))

    @classmethod
    def parse(cls, secret_key: str) -> Self:
        """
        Read `ed25519:base58` of the seed and the public key (64 bytes), as NEAR tools store it.

        Raises:
            ValueError: another curve, another length, or halves that do not belong together.
        """
        try:
            both = base58.decode(_without_curve(secret_key), length=64)
        except ValueError:
            # The text is a secret: neither it nor the inner error that quotes it goes into a message.
            raise ValueError("a secret key is `ed25519:` and 64 bytes of base58") from None
        pair = cls(both[:_SEED_BYTES])
        if pair.public_key.raw != both[_SEED_BYTES:]:
            raise ValueError("the secret key's second half is not the public key of its first")
        return pair

    @cached_property
    def _private_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def public_key(self) -> PublicKey:
        """The half that may be shown."""
        return PublicKey(self._private_key.public_key().public_bytes_raw())

    @property
    def secret_key(self) -> str:
        """`ed25519:base58` of seed and public key, the layout of NEAR's key files."""
        # Past the cache of `encode`: a secret is not kept there.
        return f"{_CURVE}:{base58.encode.__wrapped__(self.seed + self.public_key.raw)}"

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of a message."""
        return self._private_key.sign(message)


def _without_curve(text: str) -> str:
    curve, colon, rest = text.partition(":")
    if not colon:
        return text
    if curve != _CURVE:
        raise ValueError(f"keys of the curve {curve[:20]!r} are not taken by this chain; use an {_CURVE} key")
    return rest
