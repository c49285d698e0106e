"""
Receipts as exact bytes: written once in canonical form (RFC 8785), hashed, signed, bound to a quote, and read back strictly.

Every key is always there and what is absent is null; every integer is a decimal string, every hash 64 hex digits in lower case. There is
no tape of what a guest learnt from outside itself yet: input and environment are there by hash, clock and random bytes are not.
"""

import hashlib

from oracle.errors import EvidenceRefused
from oracle.model import BuildTarget, GitHub, Limits, Metrics, OutputFormat, Source, Toolchain, WasmUrl, YoctoNear
from oracle.model.receipt import (
    ChainFacts,
    EngineFacts,
    Outcome,
    Receipt,
    RequestFacts,
    TeeMode,
    WorkerFacts,
)
from oracle.tee.canonical import canonical_bytes, read_canonical
from oracle.tee.fields import U128, Fields

SCHEMA = "nco/receipt/v1"
RECEIPT_DOMAIN = b"nco/receipt/v1"
BATCH_DOMAIN = b"nco/batch/v1"
MAX_RECEIPT_BYTES = 128 * 1024
"""A request's texts fit the logs of one call (16 KiB) or, read from the contract's state, its limits on each; escaped they may grow."""
MAX_RECEIPT_DEPTH = 2

_TOP = (
    *("schema", "chain", "request", "source", "toolchain", "wasm_sha256", "input_sha256", "environment_sha256", "limits", "engine"),
    *("outcome", "metrics", "worker", "settings_sha256", "policy_sha256", "made_at_ns"),
)
_CHAIN = ("chain_id", "genesis_hash", "contract_id")
_REQUEST = (
    *("request_id", "sender_id", "predecessor_id", "transaction_hash", "receipt_id", "block_height", "block_timestamp_ns"),
    *("payment_yocto", "response_format", "compile_only"),
)
_GITHUB, _WASM_URL = ("kind", "repo", "commit", "build_target"), ("kind", "url", "sha256", "build_target")
_TOOLCHAIN = ("name", "version", "target", "flags", "recipe_sha256")
_LIMITS = ("max_instructions", "max_memory_mb", "max_execution_seconds")
_ENGINE = ("wasmtime", "settings_sha256", "architecture")
_OUTCOME = ("success", "output_sha256", "output_length", "error")
_METRICS = ("instructions", "time_ms", "peak_memory_bytes", "compile_time_ms")
_WORKER = ("account_id", "public_key", "version", "tee_mode", "root_sha256", "test_root")


def receipt_bytes(receipt: Receipt) -> bytes:
    """
    The receipt's exact bytes, which are hashed, signed, stored and carried on.

    Raises:
        EvidenceRefused: it is longer than a reader takes, or a text in it is none of Unicode.
    """
    try:
        raw = canonical_bytes(_document(receipt))
    except ValueError as error:
        raise EvidenceRefused(f"the receipt cannot be written: {error}") from error
    if len(raw) > MAX_RECEIPT_BYTES:
        raise EvidenceRefused(f"the receipt has {len(raw)} bytes; at most {MAX_RECEIPT_BYTES} are read")
    return raw


def parse_receipt(raw: bytes) -> Receipt:
    """
    Read a receipt.

    Raises:
        EvidenceRefused: it is not written in canonical form, or is no receipt; the refusal names the field.
    """
    top = Fields("receipt", read_canonical(raw, what="the receipt", max_bytes=MAX_RECEIPT_BYTES, max_depth=MAX_RECEIPT_DEPTH), _TOP)
    top.is_exactly("schema", SCHEMA)
    chain = top.nested("chain", _CHAIN)
    return Receipt(
        chain=ChainFacts(chain.text("chain_id"), chain.text("genesis_hash"), chain.text("contract_id")),
        request=_request(top.nested("request", _REQUEST)),
        source=_source(top),
        toolchain=top.maybe("toolchain", lambda name: _toolchain(top.nested(name, _TOOLCHAIN))),
        wasm_sha256_hex=top.maybe("wasm_sha256", top.hex_text),
        input_sha256_hex=top.maybe("input_sha256", top.hex_text),
        environment_sha256_hex=top.maybe("environment_sha256", top.hex_text),
        limits=top.maybe("limits", lambda name: _limits(top.nested(name, _LIMITS))),
        engine=_engine(top.nested("engine", _ENGINE)),
        outcome=_outcome(top.nested("outcome", _OUTCOME)),
        metrics=_metrics(top.nested("metrics", _METRICS)),
        worker=_worker(top.nested("worker", _WORKER)),
        settings_sha256_hex=top.hex_text("settings_sha256"),
        policy_sha256_hex=top.hex_text("policy_sha256"),
        made_at_ns=top.number("made_at_ns"),
    )


