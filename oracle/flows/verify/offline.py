"""
Checks 1 to 18: what the bundle shows by itself, by the policy and the root of whoever verifies. Nothing is fetched.

Each check that can be made is made, so that a report tells all that is wrong; what rests on something refused is not reached.
"""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from oracle.errors import EvidenceRefused
from oracle.flows.verify.attested import Attested, check_attestation
from oracle.flows.verify.check import Check, failed, judged, not_reached, passed, unknown
from oracle.flows.verify.report import Subject
from oracle.flows.verify.rules import RULES, Group
from oracle.flows.verify.terms import CLOCK_TOLERANCE_S, Terms
from oracle.model import AppIdentity, QuoteReport, Toolchain, WasmUrl
from oracle.model.receipt import Receipt, TeeMode
from oracle.tee.bundle import MAX_BUNDLE_BYTES, MAX_BUNDLE_DEPTH, Bundle, read_bundle
from oracle.tee.canonical import read_strict
from oracle.tee.collateral import moment
from oracle.tee.fields import ED25519_PREFIX
from oracle.tee.policy import Policy
from oracle.tee.receipt import SCHEMA, parse_receipt, signature_message

NS = 10**9


@dataclass(frozen=True, slots=True)
class Evidence:
    """A bundle that could be read; `quoted` is what its quote says where that verified, `application` what its event log names then."""

    bundle: Bundle
    receipt: Receipt
    quoted: QuoteReport | None
    application: AppIdentity | None


@dataclass(frozen=True, slots=True)
class Offline:
    """The checks, and what the checks on chain go on with; None: the bundle could not be read."""

    checks: tuple[Check, ...]
    subject: Subject
    evidence: Evidence | None


def check_offline(raw: bytes, terms: Terms) -> Offline:
    """Make all checks that need the bundle alone; `raw` may be anything."""
    try:
        bundle = read_bundle(raw)
        receipt = parse_receipt(bundle.receipt)
    except EvidenceRefused as refusal:
        return Offline(_unreadable(raw, str(refusal)), Subject(), None)
    at_s = receipt.made_at_ns // NS if terms.at_s is None else terms.at_s
    attested = check_attestation(bundle, at_s, terms)
    checks = (
        passed(1, f"{len(raw):,} bytes", f"a bundle of at most {MAX_BUNDLE_BYTES:,} bytes"),
        passed(2, f"{len(bundle.receipt):,} bytes of {SCHEMA}, sha256 {bundle.receipt_sha256_hex}", f"canonical JSON of {SCHEMA}"),
        _carried(bundle, receipt),
        _signature(bundle, receipt),
        *attested.checks,
        _worker_policy(receipt, terms.policy),
        _worker_says(receipt, attested, terms),
        _time(receipt, terms),
        _module(receipt),
        _asked_for(receipt, terms),
    )
    worker, request = receipt.worker, receipt.request
    subject = Subject(bundle.receipt_sha256_hex, request.request_id, receipt.chain.contract_id, worker.account_id, at_s)
    quoted = None if attested.verified is None else attested.verified.report
    return Offline(checks, subject, Evidence(bundle, receipt, quoted, attested.application))


def _unreadable(raw: bytes, reason: str) -> tuple[Check, ...]:
    """Whether it is the receipt's fault is looked at apart, because that is another kind of wrong."""
    first = failed(1, reason, "a bundle that is well-formed and within bounds")
    second = not_reached(2, "the bundle cannot be read")
    try:
        value = read_strict(raw, what="the bundle", max_bytes=MAX_BUNDLE_BYTES, max_depth=MAX_BUNDLE_DEPTH)
        if isinstance(value, dict) and isinstance(text := value.get("receipt"), str):
            parse_receipt(text.encode())
    except EvidenceRefused as refusal:
        if str(refusal) == reason and "receipt" in reason:
            first = not_reached(1, "its receipt is refused, see check 2")
            second = failed(2, reason, f"canonical JSON of {SCHEMA}")
    rest = (rule.number for rule in RULES if rule.group is Group.OFFLINE and rule.number > 2)
    return (first, second, *(not_reached(number, "the bundle cannot be read") for number in rest))


def _carried(bundle: Bundle, receipt: Receipt) -> Check:
    """What is not carried is not needed; what is carried has to be right."""
    outcome = receipt.outcome
    seen: list[str] = []
    ok = True
    for name, data, expected in (
        ("input", bundle.input_bytes, receipt.input_sha256_hex),
        ("output", bundle.output_bytes, outcome.output_sha256_hex),
    ):
        if data is None:
            seen.append(f"{name} not carried")
            continue
        digest = hashlib.sha256(data).hexdigest()
        ok = ok and digest == expected and (name == "input" or len(data) == outcome.output_length)
        seen.append(f"{name} of {len(data):,} bytes, sha256 {digest}")
    length = "none" if outcome.output_length is None else f"{outcome.output_length:,} bytes, sha256 {outcome.output_sha256_hex}"
    return judged(3, "; ".join(seen), f"input {receipt.input_sha256_hex or 'none'}; output {length}", ok=ok)


