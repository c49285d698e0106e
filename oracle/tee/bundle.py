"""
The bundle: everything that speaks for one execution in one JSON file, so that it can be checked without asking the worker.

It is no evidence by itself. What must not change is the receipt's text, to the byte; the rest is checked against it and may be spelled as
JSON allows.
"""

import hashlib
import json
from base64 import b64encode
from dataclasses import dataclass

import base58

from oracle.errors import EvidenceRefused
from oracle.model import Job
from oracle.model.proof import ChainProofs
from oracle.model.receipt import BatchProof, ReceiptQuote, SignedReceipt
from oracle.tee.canonical import Json, read_strict
from oracle.tee.chain_proofs import proofs_document
from oracle.tee.fields import ED25519_PREFIX, Fields
from oracle.tee.merkle import HASH_BYTES, MAX_TREE_SIZE
from oracle.tee.proof_fields import read_proofs
from oracle.tee.receipt import parse_receipt, receipt_sha256_hex

SCHEMA = "nco/bundle/v1"
MAX_BUNDLE_BYTES = 8 * 1024 * 1024
"""Inputs reach about a MiB, and event log, collateral and compose file some hundred KiB each."""
MAX_BUNDLE_DEPTH = 32
MAX_QUOTE_BYTES = 64 * 1024
SIGNATURE_BYTES = 64

_TOP = ("schema", "receipt", "signature", "input_base64", "output_base64", "attestation", "chain")
_ATTESTATION = ("quote_hex", "event_log", "batch", "collateral", "app_compose")
_BATCH = ("tree_size", "leaf_index", "path")
_CHAIN = ("answer_transaction_hash", "answer_signer_id", "answer_block_hash", "outcome", "registration", "recorded_at_ns", "proofs")
_MOST_SIBLINGS = MAX_TREE_SIZE.bit_length()


