"""Jobs and transactions as rows and back; what is written here is read here, so a row that cannot be read is a damaged file."""

import hashlib
import json
from dataclasses import astuple
from typing import Any

from oracle.model import (
    Answer,
    BuildTarget,
    GitHub,
    Job,
    Limits,
    Metrics,
    Origin,
    OutputFormat,
    Request,
    SecretsRef,
    Source,
    Stage,
    Toolchain,
    WasmUrl,
    YoctoNear,
)
from oracle.model.receipt import BatchProof, ReceiptQuote, SignedReceipt
from oracle.ports import SignedTransaction

Row = dict[str, Any]
"""Column name to value, as SQLAlchemy takes and gives it."""


def new_job_row(job: Job) -> Row:
    """All columns of a job."""
    request, origin = job.request, job.origin
    secrets = request.secrets_ref
    request_json = {
        "sender_id": request.sender_id,
        "predecessor_id": request.predecessor_id,
        "source": _source_to_json(request.source),
        "limits": None if request.limits is None else _limits_to_json(request.limits),
        "response_format": request.response_format.value,
        "payment": str(request.payment),
        "timestamp_ns": request.timestamp_ns,
        "secrets_ref": None if secrets is None else [secrets.profile, secrets.account_id],
        "compile_only": request.compile_only,
        "force_rebuild": request.force_rebuild,
        "attached_usd": request.attached_usd,
        "project_id": request.project_id,
        "project_uuid": request.project_uuid,
    }
    origin_json = [
        origin.transaction_hash,
        origin.receipt_id,
        origin.block_height,
        origin.block_timestamp_ns,
        origin.signer_public_key,
        origin.gas_burnt,
    ]
    return {
        "request_id": job.request_id,
        "request_json": json.dumps(request_json),
        "origin_json": json.dumps(origin_json),
        "input_data": None if job.stage is Stage.DONE else request.input_data,
        **changing_columns(job),
    }


def changing_columns(job: Job) -> Row:
    """The columns that a job's way through the worker changes."""
    answer = job.answer
    return {
        "stage": job.stage.value,
        "wasm_sha256_hex": job.wasm_sha256_hex,
        "compile_time_ms": job.compile_time_ms,
        "compilation_note": job.compilation_note,
        "toolchain_json": None if job.toolchain is None else json.dumps(astuple(job.toolchain)),
        "input_sha256_hex": job.input_sha256_hex,
        "answer_json": None if answer is None else json.dumps(_answer_to_json(answer)),
        "output": None if answer is None else answer.output,
        "settled_by": job.settled_by,
        "yield_height": job.yield_height,
    }


def job_from_row(row: Row) -> Job:
    """Read a job back."""
    request, origin = json.loads(row["request_json"]), json.loads(row["origin_json"])
    secrets = request["secrets_ref"]
    return Job(
        request=Request(
            request_id=row["request_id"],
            sender_id=request["sender_id"],
            predecessor_id=request["predecessor_id"],
            source=_source_from_json(request["source"]),
            limits=None if request["limits"] is None else Limits(*request["limits"]),
            input_data=row["input_data"],
            response_format=OutputFormat(request["response_format"]),
            payment=YoctoNear(int(request["payment"])),
            timestamp_ns=request["timestamp_ns"],
            secrets_ref=None if secrets is None else SecretsRef(*secrets),
            compile_only=request["compile_only"],
            force_rebuild=request["force_rebuild"],
            attached_usd=request["attached_usd"],
            project_id=request["project_id"],
            project_uuid=request["project_uuid"],
        ),
        origin=Origin(*origin),
        stage=Stage(row["stage"]),
        wasm_sha256_hex=row["wasm_sha256_hex"],
        compile_time_ms=row["compile_time_ms"],
        compilation_note=row["compilation_note"],
        toolchain=None if row["toolchain_json"] is None else Toolchain(*json.loads(row["toolchain_json"])),
        input_sha256_hex=row["input_sha256_hex"],
        answer=None if row["answer_json"] is None else _answer_from_row(row),
        settled_by=row["settled_by"],
        yield_height=row["yield_height"],
    )


