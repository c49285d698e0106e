"""Proofs in a bundle: read back as they were, kept as near-primitives tells them, and refused by the name of what is wrong."""

import copy
import json
from pathlib import Path

import pytest

from oracle.errors import EvidenceRefused
from oracle.model.proof import ChainProofs, Ending
from oracle.tee.bundle import Bundle, ChainRecord, read_bundle
from oracle.tee.chain_proofs import block_proof_of_node, outcome_proof_of_node, proofs_document
from oracle.tee.proof_fields import MAX_BLOCKS, MAX_LOGS, MAX_PATH, MAX_RECEIPT_IDS, MAX_REQUEST_OUTCOMES
from oracle.tee.receipt import receipt_bytes
from oracle.testing.receipts import receipt

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "light_client" / "proofs.json").read_text())
PROOFS = [outcome_proof_of_node(answer) for answer in VECTORS["proofs"]]
FULL = ChainProofs(
    head=block_proof_of_node({"block_header_lite": VECTORS["head"], "block_proof": []}).header,
    request=tuple(PROOFS[:3]),
    answer=tuple(PROOFS[3:5]),
    settled=PROOFS[5],
    blocks=tuple(block_proof_of_node(answer) for answer in VECTORS["blocks"][:2]),
    request_transaction=b"asked",
    answer_transaction=b"answered",
)
BARE = ChainProofs(FULL.head)


def bundle_of(proofs):
    return Bundle(receipt_bytes(receipt()), bytes(64), chain=ChainRecord(None, None, None, None, None, 5, proofs))


def read(proofs_json):
    document = json.loads(bundle_of(BARE).to_json())
    document["chain"]["proofs"] = proofs_json
    return read_bundle(json.dumps(document).encode()).chain.proofs


@pytest.mark.parametrize("proofs", [FULL, BARE, None], ids=["full", "bare", "none"])
def test_proofs_are_read_back_as_they_were(proofs):
    assert read_bundle(bundle_of(proofs).to_json().encode()).chain.proofs == proofs


def test_every_ending_is_read_back_as_it_was():
    for start in range(0, len(PROOFS), MAX_REQUEST_OUTCOMES):
        some = ChainProofs(FULL.head, request=tuple(PROOFS[start : start + MAX_REQUEST_OUTCOMES]))
        assert read(json.loads(json.dumps(proofs_document(some)))) == some
    assert {proof.outcome.ending for proof in PROOFS} == set(Ending)


def kept(value, told):
    """Whether everything that is written is told by the node in the same words."""
    match value:
        case dict():
            return all(name in told and kept(inner, told[name]) for name, inner in value.items() if (name, inner) != ("Failure", None))
        case list():
            return len(value) == len(told) and all(kept(*pair) for pair in zip(value, told, strict=True))
    return value == told


def test_what_is_written_is_what_nearcore_tells_in_the_same_words():
    for answer, proof in zip(VECTORS["proofs"], PROOFS, strict=True):
        (written,) = proofs_document(ChainProofs(FULL.head, request=(proof,)))["request"]
        assert kept(written, answer)


