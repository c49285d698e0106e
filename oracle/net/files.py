"""file:// sources, for the local chain: regular files, bounded."""

import os
import stat

from oracle.errors import SourceRefused, SourceUnavailable
from oracle.net.body import too_long


def read_file(path: str, max_bytes: int) -> bytes:
    """
    A regular file's bytes; blocks, so it runs in a thread.

    Raises:
        SourceRefused: a directory, device or pipe, or too long.
        SourceUnavailable: not there, or not readable.
    """
    try:
        # O_NONBLOCK: opening a pipe without a writer would wait for one
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise SourceUnavailable(f"The file {path[:200]!r} cannot be read: {reason}.") from error
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise SourceRefused(f"{path[:200]!r} is not a regular file.")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            body = b"" if about.st_size > max_bytes else file.read(max_bytes + 1)
    finally:
        os.close(descriptor)
    if max(about.st_size, len(body)) > max_bytes:
        raise too_long(f"The file {path[:200]!r}", max_bytes)
    return body
