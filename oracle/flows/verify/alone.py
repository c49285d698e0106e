"""A quote by itself: checks 5 to 9 on its machine, and 12 where the policy names measurements. What it is for, nobody can tell from it."""

from dataclasses import dataclass, replace

from oracle.errors import EvidenceRefused
from oracle.flows.verify.attested import NO_COLLATERAL, check_measurements, check_platform, read_collateral
from oracle.flows.verify.check import Check, failed, not_reached, passed
from oracle.flows.verify.report import Report, Subject
from oracle.flows.verify.rules import THERE_IS_A_QUOTE
from oracle.flows.verify.terms import Terms
from oracle.model import QuoteReport, Tcb
from oracle.tee.quote import parse_quote, read_quote


@dataclass(frozen=True, slots=True)
class QuoteAlone:
    """The report, and what the quote says where it could be read; `tcb` where it verified."""

    report: Report
    quoted: QuoteReport | None = None
    tcb: Tcb | None = None


def check_quote_alone(given: bytes, terms: Terms) -> QuoteAlone:
    """Judge a quote that is given raw, in hex or in base64; `terms.at_s` None is now."""
    at_s = terms.now_s if terms.at_s is None else terms.at_s
    expected = "a quote, raw, in hex or in base64"
    try:
        quote = parse_quote(read_quote(given))
    except EvidenceRefused as refusal:
        unread = tuple(not_reached(number, "the quote cannot be read") for number in range(6, 10))
        return QuoteAlone(_report((replace(failed(5, str(refusal), expected), told_as=THERE_IS_A_QUOTE), *unread), at_s, terms))
    seen = f"a quote of {quote.report.kind}, version {quote.report.version}, {len(quote.raw):,} bytes"
    there = replace(passed(5, seen, expected), told_as=THERE_IS_A_QUOTE)
    collateral = NO_COLLATERAL if terms.collateral_json is None else read_collateral(terms.collateral_json)
    platform = check_platform(quote, collateral, at_s, terms.root, terms.policy)
    software = check_measurements(platform.verified, at_s, terms.policy) if terms.policy.measurements else None
    checks = (there, *platform.checks, *(() if software is None else (software,)))
    return QuoteAlone(_report(checks, at_s, terms), quote.report, None if platform.verified is None else platform.verified.tcb)


def _report(checks: tuple[Check, ...], at_s: int, terms: Terms) -> Report:
    return Report(Subject(at_s=at_s), checks, None, terms.root.sha256_hex, terms.root.is_test, terms.policy.sha256_hex)
