"""Error numbers of WASI preview 1 that our calls answer with."""

from enum import IntEnum


class Errno(IntEnum):
    """Source: `errno` in WASI snapshot-01's typenames.witx, in its order."""

    SUCCESS = 0
    BADF = 8
    FAULT = 21
    INVAL = 28
    NOTSUP = 58
    NOTSOCK = 57
    SPIPE = 70
