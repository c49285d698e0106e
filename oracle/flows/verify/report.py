"""All checks of a bundle, and the verdict that follows from them alone."""

from dataclasses import dataclass
from enum import StrEnum

from oracle.flows.verify.check import Check, Verdict
from oracle.flows.verify.rules import Group


class Overall(StrEnum):
    """
    PROVEN: every needed check holds. FAILED: one is contradicted. UNPROVEN: none is contradicted, and something needed could not be told.
    """

    PROVEN = "PROVEN"
    FAILED = "FAILED"
    UNPROVEN = "UNPROVEN"


@dataclass(frozen=True, slots=True)
class Subject:
    """What was verified, for who reads the report; None where the bundle could not be read."""

    receipt_sha256_hex: str | None = None
    request_id: int | None = None
    contract_id: str | None = None
    worker_id: str | None = None
    at_s: int | None = None
    """The moment for which certificates and lists were judged, Unix time."""


@dataclass(frozen=True, slots=True)
class Report:
    """
    The checks in order. `chain` is None where only the bundle itself was asked about, `owner` where no node of an EVM chain was named.

    `test_root`: the root that was trusted is not Intel's, so that PROVEN says nothing about any hardware.
    """

    subject: Subject
    offline: tuple[Check, ...]
    chain: tuple[Check, ...] | None
    root_sha256_hex: str
    test_root: bool
    policy_sha256_hex: str
    owner: tuple[Check, ...] | None = None

    @property
    def checks(self) -> tuple[Check, ...]:
        """Of all groups."""
        return self.offline + (self.owner or ()) + (self.chain or ())

    @property
    def verdict(self) -> Overall:
        """Of everything that was asked about."""
        return verdict_of(self.checks)

    @property
    def decided_by(self) -> Check | None:
        """The first check that stands against PROVEN."""
        return deciding(self.checks)

    def verdict_of(self, group: Group) -> Overall | None:
        """Of one group; None where it was not asked about."""
        checks = self.of(group)
        return None if checks is None else verdict_of(checks)

    def of(self, group: Group) -> tuple[Check, ...] | None:
        """The checks of one group; None where it was not asked about."""
        return {Group.OFFLINE: self.offline, Group.OWNER: self.owner, Group.CHAIN: self.chain}[group]


def verdict_of(checks: tuple[Check, ...]) -> Overall:
    """What checks say together; nothing at all proves nothing."""
    if any(check.verdict is Verdict.FAIL for check in checks):
        return Overall.FAILED
    if not checks or any(check.leaves_open for check in checks):
        return Overall.UNPROVEN
    return Overall.PROVEN


def deciding(checks: tuple[Check, ...]) -> Check | None:
    """The first contradiction, else the first that is open and needed."""
    contradicted = next((check for check in checks if check.verdict is Verdict.FAIL), None)
    return contradicted or next((check for check in checks if check.leaves_open), None)
