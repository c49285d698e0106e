"""Bundles: read back as they were written, refused by the name of what is wrong, and never a crash."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.errors import EvidenceRefused
from oracle.model import Answer, Job, Origin
from oracle.model.receipt import BatchProof, Outcome, ReceiptQuote, SignedReceipt
from oracle.tee.bundle import MAX_BUNDLE_BYTES, Bundle, BundleAttestation, ChainRecord, bundle_of, read_bundle
from oracle.tee.receipt import receipt_bytes, receipt_sha256_hex
from oracle.testing.chain import request
from oracle.testing.receipts import PUBLIC_KEY, receipt

RAW = receipt_bytes(receipt())
SIGNATURE = bytes(range(64))
BATCH = BatchProof(3, 1, (b"\x01" * 32, b"\x02" * 32))
FULL = Bundle(
    receipt=RAW,
    signature=SIGNATURE,
    input_bytes=b"hello",
    output_bytes=b"\x00\xff",
    attestation=BundleAttestation(ReceiptQuote(b"\x04\x00quote", '[{"imr": 3}]', BATCH), '{"tcb_info": "…", "n": 5}', "services: {}"),
    chain=ChainRecord("tx", "worker.test.near", "block", '{"status": "Succeeded"}', '{"public_key": "ed25519:1"}', 1_700_000_002 * 10**9),
)
BARE = Bundle(RAW, SIGNATURE)


def changed(change):
    document = json.loads(FULL.to_json())
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize("bundle", [FULL, BARE], ids=["full", "bare"])
def test_a_bundle_is_read_back_as_it_was(bundle):
    assert read_bundle(bundle.to_json().encode()) == bundle


@given(st.binary(max_size=50), st.none() | st.binary(max_size=50), st.text(max_size=30), st.none() | st.text(max_size=30))
def test_whatever_bytes_and_texts_a_bundle_holds_are_read_back(signature, output, event_log, app_compose):
    attestation = BundleAttestation(ReceiptQuote(b"q", event_log), None, app_compose)
    bundle = Bundle(RAW, signature.ljust(64, b"\x00")[:64], None, output, attestation)
    assert read_bundle(bundle.to_json().encode()) == bundle


def test_a_bundle_of_what_a_worker_has_kept_holds_the_receipt_to_the_byte():
    raw = receipt_bytes(receipt(outcome=Outcome(True, hashlib.sha256(b"out").hexdigest(), 3)))
    kept = SignedReceipt(7, raw, receipt_sha256_hex(raw), PUBLIC_KEY, SIGNATURE, ReceiptQuote(b"q", "[]", BATCH))
    job = Job(request(7), Origin(), answer=Answer(7, True, b"out"))
    bundle = bundle_of(job, kept)
    assert json.loads(bundle.to_json())["receipt"].encode() == raw
    assert bundle.receipt_sha256_hex == kept.receipt_sha256_hex
    assert (bundle.attestation, bundle.output_bytes) == (BundleAttestation(kept.quote), b"out")


@pytest.mark.parametrize("answer", [None, Answer(7, True, b"of a second run after a kill")])
def test_an_output_that_is_kept_with_its_receipt_is_part_of_the_bundle_whatever_the_job_ended_with(answer):
    raw = receipt_bytes(receipt(outcome=Outcome(True, hashlib.sha256(b' {"a": 1.50}\n').hexdigest(), 13)))
    kept = SignedReceipt(7, raw, receipt_sha256_hex(raw), PUBLIC_KEY, SIGNATURE, output=b' {"a": 1.50}\n')
    assert bundle_of(Job(request(7), Origin(), answer=answer), kept).output_bytes == b' {"a": 1.50}\n'
    assert bundle_of(Job(request(7), Origin(), answer=answer), replace(kept, output=b"damaged")).output_bytes is None


def test_an_output_of_another_run_is_no_part_of_a_bundle():
    kept = SignedReceipt(7, RAW, receipt_sha256_hex(RAW), PUBLIC_KEY, SIGNATURE)
    job = Job(request(7), Origin(), answer=Answer(7, True, b"of a second run after a kill"))
    assert bundle_of(job, kept) == Bundle(RAW, SIGNATURE)


def test_a_bundle_may_be_spelled_in_another_way_as_long_as_its_receipt_is_the_same():
    assert read_bundle(json.dumps(json.loads(FULL.to_json()), indent=4).encode()) == FULL


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(schema="nco/bundle/v2"), "schema"),
        (lambda d: d.update(more=1), "'more'"),
        (lambda d: d.pop("chain"), "lacks 'chain'"),
        (lambda d: d.update(receipt=d["receipt"] + " "), "canonical"),
        (lambda d: d.update(receipt="{}"), "receipt lacks"),
        (lambda d: d.update(receipt=json.loads(d["receipt"])), "bundle.receipt"),
        (lambda d: d.update(signature=None), "bundle.signature"),
        (lambda d: d.update(signature="ed25519:abc"), "64 bytes in base58"),
        (lambda d: d.update(signature="ed25519:" + "z" * 100_000), "64 bytes in base58"),
        (lambda d: d.update(signature=d["signature"] + "\n"), "64 bytes in base58"),
        (lambda d: d.update(input_base64="aGVsbG8"), "base64"),
        (lambda d: d.update(input_base64="aGVs bG8="), "base64"),
        (lambda d: d.update(output_base64="AP9="), "base64 in its one spelling"),
        (lambda d: d.update(output_base64=5), "a string"),
        (lambda d: d["attestation"].update(quote_hex=""), "1 to 65536"),
        (lambda d: d["attestation"].update(quote_hex="00" * 70_000), "1 to 65536"),
        (lambda d: d["attestation"].update(quote_hex="0"), "hex digits"),
        (lambda d: d["attestation"].update(quote_hex="0g"), "hex digits"),
        (lambda d: d["attestation"].update(event_log=[]), "a string"),
        (lambda d: d["attestation"].update(collateral=[]), "no object"),
        (lambda d: d["attestation"]["batch"].update(path={}), "no list"),
        (lambda d: d["attestation"]["batch"].update(path=["00" * 32] * 40), "at most 33 hashes"),
        (lambda d: d["attestation"]["batch"].update(path=["00" * 31]), "64 hex digits"),
        (lambda d: d["attestation"]["batch"].update(tree_size=-1), "tree_size"),
        (lambda d: d["attestation"]["batch"].update(tree_size=True), "tree_size"),
        (lambda d: d["attestation"]["batch"].update(leaf_index="1"), "leaf_index"),
        (lambda d: d["chain"].update(outcome="x"), "no object"),
        (lambda d: d["chain"].update(recorded_at_ns=5), "decimal string"),
        (lambda d: d["chain"].update(outcome={"charged": 1.5}), "no whole number"),
    ],
)
def test_what_is_no_bundle_is_refused_by_the_name_of_its_field(change, reason):
    with pytest.raises(EvidenceRefused, match=reason):
        read_bundle(changed(change))


def test_a_key_twice_is_refused_wherever_it_is():
    for inside in (b'"status": "Succeeded"', b'"imr": 3', b'"schema": "nco/bundle/v1"', b'"tree_size": 3'):
        raw = FULL.to_json().encode()
        if inside in raw:  # the event log is text within text, which only its own reader opens
            with pytest.raises(EvidenceRefused, match="twice"):
                read_bundle(raw.replace(inside, inside + b", " + inside, 1))


def test_each_byte_changed_is_refused_or_read_and_crashes_nothing():
    raw = FULL.to_json().encode()
    for at in range(len(raw)):
        try:
            read_bundle(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        except EvidenceRefused:
            continue


def test_what_is_too_long_or_too_deep_is_refused_unread():
    with pytest.raises(EvidenceRefused, match="at most"):
        read_bundle(b" " * (MAX_BUNDLE_BYTES + 1))
    with pytest.raises(EvidenceRefused, match="deeper"):
        read_bundle(b"[" * 100_000)
