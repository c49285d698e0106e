"""
What a verifier accepts of a quote that verifies: the rules of one file, judged one by one with the value seen and the value expected.

The policy's digest is in receipts and in a registration's quote, so that who relaxes a rule says so. Order and spelling of the file do not
change it; a default that is written out does not either.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from oracle.model import AppIdentity, Measurements, VerifiedQuote
from oracle.model.tee import MEASUREMENT_NAMES
from oracle.tee.canonical import canonical_bytes
from oracle.tee.collateral import moment

ANY = "*"
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule applied. `ok` is None where it cannot be told, because what it asks about was not given."""

    name: str
    seen: str
    expected: str
    ok: bool | None


@dataclass(frozen=True, slots=True)
class AcceptedMeasurements:
    """One accepted software; `rtmr3_hex` is None where every instance of it has another one. 96 hex digits each."""

    mrtd_hex: str
    rtmr0_hex: str
    rtmr1_hex: str
    rtmr2_hex: str
    rtmr3_hex: str | None = None

    def registers_hex(self) -> tuple[str | None, ...]:
        """In the order of `MEASUREMENT_NAMES`."""
        return (self.mrtd_hex, self.rtmr0_hex, self.rtmr1_hex, self.rtmr2_hex, self.rtmr3_hex)

    def covers(self, measurements: Measurements) -> bool:
        """Whether a machine runs this software."""
        seen = measurements.hex_fields().values()
        return all(wanted in (None, value) for wanted, value in zip(self.registers_hex(), seen, strict=True))


