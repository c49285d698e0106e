"""
Python runs this at its start when this directory is on PYTHONPATH: the wall clock is off by what a shared file says, and may jump.

The file is mapped, so that asking for the time stays as cheap as it is. The monotonic clock is left as it is, as a machine leaves it whose
wall clock is set.
"""

import mmap
import os
import struct
import time
from pathlib import Path

with Path(os.environ["TESTS_CLOCK_OFF_BY"]).open("r+b") as _file:
    _off_by = mmap.mmap(_file.fileno(), 8, access=mmap.ACCESS_READ)
_time, _time_ns = time.time, time.time_ns


def _off_by_ns() -> int:
    return struct.unpack_from("<q", _off_by)[0] * 10**9


time.time = lambda: _time() + _off_by_ns() / 10**9
time.time_ns = lambda: _time_ns() + _off_by_ns()
