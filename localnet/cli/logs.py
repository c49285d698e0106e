"""What goes wrong, on stderr: answers go to stdout, where a program reads them line by line."""

import contextlib
import sys
from typing import TextIO, cast

import structlog


def configure_logs(stream: TextIO | None = None) -> None:
    """Tell it there; may be called again."""
    out = _Lenient(sys.stderr if stream is None else stream)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(cast("TextIO", out)))


class _Lenient:
    """Lines that cannot be written are lost: they tell of a full disk, and may be on their way to the same one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()
