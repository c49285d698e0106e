"""How much memory this machine gives its processes."""

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

SHARE_FOR_GUESTS: Final = 0.75
"""The rest is for worker, compiler, page cache and whatever else runs here."""


def memory_for_guests_bytes() -> int:
    """What all guests together may reach when nobody says otherwise."""
    return int(SHARE_FOR_GUESTS * machine_memory_bytes())


def machine_memory_bytes(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """
    Physical memory, or the limit of our control group or of one above it, whichever is least.

    Source: cgroups(7), /proc/PID/cgroup: `0::PATH` (version 2, memory.max), `N:memory:PATH` (version 1, memory.limit_in_bytes).
    """
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with suppress(OSError, UnicodeDecodeError):
        for line in (proc / "self" / "cgroup").read_text("utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                limits += _limits(cgroups, path, "memory.max")
            elif "memory" in controllers.split(","):
                limits += _limits(cgroups / "memory", path, "memory.limit_in_bytes")
    return min(limits)


def _limits(root: Path, path: str, name: str) -> list[int]:
    """From our group up to the root; a container sees its own group as the root, and may be told a path that it has not."""
    own = PurePosixPath(path.lstrip("/"))
    found = []
    for group in (own, *own.parents):
        with suppress(OSError, ValueError):  # no such file, or `max`
            found.append(int((root / group / name).read_text("ascii")))
    return [limit for limit in found if limit > 0]
