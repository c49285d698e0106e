"""Checks 23 and 24: what the contract was told, and what became of it."""

import json

from oracle.flows.verify.check import Check, failed, judged, passed, unknown
from oracle.flows.verify.facts import AnswerSeen, CompletedSeen, EndSeen, Missing, NodeFacts
from oracle.flows.verify.heard import heard_agrees
from oracle.flows.verify.offline import Evidence
from oracle.flows.verify.reading import sorted_json
from oracle.flows.verify.told import Told, Unreadable, agrees_with, read_call
from oracle.model import Metrics
from oracle.model.receipt import Receipt

_KEPT_ERROR_BYTES = 256
"""How much of an error the contract keeps (`contracts/outlayer/src/outcome.rs`)."""
_OTHER_OUTPUT = "the caller heard another output"
_OTHER_FIGURES = "the contract's event bills another run"
WITHOUT_HASH = ", without a receipt's hash"
"""How the end is told of a record that names no receipt: of two answers that say the same, one without it was taken."""
Differences = list[str]


def check_answer(evidence: Evidence, seen: AnswerSeen | Missing) -> Check:
    """Check 23."""
    worker, receipt_hash = evidence.receipt.worker, evidence.bundle.receipt_sha256_hex
    expected = f"a call by {worker.public_key} of {worker.account_id} with the receipt's result and its hash {receipt_hash}"
    if isinstance(seen, Missing):
        mend = "name the answer's transaction with --answer-tx, or ask a node that keeps older blocks, with --rpc"
        return failed(23, seen.reason, expected) if seen.is_denial else unknown(23, seen.reason, expected, mend)
    if seen.failure is not None:
        return failed(23, f"the call failed: {seen.failure}", expected)
    try:
        told = read_call(seen.method, seen.args)
    except Unreadable as reason:
        return failed(23, str(reason), expected)
    return _answer(evidence, seen, told, expected)


def _answer(evidence: Evidence, seen: AnswerSeen, told: Told, expected: str) -> Check:
    receipt = evidence.receipt
    same_output = agrees_with(told, receipt.outcome, evidence.bundle.output_bytes)
    differences = _of_sender(evidence, seen) + _of_result(receipt, told)
    if same_output is False:
        differences.append("another output")
    if told.receipt_sha256_hex not in (None, evidence.bundle.receipt_sha256_hex):
        differences.append(f"the hash of another receipt, {told.receipt_sha256_hex!s:.80}")
    if differences:
        return failed(23, "; ".join(differences), expected)
    where = f"transaction {seen.transaction_hash}, block {seen.block.height}"
    if told.receipt_sha256_hex is None:
        return unknown(23, f"{where}: the result without a receipt's hash", expected)
    if same_output is None:
        mend = "take the bundle that the worker serves, which carries the output"
        return unknown(23, f"{where}: JSON without the white space around it", expected, mend)
    return passed(23, where, expected)


def _of_sender(evidence: Evidence, seen: AnswerSeen) -> Differences:
    receipt, record = evidence.receipt, evidence.bundle.chain
    facts: list[tuple[str, object, object]] = [
        ("signer", seen.signer_id, receipt.worker.account_id),
        ("key", seen.public_key, receipt.worker.public_key),
        ("contract", seen.receiver_id, receipt.chain.contract_id),
    ]
    if record is not None and record.answer_transaction_hash == seen.transaction_hash:
        facts += [
            (name, found, recorded)
            for name, found, recorded in (
                ("recorded signer", seen.signer_id, record.answer_signer_id),
                ("recorded block", seen.block.block_hash, record.answer_block_hash),
            )
            if recorded is not None
        ]
    return _differences(facts)


def _of_result(receipt: Receipt, told: Told) -> Differences:
    return _differences(
        [
            ("request id", told.request_id, receipt.request.request_id),
            ("success", told.success, receipt.outcome.success),
            ("error", told.error, receipt.outcome.error),
            ("metrics", _billed(told.metrics), _billed(receipt.metrics)),
        ]
    )


