"""
The bundle that is written when somebody has verified one: what it was, and what was learnt besides.

What nodes told is recorded as before, and is no evidence; the proofs are.
"""

import json
from dataclasses import dataclass, replace
from hashlib import sha256

from oracle.errors import EvidenceRefused
from oracle.flows.verify.facts import AnswerSeen, EndSeen, Missing, NodeFacts, NodeWord, RegistrationSeen, RequestSeen
from oracle.flows.verify.offline import Evidence
from oracle.flows.verify.proving import Gathered
from oracle.flows.verify.terms import Terms
from oracle.flows.verify.text import shown
from oracle.flows.verify.under import extent_of, faults_of, headers_of, text_of
from oracle.model.proof import ChainProofs
from oracle.model.tee import MEASUREMENT_NAMES
from oracle.near.proof import block_hash, is_first_block
from oracle.tee.bundle import MAX_BUNDLE_DEPTH, Bundle, BundleAttestation, ChainRecord
from oracle.tee.canonical import read_strict

_NOTHING = ChainRecord(None, None, None, None, None, 0)
_MAX_TOLD_BYTES = 64 * 1024
"""Of an outcome or a registration, which have about one KiB."""
_DEPTH_OF_RECORD = 2
"""Of the bundle and its part `chain`."""
_MAX_NAME_CHARS = 64
"""Of an account or a hash."""


@dataclass(frozen=True, slots=True)
class Saved:
    """
    What was written where (None: nothing), and what is not in it.

    `is_vouched`: whether a node named the proofs' head and no other denied it, or whoever saves trusts it; else it is the word of who wrote
    the bundle, or of one node against another.
    """

    path: str | None
    proofs: ChainProofs | None
    missing: tuple[str, ...]
    is_vouched: bool = True

    def lines(self) -> list[str]:
        """For people."""
        if self.path is None:
            return ["Nothing was saved: there is no bundle that can be read"]
        return [f"Saved {shown(self.path)}: {self._told()}", *(f"Not in it: {shown(reason)}" for reason in self.missing)]

    def _told(self) -> str:
        if self.proofs is None:
            return "without proofs of the chain"
        if self.is_vouched:
            return extent_of(self.proofs)
        return f"{extent_of(self.proofs)}, which not all who were asked vouch for"

    def as_json(self) -> dict[str, object]:
        """For --json; the head is what somebody may come to trust, so that a bundle's own word is not told as one."""
        head = None if self.proofs is None or not self.is_vouched else self.proofs.head
        return {
            "file": self.path,
            "head": None if head is None else text_of(block_hash(head)),
            "head_height": None if head is None else head.height,
            "missing": [shown(reason) for reason in self.missing],
        }


def without_faults(evidence: Evidence, gathered: Gathered) -> Gathered:
    """What nodes gave, unless it shows something else than it was asked for: then a reader would refuse the bundle."""
    faults = () if gathered.proofs is None else faults_of(_carrying(evidence, gathered.proofs), gathered.proofs)
    return Gathered(None, (*gathered.missing, *faults)) if faults else gathered


def disputed(gathered: Gathered, places: tuple[str, ...]) -> Gathered:
    """What nodes gave, with the places of those that do not know its head."""
    reasons = tuple(f"a head that all know: {place} knows no such block; one of them lies or lags" for place in places)
    return replace(gathered, missing=gathered.missing + reasons, is_disputed=bool(places))


def with_proofs(evidence: Evidence, gathered: Gathered, trusted_block: str | None) -> Evidence:
    """The evidence with what nodes gave; nodes that have forgotten more than it already shows take nothing away."""
    given, record = gathered.proofs, evidence.bundle.chain
    known = None if record is None else record.proofs
    if given is None or (known is not None and _shows_more(evidence, known, given, trusted_block)):
        return evidence
    return _carrying(evidence, given)


def is_vouched(proofs: ChainProofs | None, gathered: Gathered | None, trusted_block: str | None) -> bool:
    """Whether the head of what is carried is no stranger's word."""
    if proofs is None or (gathered is not None and proofs is gathered.proofs and not gathered.is_disputed):
        return True
    return text_of(block_hash(proofs.head)) == trusted_block


def _shows_more(evidence: Evidence, known: ChainProofs, given: ChainProofs, trusted_block: str | None) -> bool:
    """Anybody can write evidence that has a fault, is padded, or leads to a head of his own."""
    if given.outcomes and trusted_block not in (None, text_of(block_hash(known.head))):
        return False
    return _parts(known) > _parts(given) and not faults_of(evidence, known)