@dataclass(frozen=True, slots=True)
class BundleAttestation:
    """
    What vouches for the software: the quote with its event log, and what a verifier needs besides.

    `collateral_json`: Intel's collateral of the quote as dcap-qvl writes it. `app_compose`: the text whose sha256 the event log holds.
    """

    quote: ReceiptQuote
    collateral_json: str | None = None
    app_compose: str | None = None


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """
    What the chain said of the answer when somebody looked; worth what a verifier's own look makes of it.

    `outcome_json`: what `get_outcome` answered. `registration_json`: what the register contract's `get_worker` answered of the key.
    `proofs`: evidence for whoever trusts one block.
    """

    answer_transaction_hash: str | None
    answer_signer_id: str | None
    answer_block_hash: str | None
    outcome_json: str | None
    registration_json: str | None
    recorded_at_ns: int
    proofs: ChainProofs | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as it was read: well-formed, and nothing in it believed yet."""

    receipt: bytes
    signature: bytes
    input_bytes: bytes | None = None
    output_bytes: bytes | None = None
    attestation: BundleAttestation | None = None
    chain: ChainRecord | None = None

    @property
    def receipt_sha256_hex(self) -> str:
        """What the answer on chain must carry."""
        return receipt_sha256_hex(self.receipt)

    def to_json(self) -> str:
        """The file."""
        document = {
            "schema": SCHEMA,
            "receipt": self.receipt.decode(),
            "signature": ED25519_PREFIX + base58.b58encode(self.signature).decode(),
            "input_base64": _base64(self.input_bytes),
            "output_base64": _base64(self.output_bytes),
            "attestation": None if self.attestation is None else _attestation_document(self.attestation),
            "chain": None if self.chain is None else _chain_document(self.chain),
        }
        return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def bundle_of(job: Job, kept: SignedReceipt) -> Bundle:
    """What a worker has kept of an execution, with the output that the receipt speaks of, be it kept with the receipt or with the job."""
    expected_hex = parse_receipt(kept.receipt).outcome.output_sha256_hex
    found = (kept.output, None if job.answer is None else job.answer.output)
    output = next((one for one in found if one is not None and hashlib.sha256(one).hexdigest() == expected_hex), None)
    attestation = None if kept.quote is None else BundleAttestation(kept.quote, kept.quote.collateral_json)
    return Bundle(kept.receipt, kept.signature, None, output, attestation)


def read_bundle(raw: bytes) -> Bundle:
    """
    Read a bundle; the receipt in it must be one (`parse_receipt`).

    Raises:
        EvidenceRefused: it is too long or too deep, has a key twice, or is no bundle; the refusal names the field.
    """
    top = Fields("bundle", read_strict(raw, what="the bundle", max_bytes=MAX_BUNDLE_BYTES, max_depth=MAX_BUNDLE_DEPTH), _TOP)
    top.is_exactly("schema", SCHEMA)
    receipt = top.text("receipt").encode()
    parse_receipt(receipt)
    return Bundle(
        receipt=receipt,
        signature=top.ed25519_bytes("signature", SIGNATURE_BYTES),
        input_bytes=top.maybe("input_base64", top.base64_bytes),
        output_bytes=top.maybe("output_base64", top.base64_bytes),
        attestation=top.maybe("attestation", lambda name: _attestation(top.nested(name, _ATTESTATION))),
        chain=top.maybe("chain", lambda name: _chain(top.nested(name, _CHAIN))),
    )


def _attestation(fields: Fields) -> BundleAttestation:
    quote = fields.hex_bytes("quote_hex", None)
    if not 0 < len(quote) <= MAX_QUOTE_BYTES:
        raise EvidenceRefused(f"bundle.attestation.quote_hex has {len(quote)} bytes; 1 to {MAX_QUOTE_BYTES} are needed")
    batch = fields.maybe("batch", lambda name: _batch(fields.nested(name, _BATCH)))
    return BundleAttestation(
        quote=ReceiptQuote(quote, fields.text("event_log"), batch),
        collateral_json=fields.maybe("collateral", lambda name: _object_text(fields, name)),
        app_compose=fields.maybe("app_compose", fields.text),
    )


def _batch(fields: Fields) -> BatchProof:
    path = fields.raw("path")
    if not isinstance(path, list) or len(path) > _MOST_SIBLINGS:
        raise EvidenceRefused(f"{fields.name('path')} is no list of at most {_MOST_SIBLINGS} hashes")
    names = [str(number) for number in range(len(path))]
    siblings = Fields(fields.name("path"), dict(zip(names, path, strict=True)), names)
    return BatchProof(
        tree_size=fields.small_number("tree_size", MAX_TREE_SIZE),
        leaf_index=fields.small_number("leaf_index", MAX_TREE_SIZE),
        path=tuple(siblings.hex_bytes(name, HASH_BYTES) for name in names),
    )


def _chain(fields: Fields) -> ChainRecord:
    return ChainRecord(
        answer_transaction_hash=fields.maybe("answer_transaction_hash", fields.text),
        answer_signer_id=fields.maybe("answer_signer_id", fields.text),
        answer_block_hash=fields.maybe("answer_block_hash", fields.text),
        outcome_json=fields.maybe("outcome", lambda name: _object_text(fields, name)),
        registration_json=fields.maybe("registration", lambda name: _object_text(fields, name)),
        recorded_at_ns=fields.number("recorded_at_ns"),
        proofs=fields.maybe("proofs", lambda name: read_proofs(fields, name)),
    )


def _object_text(fields: Fields, name: str) -> str:
    """An object that others define, as text for whoever reads it."""
    value = fields.raw(name)
    if not isinstance(value, dict):
        raise EvidenceRefused(f"{fields.name(name)} is no object")
    return json.dumps(value, ensure_ascii=False)


def _attestation_document(attestation: BundleAttestation) -> dict[str, object]:
    quote = attestation.quote
    return {
        "quote_hex": quote.quote.hex(),
        "event_log": quote.event_log,
        "batch": None if quote.batch is None else _batch_document(quote.batch),
        "collateral": _parsed(attestation.collateral_json),
        "app_compose": attestation.app_compose,
    }


def _batch_document(batch: BatchProof) -> dict[str, object]:
    return dict(zip(_BATCH, (batch.tree_size, batch.leaf_index, [sibling.hex() for sibling in batch.path]), strict=True))


def _chain_document(chain: ChainRecord) -> dict[str, object]:
    values: tuple[object, ...] = (
        chain.answer_transaction_hash,
        chain.answer_signer_id,
        chain.answer_block_hash,
        _parsed(chain.outcome_json),
        _parsed(chain.registration_json),
        str(chain.recorded_at_ns),
        None if chain.proofs is None else proofs_document(chain.proofs),
    )
    return dict(zip(_CHAIN, values, strict=True))


def _parsed(text: str | None) -> Json:
    return None if text is None else json.loads(text)


def _base64(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()
