"""Checks 5 to 13: the quote, and what it proves of the software under a policy."""

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding

from oracle.errors import EvidenceRefused
from oracle.flows.verify.check import Check, Verdict, failed, judged, not_reached, passed, unknown
from oracle.flows.verify.terms import Terms
from oracle.model import AppIdentity, VerifiedQuote
from oracle.model.receipt import BatchProof
from oracle.tee.bundle import Bundle, BundleAttestation
from oracle.tee.certificates import read_chain
from oracle.tee.collateral import Collateral, moment
from oracle.tee.eventlog import EventLog
from oracle.tee.merkle import root_from_path
from oracle.tee.policy import Finding, Policy
from oracle.tee.quote import Quote, parse_quote
from oracle.tee.receipt import batch_report_data, receipt_report_data
from oracle.tee.root import Root
from oracle.tee.verify import verify_quote

_NUMBERS = range(5, 14)
_UNVERIFIED = "the quote did not verify"


@dataclass(frozen=True, slots=True)
class Attested:
    """
    The checks in order; `verified` is the quote where its signatures led to the root.

    `application`: what the event log names, where the quote verified and the log replays to it.
    """

    checks: tuple[Check, ...]
    is_quoted: bool
    verified: VerifiedQuote | None = None
    application: AppIdentity | None = None


def check_attestation(bundle: Bundle, at_s: int, terms: Terms) -> Attested:
    """Look at the attestation; `at_s` is the moment asked about."""
    expected = "a quote over the receipt, with its event log"
    attestation = bundle.attestation
    if attestation is None:
        mend = "ask a worker that runs with TEE_MODE=tdx; a receipt without a quote is its operator's word"
        rest = (not_reached(number, "there is no quote") for number in _NUMBERS[1:])
        return Attested((unknown(5, "no attestation", expected, mend), *rest), is_quoted=False)
    try:
        quote = parse_quote(attestation.quote.quote)
    except EvidenceRefused as refusal:
        rest = (not_reached(number, "the quote cannot be read") for number in _NUMBERS[1:])
        return Attested((failed(5, str(refusal), expected), *rest), is_quoted=True)
    there = passed(5, f"a quote of {quote.report.kind}, version {quote.report.version}, {len(quote.raw):,} bytes", expected)
    platform = check_platform(quote, _collateral(attestation, terms), at_s, terms.root, terms.policy)
    log = _event_log(attestation, quote)
    software = _software(attestation, platform, log, at_s, terms.policy)
    checks = (there, *platform.checks, _binding(bundle.receipt, attestation.quote.batch, quote), log.check, *software)
    application = None if platform.verified is None else log.identity
    return Attested(checks, is_quoted=True, verified=platform.verified, application=application)


@dataclass(frozen=True, slots=True)
class Platform:
    """Checks 6 to 9, in order."""

    checks: tuple[Check, Check, Check, Check]
    verified: VerifiedQuote | None


def check_platform(quote: Quote, collateral: Collateral | str, at_s: int, root: Root, policy: Policy) -> Platform:
    """
    Judge the machine that a quote is of, not its software.

    `collateral`: a text says why there is none that can be read.
    """
    debug = judged(9, "debug" if quote.report.debug else "off", "off", ok=not quote.report.debug)
    expected = f"signatures up to the root {root.sha256_hex} at {moment(at_s)}"
    if isinstance(collateral, str):
        return _without_collateral(collateral, expected, debug)
    dates = _dates(collateral, at_s)
    try:
        verified = verify_quote(quote.raw, collateral, at_s, root)
    except EvidenceRefused as refusal:
        if debug.verdict is Verdict.FAIL or dates.verdict is Verdict.FAIL:
            number = 9 if debug.verdict is Verdict.FAIL else 7
            signed = unknown(6, f"not verified, see check {number}: {refusal}", expected)
        else:
            signed = _refused(quote, root, str(refusal), expected)
        return Platform((signed, dates, not_reached(8, _UNVERIFIED), debug), None)
    found = {finding.name: finding for finding in policy.judge(verified, at_s)}
    signed = passed(6, f"root {verified.root_sha256_hex}{', a test root' if verified.test_root else ''}, at {moment(at_s)}", expected)
    age = _from_findings(7, (found["collateral.age"], found["collateral.evaluation_data_number"]), dates)
    status = _from_findings(8, (found["tcb.status"], found["tcb.advisories"]))
    return Platform((signed, age, status, debug), verified)


