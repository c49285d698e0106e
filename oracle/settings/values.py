"""The shapes that single settings have: checked texts, and what may be shown of them."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import base58
from pydantic import SecretStr
from pydantic_core import PydanticCustomError

_ACCOUNT_ID = re.compile(r"(?:(?:[a-z\d]+[-_])*[a-z\d]+\.)*(?:[a-z\d]+[-_])*[a-z\d]+")
"""NEAR account id, 2 to 64 characters (crate near-account-id, `validation.rs`)."""
_SECRET_KEY_BYTES = 64  # seed ‖ public key
_MAX_SHOWN_CHARS = 100


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a server listens; port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def redacted_url(url: str) -> str:
    """Scheme, host and port of a URL; user, path and query may hold an API key and become `…`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "…"
    if not host:
        return "…"
    place = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    return place if parts.path in {"", "/"} and not (parts.query or parts.username) else f"{place}/…"


def http_url(text: str) -> str:
    """Check an http:// or https:// URL; ValueError shows no more of it than its host."""
    try:
        parts = urlsplit(text)
        well_formed = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        well_formed = False
    if not well_formed:
        raise ValueError(f"{redacted_url(text)} is not an http:// or https:// URL")
    return text.rstrip("/")


def split_list(value: object) -> list[str]:
    """A comma list; what is no text (settings given as arguments) passes as it is."""
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",")]
        return [part for part in parts if part]
    if isinstance(value, list | tuple):
        return [part.get_secret_value() if isinstance(part, SecretStr) else str(part) for part in value]
    raise ValueError("is not a comma list")


def account_id(text: str) -> str:
    """Check a NEAR account id; ValueError says how one looks."""
    if not (2 <= len(text) <= 64 and _ACCOUNT_ID.fullmatch(text)):
        raise ValueError("is not an account id: 2 to 64 characters of a-z, 0-9, '-', '_' and '.', for example outlayer.testnet")
    return text


def private_key(text: str) -> str:
    """
    Check the form of a secret key, `ed25519:` and 64 bytes in base58, and that its two halves belong together.

    Raises:
        ValueError: the reason, without any part of the key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  slow to load, seldom needed

    if not text.startswith("ed25519:"):
        raise ValueError("a key must start with ed25519: (other curves are not used here)")
    try:
        raw = base58.b58decode(text.removeprefix("ed25519:"))
    except ValueError:
        raw = b""
    if len(raw) != _SECRET_KEY_BYTES:
        raise ValueError("a key must be ed25519: and then 64 bytes in base58, as in private_key of ~/.near-credentials/*/ACCOUNT.json")
    public_key = Ed25519PrivateKey.from_private_bytes(raw[:32]).public_key().public_bytes_raw()
    if public_key != raw[32:]:
        raise ValueError("the key is damaged: its public half does not belong to its secret half")
    return text


def missing() -> PydanticCustomError:
    """For a validator that finds a setting wanted only because of another one: reported as one that is not set."""
    return PydanticCustomError("missing", "is not set")


def shown(value: str) -> str:
    """What an error line may show of a setting's value: no key, nothing of a URL that could be a password, no endless text."""
    if "ed25519:" in value:
        return "a key"
    return redacted_url(value) if "://" in value else repr(value[:_MAX_SHOWN_CHARS])