def _parts(proofs: ChainProofs) -> int:
    """How many of the things are there that checks ask for."""
    first = any(is_first_block(block) for block in proofs.blocks)
    carried = (proofs.request, proofs.answer, proofs.settled, proofs.request_transaction, proofs.answer_transaction, first)
    return sum(bool(part) for part in carried)


def _carrying(evidence: Evidence, proofs: ChainProofs) -> Evidence:
    record = evidence.bundle.chain or _NOTHING
    answer = text_of(proofs.answer[0].outcome.id) if proofs.answer else record.answer_transaction_hash
    if answer != record.answer_transaction_hash:  # what is recorded is of another one
        record = replace(record, answer_transaction_hash=answer, answer_signer_id=None, answer_block_hash=None)
    return replace(evidence, bundle=replace(evidence.bundle, chain=replace(record, proofs=proofs)))


def bundle_to_save(evidence: Evidence, words: tuple[NodeWord, ...], terms: Terms, now_ns: int) -> Bundle:
    """Everything in one file. Of several nodes the first that answered is recorded."""
    bundle, facts = evidence.bundle, next((word.facts for word in words if not isinstance(word.facts, Missing)), None)
    attestation = None if bundle.attestation is None else _with_collateral(bundle.attestation, terms)
    if facts is None:
        return replace(bundle, attestation=attestation)
    record = _record(bundle.chain or _NOTHING, facts, now_ns)
    return replace(bundle, attestation=attestation, chain=record, input_bytes=bundle.input_bytes or _input(evidence, facts.request))


def _with_collateral(attestation: BundleAttestation, terms: Terms) -> BundleAttestation:
    """What was judged by is what is kept."""
    return attestation if terms.collateral_json is None else replace(attestation, collateral_json=terms.collateral_json)


def _record(known: ChainRecord, facts: NodeFacts, now_ns: int) -> ChainRecord:
    answer = None if isinstance(facts.answer, Missing) else facts.answer
    registration = None if isinstance(facts.register, Missing) else facts.register.registration
    outcome_json = _readable(facts.end.json) if isinstance(facts.end, EndSeen) else None
    registration_json = None if registration is None else _readable(_registration_json(registration))
    return ChainRecord(
        answer_transaction_hash=known.answer_transaction_hash if answer is None else _name(answer.transaction_hash),
        answer_signer_id=known.answer_signer_id if answer is None else _name(answer.signer_id),
        answer_block_hash=known.answer_block_hash if answer is None else _name(_block_of(answer, known.proofs)),
        outcome_json=outcome_json or known.outcome_json,
        registration_json=registration_json or known.registration_json,
        recorded_at_ns=now_ns,
        proofs=known.proofs,
    )


def _readable(text: str) -> str | None:
    """What a node tells may be longer, deeper and odder than a bundle may be; then nobody could read the file."""
    try:
        read_strict(text.encode(), what="what a node tells", max_bytes=_MAX_TOLD_BYTES, max_depth=MAX_BUNDLE_DEPTH - _DEPTH_OF_RECORD)
    except (UnicodeEncodeError, EvidenceRefused):
        return None
    return text


def _name(told: str | None) -> str | None:
    return told if told is not None and told.isascii() and len(told) <= _MAX_NAME_CHARS else None


def _block_of(answer: AnswerSeen, proofs: ChainProofs | None) -> str | None:
    """Where the evidence is silent about that block, a reader of the evidence could not hold it against anything."""
    if proofs is None or not proofs.answer:
        return answer.block.block_hash
    proven = {text_of(block_hash(header)) for header in headers_of(proofs)}
    return answer.block.block_hash if answer.block.block_hash in proven else None


def _registration_json(seen: RegistrationSeen) -> str:
    return json.dumps(
        {
            "public_key": seen.public_key,
            "measurements": dict(zip(MEASUREMENT_NAMES, seen.measurements_hex, strict=True)),
            "settings_sha256": seen.settings_sha256_hex,
            "registered_at": str(seen.registered_ns),
            "expires_at": str(seen.expires_ns),
            "renewals": seen.renewals,
        }
    )


def _input(evidence: Evidence, seen: RequestSeen | Missing) -> bytes | None:
    """The event's input, where it is the receipt's."""
    text = None if isinstance(seen, Missing) else seen.request.input_data
    raw = None if text is None else text.encode("utf-8", "replace")
    return raw if raw is not None and sha256(raw).hexdigest() == evidence.receipt.input_sha256_hex else None
