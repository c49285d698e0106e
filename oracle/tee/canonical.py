"""
JSON in its canonical form (RFC 8785), and JSON of others read strictly.

What is hashed is the exact bytes, so a document that could be spelled in another way is refused where the canonical form is asked for.
Every reader is bounded in size and depth and takes no duplicate key, no fraction or exponent, no half surrogate pair.
"""

import json
from collections import Counter
from typing import NoReturn

import rfc8785

from oracle.errors import EvidenceRefused
from oracle.model.nesting import depth_of

Json = str | int | bool | None | list["Json"] | dict[str, "Json"]
"""What the strict readers give."""

_MAX_DIGITS = 39
"""Of 2**128 - 1, the longest number of NEAR's."""
_MAX_SHOWN_CHARS = 80


def canonical_bytes(value: object) -> bytes:
    """
    Write a value in canonical form.

    Raises:
        ValueError: it holds something that JSON cannot say, or an integer beyond 2**53 - 1.
    """
    return rfc8785.dumps(value)  # type: ignore[arg-type]


def read_canonical(raw: bytes, *, what: str, max_bytes: int, max_depth: int) -> Json:
    """
    Read a document that is written in canonical form.

    Raises:
        EvidenceRefused: as `read_strict`; or the bytes are not the canonical form of what they say.
    """
    value = read_strict(raw, what=what, max_bytes=max_bytes, max_depth=max_depth)
    try:
        canonical = canonical_bytes(value)
    except ValueError as error:
        raise EvidenceRefused(f"{what} has no canonical form (RFC 8785): {error}") from error
    if canonical != raw:
        where = next((at for at, (seen, wanted) in enumerate(zip(raw, canonical, strict=False)) if seen != wanted), len(canonical))
        raise EvidenceRefused(f"{what} is not in canonical form (RFC 8785): at byte {where} it is written in another way")
    return value


def read_strict(raw: bytes, *, what: str, max_bytes: int, max_depth: int) -> Json:
    """
    Read JSON of others. `what` names it in the refusal; numbers are whole and have at most 39 digits.

    Raises:
        EvidenceRefused: too long, too deep, not UTF-8, not JSON, a key twice in an object, a fraction, half a surrogate pair.
    """
    if len(raw) > max_bytes:
        raise EvidenceRefused(f"{what} has {len(raw)} bytes; at most {max_bytes} are read")
    try:
        text = raw.decode()
        value: Json = json.loads(text, object_pairs_hook=_object, parse_int=_whole, parse_float=_no_number, parse_constant=_no_number)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise EvidenceRefused(f"{what} is nested deeper than {max_depth} levels") from None
    except UnicodeEncodeError:
        raise EvidenceRefused(f"{what} has half a surrogate pair in a string") from None
    except ValueError as error:  # not UTF-8, not JSON, or a refusal of the functions below
        raise EvidenceRefused(f"{what} cannot be read: {error}") from error
    if text.count("[") + text.count("{") > max_depth and depth_of(value) > max_depth:
        raise EvidenceRefused(f"{what} is nested deeper than {max_depth} levels")
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice[:_MAX_SHOWN_CHARS]!r} is there twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits; at most {_MAX_DIGITS} are read")
    return int(digits)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:_MAX_SHOWN_CHARS]} is no whole number")
