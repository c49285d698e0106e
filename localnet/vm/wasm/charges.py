"""
Points where a function pays for its instructions, and which of them are one.

Instructions that cannot be seen from outside pay together in front of the first of them; one that may trap, branch or
call ends such a run, because then the gas must be exact. Points and sums are finite-wasm's, so that gas is nearcore's
also at a trap and at exhaustion in mid-function.

Source: finite-wasm 0.6, `gas` and `gas::optimize`.
"""

from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """What a point stands before or after; decides what it may merge with."""

    PURE = 0
    DEAD = 1
    BEFORE = 2
    """Before an instruction that can be seen, or a branch target."""
    AFTER = 3
    BETWEEN = 4
    LINEAR = 5
    """Before an instruction whose price depends on its operand."""


@dataclass(slots=True)
class Point:
    """`cost` gas is due at `offset`."""

    offset: int
    kind: Kind
    cost: int


_AT_ONE_PLACE = {
    (Kind.PURE, Kind.PURE): Kind.PURE,
    (Kind.PURE, Kind.BEFORE): Kind.BEFORE,
    (Kind.PURE, Kind.AFTER): Kind.AFTER,
    (Kind.BEFORE, Kind.BEFORE): Kind.BEFORE,
    (Kind.BEFORE, Kind.PURE): Kind.BEFORE,
    (Kind.AFTER, Kind.AFTER): Kind.AFTER,
    (Kind.AFTER, Kind.PURE): Kind.AFTER,
}
_ACROSS = {
    (Kind.PURE, Kind.PURE): Kind.PURE,
    (Kind.DEAD, Kind.DEAD): Kind.DEAD,
    (Kind.AFTER, Kind.BEFORE): Kind.BETWEEN,
    (Kind.PURE, Kind.BEFORE): Kind.BEFORE,
    (Kind.AFTER, Kind.PURE): Kind.AFTER,
}


def _merge_at_one_place(first: Kind, second: Kind) -> Kind:
    if Kind.DEAD in (first, second):
        return Kind.DEAD
    if second is Kind.LINEAR:
        return second
    return _AT_ONE_PLACE.get((first, second), Kind.BETWEEN)


def merge(points: list[Point]) -> list[Point]:
    """Join what falls on one place, then what no instruction between could observe."""
    placed: list[Point] = []
    for point in points:
        last = placed[-1] if placed else None
        if last is not None and last.offset == point.offset:
            last.kind = _merge_at_one_place(last.kind, point.kind)
            last.cost += point.cost
        else:
            placed.append(point)
    merged: list[Point] = []
    for point in placed:
        kind = _ACROSS.get((merged[-1].kind, point.kind)) if merged else None
        if kind is None:
            merged.append(point)
        else:
            merged[-1].kind = kind
            merged[-1].cost += point.cost
    return merged
