"""Files that several processes share: each appears whole or not at all, and may go away at any moment."""

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

UNFINISHED = ".new-"
"""How the names of files begin that are being written."""


def write_whole(path: Path, *parts: bytes) -> None:
    """Write beside, flush to the disk, then rename: a crash leaves the old file or the new one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def oldest_first(paths: Iterable[Path]) -> list[tuple[int, int, Path]]:
    """Time of last use in ns, size in bytes and path; without those that another thread or process takes away meanwhile."""
    found = []
    for path in paths:
        with suppress(FileNotFoundError):
            about = path.stat()
            found.append((about.st_mtime_ns, about.st_size, path))
    return sorted(found)