@dataclass(frozen=True)
class Policy:
    """
    The rules. An empty tuple accepts nothing in `tcb_statuses` and `advisories`; elsewhere it asks for nothing.

    `advisories` may be `("*",)`: any. A key provider is `NAME` or `NAME:ID`. `two_nodes`: a request is believed when two independent RPC
    nodes agree on it.
    """

    DEFAULT: ClassVar["Policy"]

    tcb_statuses: tuple[str, ...] = ("UpToDate",)
    advisories: tuple[str, ...] = ()
    max_age_days: int = 30
    min_evaluation_data_number: int = 0
    max_evaluation_data_number: int | None = None
    measurements: tuple[AcceptedMeasurements, ...] = ()
    compose_hashes: tuple[str, ...] = ()
    os_image_hashes: tuple[str, ...] = ()
    key_providers: tuple[str, ...] = ()
    two_nodes: bool = True

    @classmethod
    def from_file(cls, path: Path | None) -> "Policy":
        """
        The policy of a file; None: the default.

        Raises:
            ConfigurationError: the file cannot be read or holds something else, one line for each problem.
        """
        from oracle.tee.policy_file import read_policy  # noqa: PLC0415  it makes Policies, and so imports this module

        return cls.DEFAULT if path is None else read_policy(path)

    def document(self) -> dict[str, object]:
        """All rules, as they are hashed and shown."""
        return {
            "schema": "nco/policy/v1",
            "tcb": {"statuses": sorted(self.tcb_statuses), "advisories": sorted(self.advisories)},
            "collateral": {
                "max_age_days": self.max_age_days,
                "min_evaluation_data_number": self.min_evaluation_data_number,
                "max_evaluation_data_number": self.max_evaluation_data_number,
            },
            "measurements": [
                dict(zip(MEASUREMENT_NAMES, one.registers_hex(), strict=True))
                for one in sorted(self.measurements, key=lambda one: [register or "" for register in one.registers_hex()])
            ],
            "app": {
                "compose_hashes": sorted(self.compose_hashes),
                "os_image_hashes": sorted(self.os_image_hashes),
                "key_providers": sorted(self.key_providers),
            },
            "chain": {"two_nodes": self.two_nodes},
        }

    @cached_property
    def sha256_hex(self) -> str:
        """Digest of the rules: SHA-256 of `document()` in canonical form (RFC 8785)."""
        return hashlib.sha256(canonical_bytes(self.document())).hexdigest()

    def judge(self, verified: VerifiedQuote, at_s: int, identity: AppIdentity | None = None) -> tuple[Finding, ...]:
        """
        Apply every rule that asks for something.

        `at_s`: the moment at which the collateral's age counts. `identity`: from the quote's event log; None where there was none.
        """
        return (
            self._status(verified),
            self._advisories(verified),
            self._age(verified, at_s),
            self._evaluation_number(verified),
            *self._measurements(verified),
            *self._app(identity),
        )

    def accepts(self, verified: VerifiedQuote, at_s: int, identity: AppIdentity | None = None) -> bool:
        """Whether all findings are good."""
        return all(finding.ok for finding in self.judge(verified, at_s, identity))

    def _status(self, verified: VerifiedQuote) -> Finding:
        status = verified.tcb.status
        return Finding("tcb.status", status, _one_of(self.tcb_statuses), status in self.tcb_statuses)

    def _advisories(self, verified: VerifiedQuote) -> Finding:
        seen = verified.tcb.advisory_ids
        ok = ANY in self.advisories or set(seen) <= set(self.advisories)
        expected = "any" if ANY in self.advisories else f"none but {', '.join(self.advisories)}" if self.advisories else "none"
        return Finding("tcb.advisories", ", ".join(seen) or "none", expected, ok)

    def _age(self, verified: VerifiedQuote, at_s: int) -> Finding:
        issued_s = verified.collateral_issued_s
        age_s = at_s - issued_s
        seen = f"issued {moment(issued_s)}, {age_s / _DAY_S:.1f} days before {moment(at_s)}"
        return Finding("collateral.age", seen, f"at most {self.max_age_days} days", 0 <= age_s <= self.max_age_days * _DAY_S)

    def _evaluation_number(self, verified: VerifiedQuote) -> Finding:
        number, least, most = verified.tcb.evaluation_data_number, self.min_evaluation_data_number, self.max_evaluation_data_number
        expected = f"{least} or more" if most is None else f"{least} to {most}"
        return Finding("collateral.evaluation_data_number", str(number), expected, least <= number and (most is None or number <= most))

    def _measurements(self, verified: VerifiedQuote) -> tuple[Finding, ...]:
        if not self.measurements:
            return ()
        expected = f"one of {len(self.measurements)} in the policy"
        measured = verified.report.measurements
        if measured is None:
            return (Finding("measurements", f"a quote of {verified.report.kind}, which has none", expected, ok=False),)
        seen = " ".join(f"{name}={value}" for name, value in measured.hex_fields().items())
        return (Finding("measurements", seen, expected, any(one.covers(measured) for one in self.measurements)),)

    def _app(self, identity: AppIdentity | None) -> tuple[Finding, ...]:
        provider = None if identity is None else (identity.key_provider_name, f"{identity.key_provider_name}:{identity.key_provider_id}")
        rules = (
            ("app.compose_hash", self.compose_hashes, None if identity is None else (identity.compose_hash,)),
            ("app.os_image_hash", self.os_image_hashes, None if identity is None else (identity.os_image_hash or "",)),
            ("app.key_provider", self.key_providers, provider),
        )
        return tuple(_listed(name, accepted, seen) for name, accepted, seen in rules if accepted)


Policy.DEFAULT = Policy()


def _listed(name: str, accepted: tuple[str, ...], seen: tuple[str, ...] | None) -> Finding:
    """`seen`: the spellings of one value, the fullest last."""
    if seen is None:
        return Finding(name, "no event log that says", _one_of(accepted), ok=None)
    return Finding(name, seen[-1] or "the event log does not say", _one_of(accepted), any(one in accepted for one in seen))


def _one_of(accepted: tuple[str, ...]) -> str:
    return accepted[0] if len(accepted) == 1 else f"one of {', '.join(accepted)}" if accepted else "nothing is accepted"
