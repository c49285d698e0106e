"""
A job as JSON, for `/requests` and `oracle show`.

Inputs and outputs are told by size and sha256 only. Amounts are decimal strings, as everywhere in NEAR's JSON.
"""

import hashlib
from collections.abc import Sequence
from typing import NotRequired, TypedDict

from oracle.model import Answer, GitHub, Job, Limits, Source
from oracle.model.receipt import SignedReceipt
from oracle.ports import SignedTransaction

Json = dict[str, object]


class JobJson(TypedDict):
    """The outline; what a field holds is said where it is made."""

    request_id: int
    stage: str
    request: Json
    origin: Json
    code: Json
    answer: Json | None
    settled_by: str | None
    yield_height: int | None
    transactions: NotRequired[list[Json]]
    receipts: NotRequired[list[Json]]


def job_json(job: Job, transactions: Sequence[SignedTransaction] | None = None, receipts: Sequence[SignedReceipt] | None = None) -> JobJson:
    """
    The whole job.

    `transactions`: what was signed for it, oldest first; `receipts`: those of its answer, newest first. None where nobody looked, and then
    nothing is said of them.
    """
    request, origin = job.request, job.origin
    told: JobJson = {
        "request_id": job.request_id,
        "stage": job.stage.value,
        "request": {
            "sender_id": request.sender_id,
            "predecessor_id": request.predecessor_id,
            "source": _source_json(request.source),
            "limits": _limits_json(request.limits),
            "input": None if request.input_data is None else _digest_json(request.input_data.encode()),
            "response_format": request.response_format.value,
            "payment_yocto": str(request.payment),
            "timestamp_ns": str(request.timestamp_ns),
            "compile_only": not request.runs_guest,
        },
        "origin": {
            "transaction_hash": origin.transaction_hash or None,
            "receipt_id": origin.receipt_id or None,
            "block_height": origin.block_height or None,
        },
        "code": {
            "wasm_sha256": job.wasm_sha256_hex,
            "compile_time_ms": job.compile_time_ms,
            "note": job.compilation_note,
        },
        "answer": None if job.answer is None else _answer_json(job.answer),
        "settled_by": job.settled_by,
        "yield_height": job.yield_height or None,
    }
    if transactions is not None:
        told["transactions"] = [_transaction_json(transaction) for transaction in transactions]
    if receipts is not None:
        told["receipts"] = [_receipt_json(receipt) for receipt in receipts]
    return told


def _source_json(source: Source) -> Json:
    if isinstance(source, GitHub):
        return {"repo": source.repo, "commit": source.commit, "build_target": source.build_target.value}
    return {"url": source.url, "sha256": source.sha256_hex, "build_target": source.build_target.value}


def _limits_json(limits: Limits | None) -> Json | None:
    if limits is None:
        return None
    return {
        "max_instructions": limits.max_instructions,
        "max_memory_mb": limits.max_memory_mb,
        "max_execution_seconds": limits.max_execution_seconds,
    }


def _answer_json(answer: Answer) -> Json:
    return {
        "success": answer.success,
        "error": answer.error,
        "output": None if answer.output is None else _digest_json(answer.output),
        "instructions": answer.metrics.instructions,
        "time_ms": answer.metrics.time_ms,
        "peak_memory_bytes": answer.metrics.peak_memory_bytes,
    }


def _transaction_json(transaction: SignedTransaction) -> Json:
    return {"kind": transaction.kind, "transaction_hash": transaction.transaction_hash, "nonce": transaction.nonce}


def _receipt_json(receipt: SignedReceipt) -> Json:
    return {"sha256": receipt.receipt_sha256_hex, "public_key": receipt.public_key, "quoted": receipt.quote is not None}


def _digest_json(data: bytes) -> Json:
    return {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
