"""
The bundle that is written when somebody has verified one: what it was, and what was learnt besides.

What nodes told is recorded as before, and is no evidence; the proofs are.
"""

import json
from dataclasses import dataclass, replace
from hashlib import sha256

from oracle.flows.verify.facts import AnswerSeen, EndSeen, Missing, NodeFacts, NodeWord, RegistrationSeen, RequestSeen
from oracle.flows.verify.offline import Evidence
from oracle.flows.verify.proving import Gathered
from oracle.flows.verify.terms import Terms
from oracle.flows.verify.text import shown
from oracle.flows.verify.under import extent_of, faults_of, headers_of, text_of
from oracle.model.proof import ChainProofs
from oracle.model.tee import MEASUREMENT_NAMES
from oracle.near.proof import block_hash
from oracle.tee.bundle import Bundle, BundleAttestation, ChainRecord

_NOTHING = ChainRecord(None, None, None, None, None, 0)


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written where (None: nothing), and what is not in it."""

    path: str | None
    proofs: ChainProofs | None
    missing: tuple[str, ...]

    def lines(self) -> list[str]:
        """For people."""
        if self.path is None:
            return ["Nothing was saved: there is no bundle that can be read"]
        told = "without proofs of the chain" if self.proofs is None else extent_of(self.proofs)
        return [f"Saved {shown(self.path)}: {told}", *(f"Not in it: {shown(reason)}" for reason in self.missing)]

    def as_json(self) -> dict[str, object]:
        """For --json."""
        head = None if self.proofs is None else self.proofs.head
        return {
            "file": self.path,
            "head": None if head is None else text_of(block_hash(head)),
            "head_height": None if head is None else head.height,
            "missing": [shown(reason) for reason in self.missing],
        }


def without_faults(evidence: Evidence, gathered: Gathered) -> Gathered:
    """What nodes gave, unless it shows something else than it was asked for: then a reader would refuse the bundle."""
    faults = () if gathered.proofs is None else faults_of(with_proofs(evidence, gathered), gathered.proofs)
    return Gathered(None, (*gathered.missing, *faults)) if faults else gathered


def with_proofs(evidence: Evidence, gathered: Gathered) -> Evidence:
    """The evidence with what nodes gave; those that have forgotten more than it already holds take nothing away."""
    record = evidence.bundle.chain or _NOTHING
    if gathered.proofs is None or (record.proofs is not None and _count(gathered.proofs) < _count(record.proofs)):
        return evidence
    answer = text_of(gathered.proofs.answer[0].outcome.id) if gathered.proofs.answer else record.answer_transaction_hash
    if answer != record.answer_transaction_hash:  # what is recorded is of another one
        record = replace(record, answer_transaction_hash=answer, answer_signer_id=None, answer_block_hash=None)
    return replace(evidence, bundle=replace(evidence.bundle, chain=replace(record, proofs=gathered.proofs)))


def _count(proofs: ChainProofs) -> int:
    carried = (proofs.request_transaction, proofs.answer_transaction)
    return len(proofs.outcomes) + len(proofs.blocks) + sum(each is not None for each in carried)


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
    return ChainRecord(
        answer_transaction_hash=known.answer_transaction_hash if answer is None else answer.transaction_hash,
        answer_signer_id=known.answer_signer_id if answer is None else answer.signer_id,
        answer_block_hash=known.answer_block_hash if answer is None else _block_of(answer, known.proofs),
        outcome_json=facts.end.json if isinstance(facts.end, EndSeen) else known.outcome_json,
        registration_json=known.registration_json if registration is None else _registration_json(registration),
        recorded_at_ns=now_ns,
        proofs=known.proofs,
    )


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
