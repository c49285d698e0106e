"""
Reading a request's params: an object, or the array form where the method has one.

Every getter gives a value that cannot be wrong or raises `ParseError` with the member's name, what is wrong and what would be right.
"""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from localnet.rpc.errors import ParseError
from localnet.values import account_id
from localnet.values.hashes import CryptoHash, hash_from_text
from localnet.values.keys import PublicKey

_U64_MAX = 2**64 - 1
_FINALITIES = ("optimistic", "near-final", "final")
_CHECKPOINTS = ("genesis", "earliest_available")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest block; on this chain every block is final at once."""


@dataclass(frozen=True, slots=True)
class AtHeight:
    """The block of a height."""

    height: int


@dataclass(frozen=True, slots=True)
class AtHash:
    """The block with a hash."""

    block_hash: CryptoHash


@dataclass(frozen=True, slots=True)
class Earliest:
    """The first block."""


BlockReference: TypeAlias = Latest | Earliest | AtHeight | AtHash


class Params:
    """The params of one request."""

    def __init__(self, raw: Any, *, positional: Sequence[str] = ()) -> None:
        """
        Take an object, or an array whose places have the names of `positional`.

        Raises:
            ParseError: neither of them, or an array that is too long.
        """
        if raw is None:
            raw = []
        if isinstance(raw, list):
            if len(raw) > len(positional):
                raise ParseError(f"Failed parsing args: {len(raw)} positional params where {_named(positional)}")
            raw = dict(zip(positional, raw, strict=False))
        if not isinstance(raw, dict):
            raise ParseError(f"Failed parsing args: params are an object or an array, not {_kind(raw)}")
        self._members: dict[str, Any] = raw

    def has(self, name: str) -> bool:
        """Whether a member is there and not null."""
        return self._members.get(name) is not None

    def text(self, name: str, *, most: int = 4096) -> str:
        """A string of at most `most` characters that UTF-8 can write."""
        value = self._get(name)
        if not isinstance(value, str):
            raise _wrong(name, f"a string is wanted, not {_kind(value)}")
        if len(value) > most:
            raise _wrong(name, f"{len(value)} characters; at most {most} are taken")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _wrong(name, "a lone surrogate is no character") from None
        return value

    def integer(self, name: str, *, most: int = _U64_MAX) -> int:
        """A whole number from 0 to `most`."""
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise _wrong(name, f"a whole number from 0 to {most} is wanted")
        return value

    def one_of(self, name: str, choices: Sequence[str], *, default: str | None = None) -> str:
        """One of some words."""
        if default is not None and not self.has(name):
            return default
        value = self._get(name)
        if value not in choices:
            raise _wrong(name, f"one of {', '.join(choices)} is wanted, not {str(value)[:80]!r}")
        return str(value)

    def data(self, name: str, *, most: int) -> bytes:
        """Base64 of at most `most` bytes."""
        text = self.text(name, most=4 * (most // 3 + 2))
        try:
            data = b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise _wrong(name, f"not base64: {error}") from error
        if len(data) > most:
            raise _wrong(name, f"{len(data)} bytes; at most {most} are taken")
        return data

    def account_id(self, name: str = "account_id") -> str:
        """A valid account id."""
        return _account_id(name, self.text(name))

    def account_ids(self, name: str = "account_ids", *, most: int = 100) -> tuple[str, ...]:
        """A list of valid account ids."""
        value = self._get(name)
        if not isinstance(value, list) or len(value) > most or not all(isinstance(each, str) for each in value):
            raise _wrong(name, f"a list of at most {most} account ids is wanted")
        return tuple(_account_id(name, each) for each in value)

    def public_key(self, name: str = "public_key") -> PublicKey:
        """An ed25519 key; without a curve's name it is taken for one."""
        try:
            return PublicKey.parse(self.text(name))
        except ValueError as error:
            raise _wrong(name, str(error)) from error

    def hash(self, name: str) -> CryptoHash:
        """A base58 hash."""
        try:
            return hash_from_text(self.text(name))
        except ValueError as error:
            raise _wrong(name, str(error)) from error

    def objects(self, name: str, *, most: int) -> "tuple[Params, ...]":
        """A list of objects."""
        value = self._get(name)
        if not isinstance(value, list) or len(value) > most or not all(isinstance(each, dict) for each in value):
            raise _wrong(name, f"a list of at most {most} objects is wanted")
        return tuple(Params(each) for each in value)

    def block_reference(self) -> BlockReference:
        """`block_id` (height or hash), `finality`, `sync_checkpoint`, or nothing for the newest block."""
        if self.has("sync_checkpoint"):
            self.one_of("sync_checkpoint", _CHECKPOINTS)
            return Earliest()
        if not self.has("block_id"):
            self.one_of("finality", _FINALITIES, default="final")
            return Latest()
        return AtHeight(self.integer("block_id")) if isinstance(self._get("block_id"), int) else AtHash(self.hash("block_id"))

    def _get(self, name: str) -> Any:
        value = self._members.get(name, _MISSING)
        if value is _MISSING or value is None:
            raise ParseError(f"Failed parsing args: missing field `{name}`")
        return value


def _account_id(name: str, text: str) -> str:
    try:
        return account_id.check(text)
    except ValueError as error:
        raise _wrong(name, str(error)) from error


def _wrong(name: str, what: str) -> ParseError:
    return ParseError(f"Failed parsing args: `{name}`: {what}")


def _named(positional: Sequence[str]) -> str:
    return f"the method takes {', '.join(positional)}" if positional else "the method takes an object"


def _kind(value: Any) -> str:
    kinds = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "an array", dict: "an object"}
    return kinds.get(type(value), "null")