def _refused(quote: Quote, root: Root, reason: str, expected: str) -> Check:
    """Somebody who forgot to name a test root hears of it before what the library stumbled over."""
    try:
        last = read_chain(quote.certification.rstrip(b"\0"), "PCK chain")[-1]
        ends_at = hashlib.sha256(last.public_bytes(Encoding.DER)).hexdigest()
    except (EvidenceRefused, ValueError):
        return failed(6, reason, expected)
    if ends_at == root.sha256_hex:
        return failed(6, reason, expected)
    mend = "name the root that you trust with --root-ca, if it is another than Intel's; a simulator's proves nothing about any hardware"
    return failed(6, f"its certificates end at another root, sha256 {ends_at}: {reason}", expected, mend)


def _without_collateral(reason: str, expected: str, debug: Check) -> Platform:
    missing = reason == NO_COLLATERAL
    mend = "name a file with --collateral, as dcap-qvl or a PCCS gives it for this quote's platform"
    dates = unknown(7, reason, "Intel's collateral of this platform", mend) if missing else failed(7, reason, "collateral that can be read")
    signed = unknown(6, reason, expected, mend) if missing else not_reached(6, "the collateral cannot be read")
    return Platform((signed, dates, not_reached(8, _UNVERIFIED), debug), None)


NO_COLLATERAL = "no collateral"


def _collateral(attestation: BundleAttestation, terms: Terms) -> Collateral | str:
    text = attestation.collateral_json if terms.collateral_json is None else terms.collateral_json
    return NO_COLLATERAL if text is None else read_collateral(text)


def read_collateral(text: str) -> Collateral | str:
    """The collateral, or why it cannot be read."""
    try:
        return Collateral.from_json(text)
    except EvidenceRefused as refusal:
        return str(refusal)


def _dates(collateral: Collateral, at_s: int) -> Check:
    issued, until = max(part.issued_s for part in collateral.parts), collateral.valid_until_s
    seen = f"all parts issued by {moment(issued)} and good until {moment(until)}"
    return judged(7, seen, f"good at {moment(at_s)}", ok=issued <= at_s <= until)


def _from_findings(number: int, findings: tuple[Finding, ...], first: Check | None = None) -> Check:
    """One check of several findings; the worst decides."""
    before = () if first is None else ((first.seen, first.expected),)
    seen = "; ".join([*(seen for seen, _ in before), *(f"{finding.name} {finding.seen}" for finding in findings)])
    expected = "; ".join([*(text for _, text in before), *(f"{finding.name} {finding.expected}" for finding in findings)])
    if any(finding.ok is False for finding in findings) or (first is not None and first.verdict is Verdict.FAIL):
        return failed(number, seen, expected)
    if any(finding.ok is None for finding in findings):
        return unknown(number, seen, expected)
    return passed(number, seen, expected)


def _binding(receipt: bytes, batch: BatchProof | None, quote: Quote) -> Check:
    seen = quote.report.report_data.hex()
    if batch is None:
        wanted = receipt_report_data(receipt)
        return judged(10, seen, f"{wanted.hex()}, of this receipt", ok=quote.report.report_data == wanted)
    try:
        root = root_from_path(receipt, batch.leaf_index, batch.tree_size, batch.path)
    except EvidenceRefused as refusal:
        return failed(10, str(refusal), "a proof that the receipt stands in its batch")
    wanted = batch_report_data(root)
    place = f"of the batch in which this receipt is leaf {batch.leaf_index} of {batch.tree_size}"
    return judged(10, seen, f"{wanted.hex()}, {place}", ok=quote.report.report_data == wanted)


