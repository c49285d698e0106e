"""One thing that was looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and what to do about it (None when it is well)."""

    name: str
    verdict: Verdict
    found: str
    mend: str | None = None


def ok(name: str, found: str) -> Check:
    """It is well."""
    return Check(name, Verdict.OK, found)


def warn(name: str, found: str, mend: str) -> Check:
    """It works, and could bite."""
    return Check(name, Verdict.WARN, found, mend)


def fail(name: str, found: str, mend: str) -> Check:
    """The worker cannot do its work."""
    return Check(name, Verdict.FAIL, found, mend)
