"""
Objects of others' JSON that may hold more than we know: Intel's TCB information, dstack's event log and answers.

What we write ourselves is read by `oracle.tee.fields`, which takes no unknown member.
"""

import re

from oracle.errors import EvidenceRefused
from oracle.tee.canonical import Json, read_strict

MAX_DEPTH = 16
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
Members = dict[str, Json]


def read_members(text: str, what: str, *, max_bytes: int) -> Members:
    """
    The object in a text; `what` is how a refusal names it.

    Raises:
        EvidenceRefused: as `read_strict`; or it is no object.
    """
    return as_members(read_value(text, what, max_bytes=max_bytes), what)


def read_value(text: str, what: str, *, max_bytes: int) -> Json:
    """The same for any value."""
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise EvidenceRefused(f"{what} has half a surrogate pair") from error
    return read_strict(raw, what=what, max_bytes=max_bytes, max_depth=MAX_DEPTH)


def as_members(value: Json, what: str) -> Members:
    """A value that has to be an object."""
    if not isinstance(value, dict):
        raise EvidenceRefused(f"{what} is no JSON object")
    return value


def text_of(members: Members, name: str, what: str) -> str:
    """A member that has to be a string."""
    value = members.get(name)
    if not isinstance(value, str):
        raise EvidenceRefused(f"{what} has no text {name!r}")
    return value


def number_of(members: Members, name: str, what: str, *, most: int = 2**32 - 1) -> int:
    """A member that has to be an integer from 0 to `most`."""
    value = members.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise EvidenceRefused(f"{what} has no whole number {name!r} from 0 to {most:,}")
    return value


def hex_of(members: Members, name: str, what: str, *, size: int | None = None) -> bytes:
    """A member that has to be bytes in hex; `size`: how many."""
    text = text_of(members, name, what)
    if not _HEX.fullmatch(text):
        raise EvidenceRefused(f"{name!r} of {what} is not hex, two digits a byte")
    if size is not None and len(text) != 2 * size:
        raise EvidenceRefused(f"{name!r} of {what} has {len(text) // 2} bytes; {size} are expected")
    return bytes.fromhex(text)
