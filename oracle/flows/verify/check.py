"""One check made: what was seen, what was expected, and what follows."""

from dataclasses import dataclass
from enum import StrEnum

from oracle.flows.verify.rules import BY_NUMBER, Rule


class Verdict(StrEnum):
    """UNKNOWN: what would tell was not given, or the policy does not say."""

    PASS = "PASS"  # noqa: S105  ruff takes it for a password
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Check:
    """
    A check with its result; both texts may hold what strangers wrote.

    `mend`: what would make it pass, where somebody can do something. `is_needed`: whether nothing is proven while it is UNKNOWN.
    `told_as`: another title than its number's, where what is judged is no bundle.
    """

    number: int
    verdict: Verdict
    seen: str
    expected: str
    mend: str | None = None
    is_needed: bool = True
    told_as: Rule | None = None

    @property
    def rule(self) -> Rule:
        """Its title, its group and why it is made."""
        return self.told_as or BY_NUMBER[self.number]

    @property
    def leaves_open(self) -> bool:
        """Whether it keeps the group from being proven without speaking against it."""
        return self.verdict is Verdict.UNKNOWN and self.is_needed


def passed(number: int, seen: str, expected: str) -> Check:
    """It holds."""
    return Check(number, Verdict.PASS, seen, expected)


def failed(number: int, seen: str, expected: str, mend: str | None = None) -> Check:
    """The evidence contradicts it."""
    return Check(number, Verdict.FAIL, seen, expected, mend)


def unknown(number: int, seen: str, expected: str, mend: str | None = None, *, is_needed: bool = True) -> Check:
    """It cannot be told."""
    return Check(number, Verdict.UNKNOWN, seen, expected, mend, is_needed)


def judged(number: int, seen: str, expected: str, *, ok: bool) -> Check:
    """Passed or failed."""
    return passed(number, seen, expected) if ok else failed(number, seen, expected)


def not_reached(number: int, reason: str) -> Check:
    """An earlier check left nothing to look at."""
    return unknown(number, f"not reached: {reason}", "an answer to what comes before")
