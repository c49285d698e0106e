"""A wall clock that tests set, for processes of their own."""

import os
import struct
from pathlib import Path

_HOOK = Path(__file__).parent / "jumping"


class WallClock:
    """`settings`: what a process needs in its environment. Guests have an empty one and keep the machine's clock."""

    def __init__(self, directory):
        self._off_by = Path(directory) / "clock_off_by"
        self._off_by.write_bytes(bytes(8))
        path = os.pathsep.join(filter(None, (str(_HOOK), os.environ.get("PYTHONPATH"))))
        self.settings = {"PYTHONPATH": path, "TESTS_CLOCK_OFF_BY": str(self._off_by)}

    def set(self, off_by_s):
        """So many seconds ahead of the machine's clock, or behind it."""
        with self._off_by.open("r+b") as file:
            file.write(struct.pack("<q", off_by_s))
