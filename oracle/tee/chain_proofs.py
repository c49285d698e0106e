"""
The chain's evidence as JSON: written into a bundle, and read out of a node's answers, which say more than any hash covers.

Shapes: `oracle.tee.proof_fields`.
"""

from base64 import b64encode
from typing import Any

import base58

from oracle.model.proof import BlockProof, ChainProofs, Ending, LightHeader, MerklePath, OutcomeProof, ProvableOutcome
from oracle.tee.fields import Fields
from oracle.tee.proof_fields import (
    BLOCK_PROOF,
    FAILED,
    HEADER,
    INNER_LITE,
    LEFT,
    OUTCOME,
    OUTCOME_PROOF,
    PROOFS,
    RIGHT,
    WITH_ID,
    read_block_proof,
    read_outcome_proof,
)


def outcome_proof_of_node(answer: Any) -> OutcomeProof:
    """
    Read what a node answered.

    Raises:
        EvidenceRefused, KeyError, TypeError: it does not have its shape.
    """
    told = answer["outcome_proof"]
    status = told["outcome"]["status"]
    outcome = {name: told["outcome"][name] for name in OUTCOME} | {"status": FAILED if _is_failure(status) else status}
    document = {
        "outcome_proof": {name: told[name] for name in WITH_ID} | {"outcome": outcome},
        "outcome_root_proof": answer["outcome_root_proof"],
        **_block_document_of_node(answer),
    }
    return read_outcome_proof(Fields("the node's proof", document, OUTCOME_PROOF))


def block_proof_of_node(answer: Any) -> BlockProof:
    """The same of `EXPERIMENTAL_light_client_block_proof`."""
    return read_block_proof(Fields("the node's proof", _block_document_of_node(answer), BLOCK_PROOF))


def proofs_document(proofs: ChainProofs) -> dict[str, object]:
    """As `read_proofs` reads them."""
    values: tuple[object, ...] = (
        _header_document(proofs.head),
        [_outcome_document(proof) for proof in proofs.request],
        [_outcome_document(proof) for proof in proofs.answer],
        None if proofs.settled is None else _outcome_document(proofs.settled),
        [_block_document(block) for block in proofs.blocks],
        _base64(proofs.request_transaction),
        _base64(proofs.answer_transaction),
    )
    return dict(zip(PROOFS, values, strict=True))


def _is_failure(status: Any) -> bool:
    return isinstance(status, dict) and list(status) == [Ending.FAILURE.value]


def _block_document_of_node(answer: Any) -> dict[str, Any]:
    return {"block_header_lite": _header_document_of_node(answer["block_header_lite"]), "block_proof": answer["block_proof"]}


def _header_document_of_node(answer: Any) -> dict[str, Any]:
    """Without what is told twice; a header that commits to more than is known here would have another hash."""
    inner = answer["inner_lite"]
    return {name: answer[name] for name in HEADER} | {"inner_lite": {name: inner[name] for name in INNER_LITE}}


def _outcome_document(proof: OutcomeProof) -> dict[str, object]:
    outcome = proof.outcome
    return {
        "outcome_proof": {
            "proof": _path_document(proof.path),
            "block_hash": _base58(proof.block_hash),
            "id": _base58(outcome.id),
            "outcome": {
                "logs": list(outcome.logs),
                "receipt_ids": [_base58(receipt_id) for receipt_id in outcome.receipt_ids],
                "gas_burnt": outcome.gas_burnt,
                "tokens_burnt": str(outcome.tokens_burnt_yocto),
                "executor_id": outcome.executor_id,
                "status": _status_document(outcome),
            },
        },
        "outcome_root_proof": _path_document(proof.root_path),
        **_block_document(proof.block),
    }


def _status_document(outcome: ProvableOutcome) -> object:
    match outcome.ending:
        case Ending.UNKNOWN:
            return Ending.UNKNOWN.value
        case Ending.FAILURE:
            return FAILED
        case Ending.VALUE:
            return {Ending.VALUE.value: _base64(outcome.value)}
        case Ending.RECEIPT:
            return {Ending.RECEIPT.value: _base58(outcome.value)}


def _block_document(proof: BlockProof) -> dict[str, object]:
    return {"block_header_lite": _header_document(proof.header), "block_proof": _path_document(proof.block_path)}


def _header_document(header: LightHeader) -> dict[str, object]:
    inner: tuple[object, ...] = (
        header.height,
        _base58(header.epoch_id),
        _base58(header.next_epoch_id),
        _base58(header.prev_state_root),
        _base58(header.outcome_root),
        str(header.timestamp_ns),
        _base58(header.next_bp_hash),
        _base58(header.block_merkle_root),
    )
    rest = (_base58(header.inner_rest_hash), _base58(header.prev_block_hash))
    return dict(zip(HEADER, (dict(zip(INNER_LITE, inner, strict=True)), *rest), strict=True))


def _path_document(path: MerklePath) -> list[dict[str, str]]:
    return [{"hash": _base58(step.hash), "direction": LEFT if step.is_left else RIGHT} for step in path]


def _base58(data: bytes) -> str:
    return base58.b58encode(data).decode()


def _base64(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()