def _signature(bundle: Bundle, receipt: Receipt) -> Check:
    import base58  # noqa: PLC0415  the receipt's reader has loaded it

    key = receipt.worker.public_key
    expected = f"ed25519 of {key} over the receipt"
    try:
        public = Ed25519PublicKey.from_public_bytes(base58.b58decode(key.removeprefix(ED25519_PREFIX)))
        public.verify(bundle.signature, signature_message(bundle.receipt))
    except (InvalidSignature, ValueError):
        return failed(4, "a signature that does not verify", expected)
    return passed(4, f"{key} of {receipt.worker.account_id} signed it", expected)


def _worker_policy(receipt: Receipt, policy: Policy) -> Check:
    seen, known = receipt.policy_sha256_hex, {policy.sha256_hex: "yours", Policy.DEFAULT.sha256_hex: "the default"}
    expected = f"{policy.sha256_hex} (yours) or {Policy.DEFAULT.sha256_hex} (the default)"
    if seen in known:
        return passed(14, f"{seen}, {known[seen]}", expected)
    return unknown(14, f"{seen}, which is neither", expected, "ask the operator for the policy file, if you want to know", is_needed=False)


def _worker_says(receipt: Receipt, attested: Attested, terms: Terms) -> Check:
    worker, root = receipt.worker, terms.root
    if not attested.is_quoted and worker.tee_mode is TeeMode.NONE and worker.root_sha256_hex is None:
        return passed(15, "mode none, no root, no quote", "mode and root that fit the evidence")
    seen = f"mode {worker.tee_mode}, root {worker.root_sha256_hex or 'none'}{', a test root' if worker.is_test_root else ''}"
    expected = f"mode {TeeMode.TDX}, root {root.sha256_hex}{', a test root' if root.is_test else ''}"
    ok = worker.tee_mode is TeeMode.TDX and (worker.root_sha256_hex, worker.is_test_root) == (root.sha256_hex, root.is_test)
    if ok or worker.tee_mode is not TeeMode.TDX:
        return judged(15, seen, expected, ok=ok)
    return failed(15, seen, expected, "name the root that you trust with --root-ca, if it is another than Intel's")


def _time(receipt: Receipt, terms: Terms) -> Check:
    made_s = receipt.made_at_ns // NS
    expected = f"before {moment(terms.now_s)}, give or take {CLOCK_TOLERANCE_S // 60} minutes"
    return judged(16, f"made {moment(made_s)}", expected, ok=made_s <= terms.now_s + CLOCK_TOLERANCE_S)


def _module(receipt: Receipt) -> Check:
    source, ran = receipt.source, receipt.wasm_sha256_hex
    if ran is None:
        return passed(17, "no module ran to its end", "none, or the one of the source") if not receipt.outcome.success else _no_module()
    if isinstance(source, WasmUrl):
        return judged(17, ran, f"{source.sha256_hex}, which the request names", ok=ran == source.sha256_hex)
    mend = "build the commit as the receipt's toolchain says and compare"
    seen = f"{ran}, built from {source.repo} at {source.commit} by {_by(receipt.toolchain)}"
    return unknown(17, seen, "the module of that commit", mend, is_needed=False)


def _by(toolchain: Toolchain | None) -> str:
    if toolchain is None:
        return "a toolchain that is not named"
    return f"{toolchain.name} {toolchain.version} for {toolchain.target} ({toolchain.flags}; recipe {toolchain.recipe_sha256_hex})"


def _no_module() -> Check:
    return failed(17, "a success without a module", "the module that ran")


def _asked_for(receipt: Receipt, terms: Terms) -> Check:
    """A receipt that names no transaction is asked for by the one that was named, and check 22 tells whether it is its own."""
    request, named = receipt.request, terms.request_transaction
    seen = (request.request_id, receipt.chain.contract_id)
    wanted = (terms.request_id, terms.contract_id)
    names = ("request", "contract")
    expected = " of ".join(f"{name} {value}" for name, value in zip(names, wanted, strict=True) if value is not None)
    expected = " in ".join(filter(None, (expected, named)))
    ok = all(value in (None, found) for found, value in zip(seen, wanted, strict=True))
    ok = ok and (named is None or request.transaction_hash in (None, named))
    found = f"request {seen[0]} of contract {seen[1]}"
    if named is not None:
        found += f" in {'a transaction that it does not name' if request.transaction_hash is None else request.transaction_hash}"
    if ok and terms.request_id is not None and terms.contract_id is None:  # every contract has a request of that number
        return unknown(18, found, f"request {terms.request_id} of a contract that you name", "name the contract with --contract")
    return judged(18, found, expected or "any, for none was named", ok=ok)