STEP = {"hash": "1" * 32, "direction": "Left"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(more=1), "proofs has a field 'more'"),
        (lambda d: d.pop("head"), "proofs lacks 'head'"),
        (lambda d: d.update(head=None), "proofs.head is None"),
        (lambda d: d["head"]["inner_lite"].update(height=-1), "inner_lite.height"),
        (lambda d: d["head"]["inner_lite"].update(height=2**63), "inner_lite.height"),
        (lambda d: d["head"]["inner_lite"].update(timestamp_nanosec=5), "timestamp_nanosec"),
        (lambda d: d["head"]["inner_lite"].update(timestamp=5), "'timestamp'"),
        (lambda d: d["head"]["inner_lite"].update(chunk_execution_root="1" * 32), "chunk_execution_root"),
        (lambda d: d["head"].update(inner_rest_hash="1" * 31), "32 bytes in base58"),
        (lambda d: d["head"].update(inner_rest_hash=d["head"]["inner_rest_hash"] + " "), "32 bytes in base58"),
        (lambda d: d["head"].update(inner_rest_hash="z" * 100_000), "32 bytes in base58"),
        (lambda d: d.update(request={}), "proofs.request is no list of at most 16"),
        (lambda d: d.update(request=d["request"] * 6), "proofs.request is no list of at most 16"),
        (lambda d: d.update(answer=d["request"]), "proofs.answer is no list of at most 2"),
        (lambda d: d.update(blocks=d["blocks"] * (MAX_BLOCKS // 2 + 1)), "proofs.blocks is no list of at most 8"),
        (lambda d: d["settled"].update(block_proof=[STEP] * (MAX_PATH + 1)), "block_proof is no list of at most 64"),
        (lambda d: d["settled"].update(outcome_root_proof=[STEP | {"direction": "Up"}]), "Left or Right"),
        (lambda d: outcome(d).update(logs=["x"] * (MAX_LOGS + 1)), "logs is no list of at most 1000"),
        (lambda d: outcome(d).update(logs=["é" * 140_000]), "logs has 280000 bytes; at most 262144"),
        (lambda d: outcome(d).update(logs=[7]), "a string"),
        (lambda d: outcome(d).update(receipt_ids=["1" * 32] * (MAX_RECEIPT_IDS + 1)), "receipt_ids is no list of at most 1024"),
        (lambda d: outcome(d).update(executor_id="x" * 65), "executor_id has 65 bytes; at most 64"),
        (lambda d: outcome(d).update(gas_burnt="5"), "gas_burnt"),
        (lambda d: outcome(d).update(tokens_burnt=5), "tokens_burnt"),
        (lambda d: outcome(d).update(status="SuccessValue"), "no status of an outcome"),
        (lambda d: outcome(d).update(status={}), "no status of an outcome"),
        (lambda d: outcome(d).update(status={"Failure": {}}), "no status of an outcome"),
        (lambda d: outcome(d).update(status={"SuccessValue": "", "Failure": None}), "'Failure'"),
        (lambda d: outcome(d).update(status={"SuccessValue": "AA"}), "base64"),
        (lambda d: outcome(d).update(status={"SuccessReceiptId": "1"}), "32 bytes in base58"),
        (lambda d: outcome(d).update(metadata={}), "'metadata'"),
        (lambda d: d.update(answer_transaction_base64="?"), "base64"),
    ],
)
def test_what_is_no_proof_is_refused_by_the_name_of_its_field(change, reason):
    document = json.loads(json.dumps(proofs_document(FULL)))
    change(document)
    with pytest.raises(EvidenceRefused, match=reason):
        read(document)


def outcome(document):
    return document["settled"]["outcome_proof"]["outcome"]


@pytest.mark.parametrize(("name", "odd"), [("logs", ["\ud800"]), ("executor_id", "\ud800")])
def test_half_a_surrogate_pair_in_a_nodes_answer_is_refused(name, odd):
    answer = copy.deepcopy(VECTORS["proofs"][0])
    answer["outcome_proof"]["outcome"][name] = odd
    with pytest.raises(EvidenceRefused, match=f"{name} has half a surrogate pair"):
        outcome_proof_of_node(answer)


PLACES = [
    ("outcome_proof",),
    ("outcome_proof", "outcome"),
    ("outcome_proof", "proof"),
    ("block_header_lite", "inner_lite"),
    ("block_proof",),
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("odd", [None, 7, "text", [7], {}])
def test_a_node_that_answers_out_of_shape_is_refused(place, odd):
    answer = copy.deepcopy(VECTORS["proofs"][0])
    inner = answer
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = odd
    with pytest.raises((EvidenceRefused, KeyError, TypeError)):
        outcome_proof_of_node(answer)
