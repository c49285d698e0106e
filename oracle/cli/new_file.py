"""A file that appears whole or not at all, and takes no other one's place unless told to."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path


def write_new(path: Path, data: bytes, *, replaces: bool) -> None:
    """
    Write a file beside its place, and move it there when it is on the disk.

    Raises:
        OSError: it cannot be written; FileExistsError: there is one, which may not be replaced.
    """
    if replaces and not may_replace(path):
        raise FileExistsError(errno.EEXIST, "it is no plain file", str(path))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new.", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o666 & ~_umask())  # by its name it might be another's by now
            if replaces:
                Path(file.name).replace(path)
            else:
                _link(file.name, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                Path(file.name).unlink()


def may_replace(path: Path) -> bool:
    """Devices and pipes are somebody's who needs them (root could lose /dev/null), and a link may be somebody else's doing."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return True


def _link(name: str, path: Path) -> None:
    """Unlike a move it never takes another file's place."""
    try:
        os.link(name, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        Path(name).replace(path)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
