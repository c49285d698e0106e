"""
Logs: one event name and key/values, for people or as JSON lines, on stderr.

Rules: known secrets are cut out of the finished line, wherever in it they came from (a value, a URL inside an error's text, a traceback);
stdout belongs to the commands' answers; a log line is never parsed by us, and one that cannot be written stops nothing.
"""

import contextlib
import logging
import sys
from collections.abc import Iterable
from typing import Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[secret]"
_MIN_SECRET_CHARS = 8  # shorter texts would be cut out of innocent words
_LEVELS = logging.getLevelNamesMapping()

_secrets: set[str] = set()


def keep_secret(texts: Iterable[str]) -> None:
    """From now on these texts never show in a line; a key is kept secret with and without its curve's prefix."""
    for text in texts:
        for form in (text, text.removeprefix("ed25519:")):
            if len(form) >= _MIN_SECRET_CHARS:
                _secrets.add(form)


def redact(text: str) -> str:
    """The text without any known secret."""
    for secret in sorted(_secrets, key=len, reverse=True):  # the longest first: one may hold another
        text = text.replace(secret, REDACTED)
    return text


def redact_line(_logger: WrappedLogger, _method: str, line: str | bytes | EventDict) -> str:
    """Last processor: what was rendered, without secrets."""
    return redact(str(line))


class _Lenient:
    """Lines that cannot be written are lost: a full disk, or a terminal that is gone, must not end the work that a line is about."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def configure_logging(log_format: Literal["console", "json"], log_level: str, stream: TextIO | None = None) -> None:
    """Set up structlog and the libraries' stdlib loggers alike; may be called again."""
    out = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[*shared, renderer, redact_line],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[log_level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Lenient(out))),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer, redact_line],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(_LEVELS[log_level.upper()], logging.WARNING))  # libraries speak up only when something is wrong