def transaction_row(transaction: SignedTransaction) -> Row:
    """All columns of a signed transaction but its number."""
    return {
        "transaction_hash": transaction.transaction_hash,
        "request_id": transaction.request_id,
        "kind": transaction.kind,
        "public_key": transaction.public_key,
        "nonce": transaction.nonce,
        "block_height": transaction.block_height,
        "signed_bytes": transaction.signed_bytes,
    }


def transaction_from_row(row: Row) -> SignedTransaction:
    """Read a signed transaction back."""
    return SignedTransaction(
        transaction_hash=row["transaction_hash"],
        request_id=row["request_id"],
        public_key=row["public_key"],
        nonce=row["nonce"],
        block_height=row["block_height"],
        signed_bytes=row["signed_bytes"],
        kind=row["kind"],
    )


def receipt_row(receipt: SignedReceipt) -> Row:
    """All columns of a receipt but its number."""
    return {
        "receipt_sha256_hex": receipt.receipt_sha256_hex,
        "request_id": receipt.request_id,
        "receipt": receipt.receipt,
        "public_key": receipt.public_key,
        "signature": receipt.signature,
        "output": receipt.output,
        **quote_columns(receipt.quote),
    }


QUOTE_COLUMNS = ("quote", "event_log_sha256_hex", "collateral_sha256_hex", "batch_json")


def quote_columns(quote: ReceiptQuote | None) -> Row:
    """The columns of a receipt that its quote fills, all of them null without one."""
    if quote is None:
        return dict.fromkeys(QUOTE_COLUMNS)
    batch, collateral = quote.batch, quote.collateral_json
    batch_json = None if batch is None else json.dumps([batch.tree_size, batch.leaf_index, [found.hex() for found in batch.path]])
    collateral_sha256_hex = None if collateral is None else _sha256_hex(collateral)
    return dict(zip(QUOTE_COLUMNS, (quote.quote, _sha256_hex(quote.event_log), collateral_sha256_hex, batch_json), strict=True))


def text_rows(quote: ReceiptQuote | None) -> list[Row]:
    """The texts that a quote's receipts refer to."""
    texts = () if quote is None else (quote.event_log, quote.collateral_json)
    return [{"sha256_hex": _sha256_hex(text), "text": text} for text in texts if text is not None]


def receipt_from_row(row: Row) -> SignedReceipt:
    """Read a receipt back, its row joined with its event log and collateral."""
    batch, event_log, collateral = _batch_from_json(row["batch_json"]), row["event_log"], row["collateral"]
    quote = None if row["quote"] is None else ReceiptQuote(row["quote"], event_log, batch, collateral)
    return SignedReceipt(
        row["request_id"], row["receipt"], row["receipt_sha256_hex"], row["public_key"], row["signature"], quote, row["output"]
    )


def _sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _batch_from_json(text: str | None) -> BatchProof | None:
    if text is None:
        return None
    tree_size, leaf_index, path = json.loads(text)
    return BatchProof(tree_size, leaf_index, tuple(bytes.fromhex(found) for found in path))


def _source_to_json(source: Source) -> list[str]:
    match source:
        case GitHub(repo, commit, target):
            return ["GitHub", repo, commit, target.value]
        case WasmUrl(url, sha256_hex, target):
            return ["WasmUrl", url, sha256_hex, target.value]


def _source_from_json(parts: list[str]) -> Source:
    kind, place, which, target = parts
    return GitHub(place, which, BuildTarget(target)) if kind == "GitHub" else WasmUrl(place, which, BuildTarget(target))


def _limits_to_json(limits: Limits) -> list[int]:
    return [limits.max_instructions, limits.max_memory_mb, limits.max_execution_seconds]


def _answer_to_json(answer: Answer) -> Row:
    metrics = answer.metrics
    return {
        "success": answer.success,
        "output_format": answer.output_format.value,
        "error": answer.error,
        "metrics": [metrics.instructions, metrics.time_ms, metrics.peak_memory_bytes, metrics.compile_time_ms],
        "compilation_note": answer.compilation_note,
    }


def _answer_from_row(row: Row) -> Answer:
    answer = json.loads(row["answer_json"])
    return Answer(
        request_id=row["request_id"],
        success=answer["success"],
        output=row["output"],
        output_format=OutputFormat(answer["output_format"]),
        error=answer["error"],
        metrics=Metrics(*answer["metrics"]),
        compilation_note=answer["compilation_note"],
    )