def receipt_sha256_hex(raw: bytes) -> str:
    """What the answer on chain carries."""
    return hashlib.sha256(raw).hexdigest()


def signature_message(raw: bytes) -> bytes:
    """What the worker's key signs with ed25519."""
    return RECEIPT_DOMAIN + raw


def receipt_report_data(raw: bytes) -> bytes:
    """REPORTDATA of a receipt's own quote, 64 bytes."""
    return hashlib.sha256(RECEIPT_DOMAIN + raw).digest() + bytes(32)


def batch_report_data(root: bytes) -> bytes:
    """REPORTDATA of a quote over the RFC 6962 root (32 bytes) of a batch whose leaves are receipts' bytes; 64 bytes."""
    return hashlib.sha256(BATCH_DOMAIN + root).digest() + bytes(32)


def environment_sha256_hex(environment: tuple[tuple[str, str], ...]) -> str:
    """Digest of what a guest found in its environment: each name and the sha256 of its value, in order, so that no value shows."""
    return hashlib.sha256(canonical_bytes([[name, hashlib.sha256(value.encode()).hexdigest()] for name, value in environment])).hexdigest()


def _document(receipt: Receipt) -> dict[str, object]:
    chain, request, outcome, worker = receipt.chain, receipt.request, receipt.outcome, receipt.worker
    return {
        "schema": SCHEMA,
        "chain": dict(zip(_CHAIN, (chain.chain_id, chain.genesis_hash, chain.contract_id), strict=True)),
        "request": {
            "request_id": str(request.request_id),
            "sender_id": request.sender_id,
            "predecessor_id": request.predecessor_id,
            "transaction_hash": request.transaction_hash,
            "receipt_id": request.receipt_id,
            "block_height": _digits(request.block_height),
            "block_timestamp_ns": _digits(request.block_timestamp_ns),
            "payment_yocto": str(request.payment),
            "response_format": request.response_format.value,
            "compile_only": request.compile_only,
        },
        "source": _source_document(receipt.source),
        "toolchain": None if receipt.toolchain is None else _toolchain_document(receipt.toolchain),
        "wasm_sha256": receipt.wasm_sha256_hex,
        "input_sha256": receipt.input_sha256_hex,
        "environment_sha256": receipt.environment_sha256_hex,
        "limits": None if receipt.limits is None else {name: str(getattr(receipt.limits, name)) for name in _LIMITS},
        "engine": {
            "wasmtime": receipt.engine.wasmtime,
            "settings_sha256": receipt.engine.settings_sha256_hex,
            "architecture": receipt.engine.architecture,
        },
        "outcome": {
            "success": outcome.success,
            "output_sha256": outcome.output_sha256_hex,
            "output_length": _digits(outcome.output_length),
            "error": outcome.error,
        },
        "metrics": {name: _digits(getattr(receipt.metrics, name)) for name in _METRICS},
        "worker": {
            "account_id": worker.account_id,
            "public_key": worker.public_key,
            "version": worker.version,
            "tee_mode": worker.tee_mode.value,
            "root_sha256": worker.root_sha256_hex,
            "test_root": worker.is_test_root,
        },
        "settings_sha256": receipt.settings_sha256_hex,
        "policy_sha256": receipt.policy_sha256_hex,
        "made_at_ns": str(receipt.made_at_ns),
    }


