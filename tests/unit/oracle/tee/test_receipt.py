"""Receipts as bytes: one spelling, everything in it under the hash, and nothing read that is no receipt."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.errors import EvidenceRefused
from oracle.model import BuildTarget, GitHub, Limits, Metrics, OutputFormat, Toolchain, WasmUrl, YoctoNear
from oracle.model.receipt import EngineFacts, Outcome, RequestFacts, TeeMode, WorkerFacts
from oracle.tee.receipt import (
    MAX_RECEIPT_BYTES,
    batch_report_data,
    environment_sha256_hex,
    parse_receipt,
    receipt_bytes,
    receipt_report_data,
    receipt_sha256_hex,
    signature_message,
)
from oracle.testing.receipts import PUBLIC_KEY, receipt

u64 = st.integers(0, 2**64 - 1)
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
texts = st.text(max_size=20)
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
names = st.text(PRINTABLE, min_size=1, max_size=64)
targets = st.sampled_from(BuildTarget)
outcomes = st.builds(Outcome, st.just(True), hashes, u64) | st.builds(Outcome, st.just(False), error=texts) | st.just(Outcome(success=True))
receipts = st.builds(
    receipt,
    request=st.builds(
        RequestFacts,
        request_id=u64,
        sender_id=texts,
        predecessor_id=texts,
        transaction_hash=st.none() | texts,
        receipt_id=st.none() | texts,
        block_height=st.none() | u64,
        block_timestamp_ns=st.none() | u64,
        payment=st.integers(0, 2**128 - 1).map(YoctoNear),
        response_format=st.sampled_from(OutputFormat),
        compile_only=st.booleans(),
    ),
    source=st.builds(GitHub, texts, texts, targets) | st.builds(WasmUrl, texts, texts, targets),
    toolchain=st.none() | st.builds(Toolchain, names, names, names, st.text(PRINTABLE, max_size=512), hashes),
    wasm_sha256_hex=st.none() | hashes,
    input_sha256_hex=st.none() | hashes,
    environment_sha256_hex=st.none() | hashes,
    limits=st.none() | st.builds(Limits, *(st.integers(1, 2**64 - 1),) * 3),
    engine=st.builds(EngineFacts, texts, hashes, texts),
    outcome=outcomes,
    metrics=st.builds(Metrics, u64, u64, u64, st.none() | u64),
    worker=st.builds(WorkerFacts, texts, st.just(PUBLIC_KEY), texts, st.sampled_from(TeeMode), st.none() | hashes, st.booleans()),
    made_at_ns=u64,
)


TOOLCHAIN = {"name": "zig cc", "version": "0.17.0", "target": "wasm32-wasi", "flags": "-O2 -s", "recipe_sha256": "7c" * 32}


def test_a_toolchain_is_written_as_its_schema_says():
    made = receipt(toolchain=Toolchain("zig cc", "0.17.0", "wasm32-wasi", "-O2 -s", "7c" * 32))
    assert json.loads(receipt_bytes(made))["toolchain"] == TOOLCHAIN


def mutated(change):
    """The receipt of the tests after a change to its document, in canonical form (its keys are ASCII and hold no numbers)."""
    document = json.loads(receipt_bytes(receipt()))
    change(document)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_a_receipt_is_written_as_its_schema_says():
    assert json.loads(receipt_bytes(receipt(limits=Limits(5, 6, 7)))) == {
        "schema": "nco/receipt/v1",
        "chain": {
            "chain_id": "localnet",
            "genesis_hash": "4reLvkAWfqk5fsqio1KLudk46cqRz9erQdaHkWZKMJDZ",
            "contract_id": "outlayer.test.near",
        },
        "request": {
            "request_id": "7",
            "sender_id": "alice.test.near",
            "predecessor_id": "client.test.near",
            "transaction_hash": "8GkZaPGkSBGPcQZZyV4ZNcMFqxVJyzQCYcyCJ3qVTQFo",
            "receipt_id": "4hcGSaBFWkWVZ3mHhBhDTrBWzS9MT4uy5KVbwhE6qKfi",
            "block_height": "101",
            "block_timestamp_ns": "1700000000000000000",
            "payment_yocto": "100000000000000000000000",
            "response_format": "Text",
            "compile_only": False,
        },
        "source": {"kind": "WasmUrl", "url": "https://example.com/echo.wasm", "sha256": "ec" * 32, "build_target": "wasm32-wasip1"},
        "toolchain": None,
        "wasm_sha256": "ec" * 32,
        "input_sha256": "1a" * 32,
        "environment_sha256": "2b" * 32,
        "limits": {"max_instructions": "5", "max_memory_mb": "6", "max_execution_seconds": "7"},
        "engine": {"wasmtime": "50.0.1", "settings_sha256": "3c" * 32, "architecture": "x86_64"},
        "outcome": {"success": True, "output_sha256": "4d" * 32, "output_length": "5", "error": None},
        "metrics": {"instructions": "105", "time_ms": "1", "peak_memory_bytes": "65536", "compile_time_ms": None},
        "worker": {
            "account_id": "worker.test.near",
            "public_key": PUBLIC_KEY,
            "version": "0.1.0",
            "tee_mode": "none",
            "root_sha256": None,
            "test_root": False,
        },
        "settings_sha256": "5e" * 32,
        "policy_sha256": "6f" * 32,
        "made_at_ns": "1700000001000000000",
    }


@given(receipts)
def test_each_receipt_is_read_back_as_it_was_and_written_in_canonical_form(made):
    raw = receipt_bytes(made)
    assert parse_receipt(raw) == made
    assert raw == json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(receipts, receipts)
def test_receipts_that_differ_have_hashes_that_differ(one, other):
    assert (receipt_bytes(one) == receipt_bytes(other)) is (one == other)


def test_each_byte_changed_makes_no_receipt_or_another_one():
    raw, original = receipt_bytes(receipt()), receipt()
    for at in range(len(raw)):
        for flipped in {raw[at] ^ 1, 0x22, 0x30} - {raw[at]}:
            mutant = raw[:at] + bytes([flipped]) + raw[at + 1 :]
            assert receipt_sha256_hex(mutant) != receipt_sha256_hex(raw)
            try:
                assert parse_receipt(mutant) != original
            except EvidenceRefused:
                continue


def test_each_truncation_is_refused():
    raw = receipt_bytes(receipt())
    for length in range(len(raw)):
        with pytest.raises(EvidenceRefused):
            parse_receipt(raw[:length])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(schema="nco/receipt/v2"), "schema"),
        (lambda d: d.pop("toolchain"), "lacks 'toolchain'"),
        (lambda d: d.update(toolchain={"name": "zig cc", "version": "1"}), "receipt.toolchain lacks 'target'"),
        (lambda d: d.update(toolchain={**TOOLCHAIN, "more": "x"}), "receipt.toolchain has a field 'more'"),
        (lambda d: d.update(toolchain={**TOOLCHAIN, "name": ""}), "receipt.toolchain: name is ''; 1 to 64 printable"),
        (lambda d: d.update(toolchain={**TOOLCHAIN, "version": "1" * 65}), "receipt.toolchain: version is '1+'; 1 to 64 printable"),
        (lambda d: d.update(toolchain={**TOOLCHAIN, "target": "\x1b[2J"}), "receipt.toolchain: target is"),
        (lambda d: d.update(toolchain={**TOOLCHAIN, "flags": "-O" * 257}), "receipt.toolchain: flags is '-O.*'; at most 512 printable"),
        (lambda d: d.update(toolchain={**TOOLCHAIN, "flags": None}), "receipt.toolchain.flags is None; a string"),
        (lambda d: d.update(toolchain={**TOOLCHAIN, "recipe_sha256": "EC" * 32}), "receipt.toolchain: recipe_sha256 is"),
        (lambda d: d.update(toolchain=[]), "an object is needed"),
        (lambda d: d.update(tape=None), "'tape' that nobody knows"),
        (lambda d: d["worker"].update(more="x"), "receipt.worker has a field 'more'"),
        (lambda d: d["request"].update(request_id="07"), "receipt.request.request_id is '07'"),
        (lambda d: d["request"].update(request_id="+7"), "decimal string"),
        (lambda d: d["request"].update(request_id="\u0667"), "decimal string"),
        (lambda d: d["request"].update(request_id=7), "decimal string"),
        (lambda d: d["request"].update(request_id=str(2**64)), "decimal string"),
        (lambda d: d["request"].update(payment_yocto=str(2**128)), "decimal string"),
        (lambda d: d["request"].update(sender_id=None), "a string"),
        (lambda d: d["request"].update(compile_only="false"), "true or false"),
        (lambda d: d["request"].update(response_format="text"), "Text"),
        (lambda d: d.update(wasm_sha256="EC" * 32), "64 hex digits in lower case"),
        (lambda d: d.update(wasm_sha256="ec" * 31), "64 hex digits"),
        (lambda d: d.update(input_sha256=""), "64 hex digits"),
        (lambda d: d.update(settings_sha256=None), "64 hex digits"),
        (lambda d: d["source"].update(kind="Project"), "receipt.source"),
        (lambda d: d["source"].update(build_target="wasm32-wasip3"), "build_target"),
        (lambda d: d.update(source=[]), "an object is needed"),
        (lambda d: d.update(limits={}), "receipt.limits lacks"),
        (lambda d: d["limits"].update(max_memory_mb="0"), "max_memory_mb"),
        (lambda d: d["outcome"].update(error="why"), "receipt.outcome"),
        (lambda d: d["outcome"].update(output_sha256=None), "receipt.outcome"),
        (lambda d: d["worker"].update(public_key="ed25519:1"), "32 bytes in base58"),
        (lambda d: d["worker"].update(public_key=d["worker"]["public_key"] + " "), "32 bytes in base58"),
        (lambda d: d["worker"].update(public_key="secp256k1:" + "1" * 32), "32 bytes in base58"),
        (lambda d: d["worker"].update(public_key="ed25519:" + "0" * 32), "32 bytes in base58"),
        (lambda d: d["worker"].update(tee_mode="sev"), "none or tdx"),
        (lambda d: d["metrics"].update(time_ms="-1"), "decimal string"),
        (lambda d: d["metrics"].update(time_ms="1.0"), "decimal string"),
    ],
)
def test_a_document_that_is_no_receipt_is_refused_by_the_name_of_its_field(change, reason):
    with pytest.raises(EvidenceRefused, match=reason):
        parse_receipt(mutated(change))


def test_a_receipt_with_a_key_twice_is_refused():
    raw = receipt_bytes(receipt()).replace(b'"toolchain":null', b'"toolchain":null,"toolchain":null')
    with pytest.raises(EvidenceRefused, match="twice"):
        parse_receipt(raw)


def test_a_receipt_that_no_reader_would_take_is_not_written():
    with pytest.raises(EvidenceRefused, match="at most"):
        receipt_bytes(receipt(outcome=Outcome(success=False, error="x" * MAX_RECEIPT_BYTES)))
    with pytest.raises(EvidenceRefused, match="cannot be written"):
        receipt_bytes(receipt(outcome=Outcome(success=False, error="\ud800")))


def test_quotes_and_signatures_bind_the_bytes_under_their_own_domains():
    raw, root = receipt_bytes(receipt()), bytes(range(32))
    assert signature_message(raw) == b"nco/receipt/v1" + raw
    assert receipt_report_data(raw) == hashlib.sha256(b"nco/receipt/v1" + raw).digest() + bytes(32)
    assert batch_report_data(root) == hashlib.sha256(b"nco/batch/v1" + root).digest() + bytes(32)


def test_an_environment_is_told_by_hashes_of_its_values():
    name, value = "NEAR_SENDER_ID", "alice.near"
    listed = f'[["{name}","{hashlib.sha256(value.encode()).hexdigest()}"]]'
    assert environment_sha256_hex(((name, value),)) == hashlib.sha256(listed.encode()).hexdigest()
    assert environment_sha256_hex((("A", "1"), ("B", "2"))) != environment_sha256_hex((("B", "2"), ("A", "1")))


@pytest.mark.parametrize(
    "wrong", [{"success": True, "error": "why"}, {"success": False}, {"success": False, "error": "x", "output_length": 1}]
)
def test_an_outcome_that_contradicts_itself_cannot_be_made(wrong):
    with pytest.raises(ValueError, match="an outcome has"):
        Outcome(**wrong)


def test_a_receipt_of_a_tee_names_its_root():
    worker = replace(receipt().worker, tee_mode=TeeMode.TDX, root_sha256_hex="aa" * 32, is_test_root=True)
    assert parse_receipt(receipt_bytes(receipt(worker=worker))).worker == worker