@dataclass(frozen=True, slots=True)
class _Log:
    check: Check
    identity: AppIdentity | None = None


def _event_log(attestation: BundleAttestation, quote: Quote) -> _Log:
    expected = "a log that replays to the registers of the quote and names an application"
    measured = quote.report.measurements
    if measured is None:
        return _Log(failed(11, f"a quote of {quote.report.kind}, which has no registers", expected))
    try:
        log = EventLog.from_json(attestation.quote.event_log)
        identity = log.app_identity(measured)
    except EvidenceRefused as refusal:
        return _Log(failed(11, str(refusal), expected))
    told = sorted({event.register for event in log.events})
    return _Log(passed(11, f"{len(log.events)} events replay to {', '.join(f'RTMR{register}' for register in told)}", expected), identity)


def _software(attestation: BundleAttestation, platform: Platform, log: _Log, at_s: int, policy: Policy) -> tuple[Check, Check]:
    """Checks 12 and 13; what nothing vouches for is not judged."""
    if platform.verified is None:
        return check_measurements(None, at_s, policy), not_reached(13, _UNVERIFIED)
    findings = policy.judge(platform.verified, at_s, log.identity)
    named = tuple(finding for finding in findings if finding.name.startswith("app."))
    return check_measurements(platform.verified, at_s, policy), _application(attestation, platform.verified, log, named, policy)


def check_measurements(verified: VerifiedQuote | None, at_s: int, policy: Policy) -> Check:
    """Check 12."""
    if verified is None:
        return not_reached(12, _UNVERIFIED)
    findings = tuple(finding for finding in policy.judge(verified, at_s) if finding.name == "measurements")
    if findings:
        return _from_findings(12, findings)
    registers = verified.report.measurements
    seen = "none" if registers is None else " ".join(f"{name}={value}" for name, value in registers.hex_fields().items())
    mend = "build the image, compute its measurements, and name them as [[measurements]] in the file that --policy names"
    return unknown(12, seen, "measurements that a policy names", mend)


def _application(
    attestation: BundleAttestation, verified: VerifiedQuote, log: _Log, findings: tuple[Finding, ...], policy: Policy
) -> Check:
    identity = log.identity
    if identity is None:
        return not_reached(13, "the event log does not tell the application")
    seen = (
        f"app {identity.app_id}, compose hash {identity.compose_hash}, OS image {identity.os_image_hash or 'not told'}, "
        f"key provider {identity.key_provider_name or 'not told'}"
    )
    if attestation.app_compose is not None:
        digest = hashlib.sha256(attestation.app_compose.encode()).hexdigest()
        if digest != identity.compose_hash:
            return failed(13, f"{seen}; the compose file carried has sha256 {digest}", f"a compose file of sha256 {identity.compose_hash}")
    if any(finding.ok is not True for finding in findings):
        return _from_findings(13, findings)
    if policy.compose_hashes or _names_rtmr3(policy, verified):
        asked = "; ".join(f"{finding.name} {finding.expected}" for finding in findings)
        return passed(13, seen, asked or "whatever has the RTMR3 that the policy names")
    mend = f'name the application in the policy: compose_hashes = ["{identity.compose_hash}"] under [app], or rtmr3 in [[measurements]]'
    return unknown(13, seen, "an application that the policy names, by compose hash or RTMR3", mend)


def _names_rtmr3(policy: Policy, verified: VerifiedQuote) -> bool:
    """Whether every entry that lets the machine through says which application it has to run."""
    measured = verified.report.measurements
    covering = [one for one in policy.measurements if measured is not None and one.covers(measured)]
    return bool(covering) and all(one.rtmr3_hex is not None for one in covering)