def _digits(number: int | None) -> str | None:
    return None if number is None else str(number)


def _source_document(source: Source) -> dict[str, str]:
    match source:
        case GitHub(repo, commit, target):
            return {"kind": "GitHub", "repo": repo, "commit": commit, "build_target": target.value}
        case WasmUrl(url, sha256_hex, target):
            return {"kind": "WasmUrl", "url": url, "sha256": sha256_hex, "build_target": target.value}


def _toolchain_document(toolchain: Toolchain) -> dict[str, str]:
    found = (toolchain.name, toolchain.version, toolchain.target, toolchain.flags, toolchain.recipe_sha256_hex)
    return dict(zip(_TOOLCHAIN, found, strict=True))


def _request(fields: Fields) -> RequestFacts:
    return RequestFacts(
        request_id=fields.number("request_id"),
        sender_id=fields.text("sender_id"),
        predecessor_id=fields.text("predecessor_id"),
        transaction_hash=fields.maybe("transaction_hash", fields.text),
        receipt_id=fields.maybe("receipt_id", fields.text),
        block_height=fields.maybe("block_height", fields.number),
        block_timestamp_ns=fields.maybe("block_timestamp_ns", fields.number),
        payment=YoctoNear(fields.number("payment_yocto", U128)),
        response_format=fields.choice("response_format", OutputFormat),
        compile_only=fields.boolean("compile_only"),
    )


def _source(top: Fields) -> Source:
    """Its hash or commit is the caller's own text, which may be wrong: then the receipt tells of the failure."""
    value = top.raw("source")
    if isinstance(value, dict) and value.get("kind") == "GitHub":
        git = top.nested("source", _GITHUB)
        return GitHub(git.text("repo"), git.text("commit"), git.choice("build_target", BuildTarget))
    url = top.nested("source", _WASM_URL)
    url.is_exactly("kind", "WasmUrl")
    return WasmUrl(url.text("url"), url.text("sha256"), url.choice("build_target", BuildTarget))


def _toolchain(fields: Fields) -> Toolchain:
    texts = (fields.text(name) for name in _TOOLCHAIN)
    try:
        return Toolchain(*texts)
    except ValueError as error:
        raise EvidenceRefused(f"receipt.toolchain: {error}") from error


def _limits(fields: Fields) -> Limits:
    try:
        return Limits(*(fields.number(name) for name in _LIMITS))
    except ValueError as error:
        raise EvidenceRefused(f"receipt.limits: {error}") from error


def _engine(fields: Fields) -> EngineFacts:
    return EngineFacts(fields.text("wasmtime"), fields.hex_text("settings_sha256"), fields.text("architecture"))


def _outcome(fields: Fields) -> Outcome:
    try:
        return Outcome(
            success=fields.boolean("success"),
            output_sha256_hex=fields.maybe("output_sha256", fields.hex_text),
            output_length=fields.maybe("output_length", fields.number),
            error=fields.maybe("error", fields.text),
        )
    except ValueError as error:
        raise EvidenceRefused(f"receipt.outcome: {error}") from error


def _metrics(fields: Fields) -> Metrics:
    return Metrics(
        instructions=fields.number("instructions"),
        time_ms=fields.number("time_ms"),
        peak_memory_bytes=fields.number("peak_memory_bytes"),
        compile_time_ms=fields.maybe("compile_time_ms", fields.number),
    )


def _worker(fields: Fields) -> WorkerFacts:
    fields.ed25519_bytes("public_key", 32)
    return WorkerFacts(
        account_id=fields.text("account_id"),
        public_key=fields.text("public_key"),
        version=fields.text("version"),
        tee_mode=fields.choice("tee_mode", TeeMode),
        root_sha256_hex=fields.maybe("root_sha256", fields.hex_text),
        is_test_root=fields.boolean("test_root"),
    )
