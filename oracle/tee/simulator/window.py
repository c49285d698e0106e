"""A span of time in which something is valid, in seconds since 1970."""

from dataclasses import dataclass
from datetime import UTC, datetime

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """From `start_s` to `end_s`, both within."""

    start_s: int
    end_s: int

    @classmethod
    def around(cls, now_s: int, days: int = 30) -> "Window":
        """Issued an hour ago, so that a clock a little behind takes it too."""
        return cls(now_s - 3600, now_s - 3600 + days * DAY_S)

    @property
    def start(self) -> datetime:
        """For certificates, which take a naive time in UTC."""
        return datetime.fromtimestamp(self.start_s, UTC).replace(tzinfo=None)

    @property
    def end(self) -> datetime:
        """See `start`."""
        return datetime.fromtimestamp(self.end_s, UTC).replace(tzinfo=None)


def iso_time(time_s: int) -> str:
    """As Intel's documents write it: `2025-06-19T10:16:03Z`."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
