"""An object of a strictly read document, asked for its fields; each refusal names the field, what it holds and what it must hold."""

import base64
import binascii
import re
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import TypeVar

import base58

from oracle.errors import EvidenceRefused
from oracle.tee.canonical import Json

U64, U128 = 2**64 - 1, 2**128 - 1
ED25519_PREFIX = "ed25519:"

_NUMBER = re.compile(r"0|[1-9][0-9]{0,38}")
_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_MAX_SHOWN_CHARS = 80

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


class Fields:
    """An object that has exactly the keys named."""

    def __init__(self, what: str, value: Json, keys: Collection[str]) -> None:
        """
        `what`: the object's name in refusals.

        Raises:
            EvidenceRefused: it is no object, lacks a key, or has one more.
        """
        if not isinstance(value, dict):
            raise EvidenceRefused(f"{what} is {_shown(value)}; an object is needed")
        missing, unknown = [key for key in keys if key not in value], [key for key in value if key not in keys]
        if missing:
            raise EvidenceRefused(f"{what} lacks {missing[0]!r}")
        if unknown:
            raise EvidenceRefused(f"{what} has a field {unknown[0][:_MAX_SHOWN_CHARS]!r} that nobody knows")
        self._what, self._value = what, value

    def raw(self, name: str) -> Json:
        """The field as it was read."""
        return self._value[name]

    def name(self, name: str) -> str:
        """The field's whole name, for refusals."""
        return f"{self._what}.{name}"

    def maybe(self, name: str, read: Callable[[str], _T]) -> _T | None:
        """The field, read with one of the methods below; None where it is null."""
        return None if self._value[name] is None else read(name)

    def nested(self, name: str, keys: Collection[str]) -> "Fields":
        """An object."""
        return Fields(self.name(name), self._value[name], keys)

    def text(self, name: str) -> str:
        """A string."""
        value = self._value[name]
        if not isinstance(value, str):
            raise self._refused(name, "a string")
        return value

    def boolean(self, name: str) -> bool:
        """True or false."""
        value = self._value[name]
        if not isinstance(value, bool):
            raise self._refused(name, "true or false")
        return value

    def number(self, name: str, most: int = U64) -> int:
        """A whole number as a decimal string, as NEAR writes what may pass 2**53."""
        value = self._value[name]
        if not (isinstance(value, str) and _NUMBER.fullmatch(value) and int(value) <= most):
            raise self._refused(name, f"a decimal string from 0 to {most}")
        return int(value)

    def small_number(self, name: str, most: int) -> int:
        """A whole number written as one."""
        value = self._value[name]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise self._refused(name, f"a number from 0 to {most}")
        return value

    def hex_text(self, name: str, length: int | None = 32) -> str:
        """So many bytes as hex digits in lower case; None: any number of them."""
        value = self._value[name]
        if not (isinstance(value, str) and _HEX.fullmatch(value) and (length is None or len(value) == 2 * length)):
            raise self._refused(
                name, "hex digits in lower case, two a byte" if length is None else f"{2 * length} hex digits in lower case"
            )
        return value

    def hex_bytes(self, name: str, length: int | None = 32) -> bytes:
        """The same as bytes."""
        return bytes.fromhex(self.hex_text(name, length))

    def base64_bytes(self, name: str) -> bytes:
        """Base64 with padding and nothing between."""
        try:
            found = base64.b64decode(self.text(name), validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._refused(name, "base64") from error
        if base64.b64encode(found).decode() != self._value[name]:
            raise self._refused(name, "base64 in its one spelling")
        return found

    def ed25519_bytes(self, name: str, length: int) -> bytes:
        """A key or signature: `ed25519:` and base58 of so many bytes."""
        value = self.text(name)
        try:
            # Leading ones are zero bytes and each other digit is worth less than a byte, so a text that is too long is not decoded.
            fits = value.startswith(ED25519_PREFIX) and len(value) <= len(ED25519_PREFIX) + 2 * length
            found = base58.b58decode(value.removeprefix(ED25519_PREFIX)) if fits else b""
        except ValueError:
            found = b""
        if len(found) != length or ED25519_PREFIX + base58.b58encode(found).decode() != value:  # the decoder overlooks white space
            raise self._refused(name, f"ed25519: and {length} bytes in base58")
        return found

    def base58_bytes(self, name: str, length: int = 32) -> bytes:
        """A hash: base58 of so many bytes."""
        value = self.text(name)
        try:
            found = base58.b58decode(value) if len(value) <= 2 * length else b""
        except ValueError:
            found = b""
        if len(found) != length or base58.b58encode(found).decode() != value:  # the decoder passes over space at the end
            raise self._refused(name, f"{length} bytes in base58")
        return found

    def items(self, name: str, most: int) -> "Fields":
        """A list of at most so many items, whose names are their numbers; `len` counts them."""
        value = self._value[name]
        if not isinstance(value, list) or len(value) > most:
            raise EvidenceRefused(f"{self.name(name)} is no list of at most {most} items")
        items = {str(number): item for number, item in enumerate(value)}
        return Fields(self.name(name), items, tuple(items))

    def __len__(self) -> int:
        return len(self._value)

    def choice(self, name: str, kind: type[_E]) -> _E:
        """One of the words of an enumeration."""
        try:
            return kind(self.text(name))
        except ValueError:
            raise self._refused(name, " or ".join(kind)) from None

    def is_exactly(self, name: str, expected: str) -> None:
        """Refuse any other text."""
        if self._value[name] != expected:
            raise self._refused(name, repr(expected))

    def _refused(self, name: str, expected: str) -> EvidenceRefused:
        return EvidenceRefused(f"{self.name(name)} is {_shown(self._value[name])}; {expected} is needed")


def _shown(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN_CHARS else text[:_MAX_SHOWN_CHARS] + "…"
