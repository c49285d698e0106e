"""
What the meter must know of an instruction: how long it is, what it does to the operand stack, whether it can be seen from outside.

Only instructions a NEAR contract may use are here: MVP, sign extension, saturating conversion, bulk memory, reference types.
Source: WebAssembly core specification; finite-wasm 0.6 `instruction_categories`.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

I32, I64, F32, F64, FUNCREF, EXTERNREF = 0x7F, 0x7E, 0x7D, 0x7C, 0x70, 0x6F
SIZE_OF: Final = {I32: 4, I64: 8, F32: 4, F64: 8, FUNCREF: 8, EXTERNREF: 8}
"""Bytes a value takes on the modelled stack."""

UNREACHABLE, BLOCK, LOOP, IF, ELSE, END = 0x00, 0x02, 0x03, 0x04, 0x05, 0x0B
BR, BR_IF, BR_TABLE, RETURN = 0x0C, 0x0D, 0x0E, 0x0F
CALL, CALL_INDIRECT, LOCAL_GET, GLOBAL_GET, REF_FUNC, PREFIX = 0x10, 0x11, 0x20, 0x23, 0xD2, 0xFC


class Operand(Enum):
    """What follows the opcode."""

    NONE = 0
    LEB = 1
    TWO_LEBS = 2
    FOUR_BYTES = 4
    EIGHT_BYTES = 8
    TYPES = 9
    SPECIAL = 10
    """The meter reads it itself."""


@dataclass(frozen=True, slots=True)
class Op:
    """An instruction with a fixed effect on the operand stack."""

    operand: Operand
    pops: int = 0
    pushes: int = 0
    """Size of the value pushed; 0 for none. Equal sizes cancel: an addition only pops one."""
    can_be_seen: bool = False
    """It may trap or change what others read: gas must be exact when it runs."""
    is_linear: bool = False
    """Its work, and so its price, depends on the operand on top of the stack."""


def _table() -> dict[int, Op]:
    table = {
        0x01: Op(Operand.NONE),
        0x1A: Op(Operand.NONE, pops=1),
        0x1B: Op(Operand.NONE, pops=2),
        0x1C: Op(Operand.TYPES, pops=2),
        0x21: Op(Operand.LEB, pops=1),
        0x22: Op(Operand.LEB),
        0x24: Op(Operand.LEB, pops=1),
        0x25: Op(Operand.LEB, pops=1, pushes=8, can_be_seen=True),
        0x26: Op(Operand.LEB, pops=2, can_be_seen=True),
        0x3F: Op(Operand.LEB, pushes=4),
        0x40: Op(Operand.LEB, is_linear=True),
        0x41: Op(Operand.LEB, pushes=4),
        0x42: Op(Operand.LEB, pushes=8),
        0x43: Op(Operand.FOUR_BYTES, pushes=4),
        0x44: Op(Operand.EIGHT_BYTES, pushes=8),
        0xD0: Op(Operand.LEB, pushes=8),
        0xD1: Op(Operand.NONE, pops=1, pushes=4),
    }
    loads = {4: (0x28, 0x2A, *range(0x2C, 0x30)), 8: (0x29, 0x2B, *range(0x30, 0x36))}
    for size, codes in loads.items():
        table.update(dict.fromkeys(codes, Op(Operand.TWO_LEBS, pops=1, pushes=size, can_be_seen=True)))
    table.update(dict.fromkeys(range(0x36, 0x3F), Op(Operand.TWO_LEBS, pops=2, can_be_seen=True)))
    table.update(_numeric())
    return table


def _numeric() -> dict[int, Op]:
    unary, binary = Op(Operand.NONE), Op(Operand.NONE, pops=1)
    test, compare = Op(Operand.NONE, pops=1, pushes=4), Op(Operand.NONE, pops=2, pushes=4)
    table = dict.fromkeys((0x45, 0x50), test)
    table.update(dict.fromkeys((*range(0x46, 0x50), *range(0x51, 0x67)), compare))
    table.update(dict.fromkeys((*range(0x67, 0x6A), *range(0x79, 0x7C), *range(0x8B, 0x92), *range(0x99, 0xA0)), unary))
    table.update(dict.fromkeys((*range(0x6A, 0x79), *range(0x7C, 0x8B), *range(0x92, 0x99), *range(0xA0, 0xA7)), binary))
    divisions = (*range(0x6D, 0x71), *range(0x7F, 0x83))
    table.update(dict.fromkeys(divisions, Op(Operand.NONE, pops=1, can_be_seen=True)))
    results = {4: (0xA7, *range(0xA8, 0xAC), *range(0xB2, 0xB7), 0xBC, 0xBE, 0xC0, 0xC1)}
    results[8] = (0xAC, 0xAD, *range(0xAE, 0xB2), *range(0xB7, 0xBC), 0xBD, 0xBF, 0xC2, 0xC3, 0xC4)
    truncations = {*range(0xA8, 0xAC), *range(0xAE, 0xB2)}
    for size, codes in results.items():
        for code in codes:
            table[code] = Op(Operand.NONE, pops=1, pushes=size, can_be_seen=code in truncations)
    return table


OPS: Final = _table()

PREFIXED: Final = {
    **dict.fromkeys(range(4), Op(Operand.NONE, pops=1, pushes=4)),
    **dict.fromkeys(range(4, 8), Op(Operand.NONE, pops=1, pushes=8)),
    8: Op(Operand.TWO_LEBS, pops=3, is_linear=True),
    9: Op(Operand.LEB),
    10: Op(Operand.TWO_LEBS, pops=3, is_linear=True),
    11: Op(Operand.LEB, pops=3, is_linear=True),
    12: Op(Operand.TWO_LEBS, pops=3, is_linear=True),
    13: Op(Operand.LEB),
    14: Op(Operand.TWO_LEBS, pops=3, is_linear=True),
    15: Op(Operand.LEB, pops=2, pushes=4, is_linear=True),
    16: Op(Operand.LEB, pushes=4),
    17: Op(Operand.LEB, pops=3, is_linear=True),
}
"""Instructions after 0xFC: saturating conversions 0-7, bulk memory and tables."""
