"""
Whether two JSON texts are spellings of one value: contracts that read JSON into a tree hand it on without its white space, with their own
spelling of numbers and their own order of keys.

Numbers are compared as they are written, digit by digit, and not as floats, which would make some that differ the same. A text with a key
that is there twice has no value: readers differ in which one they take.
"""

import json
import math
from decimal import Decimal
from typing import Any

from oracle.model.nesting import depth_of

MAX_DEPTH = 128
"""As far as serde_json follows."""


def read_value(text: bytes) -> Any:
    """
    Read JSON with its numbers as decimals.

    Raises:
        ValueError: it is no JSON, is nested deeper than contracts read, or has a key twice.
    """
    try:
        value = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse, object_pairs_hook=_members)
    except (ArithmeticError, RecursionError) as error:
        raise ValueError(f"JSON that cannot be read ({type(error).__name__})") from error
    if depth_of(value) > MAX_DEPTH:
        raise ValueError(f"JSON nested deeper than {MAX_DEPTH} levels")
    return value


def same_value(one: Any, other: Any) -> bool | None:
    """
    Whether both are the same, as `read_value` gives them.

    None: they are as far as a double goes, and some number differs beyond; who keeps numbers as doubles cannot have told them apart.
    """
    return True if _same(one, other, exactly=True) else None if _same(one, other, exactly=False) else False


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is there twice")
    return members


def _same(one: Any, other: Any, *, exactly: bool) -> bool:
    if type(one) is not type(other):  # Python takes true for 1
        return False
    match one:
        case Decimal():
            return bool(one == other) or (not exactly and _same_double(one, other))
        case dict():
            return one.keys() == other.keys() and all(_same(value, other[key], exactly=exactly) for key, value in one.items())
        case list():
            return len(one) == len(other) and all(_same(left, right, exactly=exactly) for left, right in zip(one, other, strict=True))
        case _:
            return bool(one == other)


def _same_double(one: Decimal, other: Decimal) -> bool:
    return math.isfinite(float(one)) and float(one) == float(other)