def check_settled(evidence: Evidence, facts: NodeFacts) -> Check:
    """Check 24."""
    receipt, seen = evidence.receipt, facts.end
    outcome = receipt.outcome
    expected = f"{'succeeded' if outcome.success else 'failed'}, with the receipt {evidence.bundle.receipt_sha256_hex}"
    if not isinstance(seen, Missing):
        return _by_record(evidence, seen, facts, expected)
    if seen.is_denial:
        return failed(24, seen.reason, expected)
    completed = facts.request.completed if seen.is_gone and not isinstance(facts.request, Missing) else None
    if completed is None:
        return unknown(24, seen.reason, expected, "ask a node that keeps older blocks, with --rpc")
    return _by_event(evidence, seen.reason, completed, facts.answer, expected)


def _by_event(evidence: Evidence, reason: str, completed: CompletedSeen, answer: AnswerSeen | Missing, expected: str) -> Check:
    receipt, outcome = evidence.receipt, evidence.receipt.outcome
    if (completed.success, completed.error) != (outcome.success, outcome.error):
        return failed(24, f"the contract's event says {_end(success=completed.success, error=completed.error)}", expected)
    told = f"{reason}; its event says {_end(success=completed.success, error=completed.error)}"
    if _is_of_another_run(completed, receipt):
        return failed(24, f"{told}; {_OTHER_FIGURES}", expected)
    heard = heard_agrees(completed.heard, receipt, answer, evidence.bundle.output_bytes)
    if heard is None:
        return unknown(24, f"{told}, and not what the caller heard", expected, "ask a node that keeps older blocks, with --rpc")
    return judged(24, told if heard else f"{told}; {_OTHER_OUTPUT}", expected, ok=heard)


def _by_record(evidence: Evidence, seen: EndSeen, facts: NodeFacts, expected: str) -> Check:
    receipt, record = evidence.receipt, evidence.bundle.chain
    outcome = receipt.outcome
    differences = _differences(
        [
            ("success", seen.success, outcome.success),
            ("error", seen.error, None if outcome.error is None else _kept(outcome.error)),
            ("metrics", _billed(seen.metrics), _billed(receipt.metrics)),
        ]
    )
    if seen.receipt_sha256_hex not in (None, evidence.bundle.receipt_sha256_hex):
        differences.append(f"the hash of another receipt, {seen.receipt_sha256_hex!s:.80}")
    if record is not None and record.outcome_json is not None and sorted_json(json.loads(record.outcome_json)) != seen.json:
        differences.append("the bundle recorded another outcome")
    completed = None if isinstance(facts.request, Missing) else facts.request.completed
    carried = evidence.bundle.output_bytes
    if completed is not None and heard_agrees(completed.heard, receipt, facts.answer, carried) is False:
        differences.append(_OTHER_OUTPUT)
    if completed is not None and _is_of_another_run(completed, receipt):
        differences.append(_OTHER_FIGURES)
    if differences:
        return failed(24, f"{seen.status}: {'; '.join(differences)}", expected)
    if seen.receipt_sha256_hex is None:
        return unknown(24, f"{seen.status}{WITHOUT_HASH}", expected)
    return passed(24, f"{seen.status}, with this receipt", expected)


def _is_of_another_run(completed: CompletedSeen, receipt: Receipt) -> bool:
    return completed.used is not None and _billed(completed.used) != _billed(receipt.metrics)


def _differences(facts: list[tuple[str, object, object]]) -> Differences:
    return [f"{name} {found!s:.100}, and not {wanted!s:.100}" for name, found, wanted in facts if found != wanted]


def _billed(metrics: Metrics) -> tuple[int, int, int | None]:
    """The contract is told no memory."""
    return metrics.instructions, metrics.time_ms, metrics.compile_time_ms


def _kept(error: str) -> str:
    """As the contract shortens it: whole characters."""
    return error.encode()[:_KEPT_ERROR_BYTES].decode(errors="ignore")


def _end(*, success: bool, error: str | None) -> str:
    return "succeeded" if success else f"failed: {error!s:.200}"
