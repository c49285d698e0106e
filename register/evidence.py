"""
Evidence for a registration: a quote over what must be bound, collateral for it, and both verified here before any gas is spent.

The contract judges the same quote with the same rules; who is refused here would have been refused there.
"""

from dataclasses import dataclass, field
from typing import Protocol

from oracle.errors import EvidenceRefused
from oracle.model import AppIdentity, Attestation, Measurements, VerifiedQuote
from oracle.tee.collateral import Collateral, moment
from oracle.tee.eventlog import EventLog
from oracle.tee.policy import Policy
from oracle.tee.quote import parse_quote
from oracle.tee.root import Root
from oracle.tee.verify import verify_quote
from register.telling import Step, Tell, Told


class AskForQuotes(Protocol):
    """The machine's socket."""

    @property
    def endpoint(self) -> str:
        """Where it is."""
        ...

    async def quote(self, report_data: bytes) -> Attestation:
        """
        A quote with this REPORTDATA (64 bytes) and its event log.

        Raises:
            TeeUnavailable, EvidenceRefused
        """
        ...


class FindCollateral(Protocol):
    """Where collateral comes from."""

    async def for_quote(self, raw: bytes) -> Collateral:
        """
        Collateral of a quote's platform, good now.

        Raises:
            TeeUnavailable, EvidenceRefused
        """
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quote that verifies, and what it was verified with. `at_s`: the Unix time at which it was."""

    quote: bytes = field(repr=False)
    collateral: Collateral
    verified: VerifiedQuote
    measurements: Measurements
    identity: AppIdentity
    at_s: int


@dataclass(frozen=True, slots=True)
class Judge:
    """Whose signature counts, and which rules."""

    root: Root
    policy: Policy

    def check(self, raw: bytes, collateral: Collateral, at_s: int, identity: AppIdentity) -> VerifiedQuote:
        """
        Verify a quote and apply every rule.

        Raises:
            EvidenceRefused: it does not verify, or a rule does not hold; each is named with what was seen and expected.
        """
        verified = verify_quote(raw, collateral, at_s, self.root)
        bad = [finding for finding in self.policy.judge(verified, at_s, identity) if not finding.ok]
        if bad:
            told = "; ".join(f"{finding.name} is {finding.seen}, expected {finding.expected}" for finding in bad)
            raise EvidenceRefused(f"the policy refuses the quote: {told}")
        return verified


@dataclass(frozen=True, slots=True)
class Witness:
    """Who speaks for this machine, and who judges what is said."""

    socket: AskForQuotes
    source: FindCollateral
    judge: Judge

    async def evidence(self, report_data: bytes, at_s: int, tell: Tell) -> Evidence:
        """
        Ask the machine and the collateral service, and judge what they say.

        Raises:
            TeeUnavailable: one of them does not answer.
            EvidenceRefused: what one of them says does not hold.
        """
        attestation = await self.socket.quote(report_data)
        tell(Told(Step.SOCKET, f"{self.socket.endpoint} answers", (("endpoint", self.socket.endpoint),)))
        log = EventLog.from_json(attestation.event_log)
        tell(Told(Step.QUOTE, f"{len(attestation.quote):,} bytes over {report_data.hex()}", (("report_data", report_data.hex()),)))
        collateral = await self.source.for_quote(attestation.quote)
        tell(_collateral_told(collateral))
        measurements = _measurements(attestation.quote, report_data)
        identity = log.app_identity(measurements)
        verified = self.judge.check(attestation.quote, collateral, at_s, identity)
        tell(_checks_told(verified, identity))
        return Evidence(attestation.quote, collateral, verified, measurements, identity, at_s)


def _measurements(raw: bytes, report_data: bytes) -> Measurements:
    """Of a quote over exactly these bytes."""
    report = parse_quote(raw).report
    if report.report_data != report_data:
        raise EvidenceRefused(f"the quote is over {report.report_data.hex()}; {report_data.hex()} was asked for")
    if report.measurements is None:
        raise EvidenceRefused(f"the quote is of {report.kind}; only a TDX machine registers")
    return report.measurements


def _collateral_told(collateral: Collateral) -> Told:
    facts = (
        ("fmspc", collateral.fmspc.hex()),
        ("evaluation_data_number", str(collateral.evaluation_data_number)),
        ("issued", moment(collateral.issued_s)),
        ("valid_until", moment(collateral.valid_until_s)),
        ("sha256", collateral.sha256_hex),
    )
    return Told(Step.COLLATERAL, f"of platform {collateral.fmspc.hex()}, good until {moment(collateral.valid_until_s)}", facts)


def _checks_told(verified: VerifiedQuote, identity: AppIdentity) -> Told:
    facts = (
        ("tcb_status", verified.tcb.status),
        ("advisories", " ".join(verified.tcb.advisory_ids)),
        ("app_id", identity.app_id),
        ("compose_hash", identity.compose_hash),
        ("root_sha256", verified.root_sha256_hex),
        ("test_root", str(verified.test_root).lower()),
    )
    under = "a TEST root, which proves nothing about any hardware" if verified.test_root else "Intel's root"
    return Told(Step.CHECKS, f"the quote verifies under {under}; TCB {verified.tcb.status}, app {identity.app_id}", facts)
