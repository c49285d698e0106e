"""
The chain's evidence in a bundle: `oracle.model.proof` out of JSON, read strictly.

Names, nesting and spelling are those of nearcore's answer to `EXPERIMENTAL_light_client_proof`, without what no hash covers: an outcome's
metadata, the reason of a failure, and the second spelling of a time.
"""

from collections.abc import Callable
from typing import TypeVar

from oracle.errors import EvidenceRefused
from oracle.model.proof import MAX_PATH, BlockProof, ChainProofs, Ending, LightHeader, MerklePath, OutcomeProof, ProvableOutcome, Sibling
from oracle.tee.canonical import Json
from oracle.tee.fields import U128, Fields

MAX_REQUEST_OUTCOMES = 16
MAX_BLOCKS = 8
MAX_LOGS = 1_000
MAX_LOG_BYTES = 262_144
"""A receipt has several calls, each of at most 100 logs and 16,384 bytes of them (NEAR `max_number_logs`, `max_total_log_length`)."""
MAX_RECEIPT_IDS = 1_024
"""NEAR `max_promises_per_function_call_action`."""
MAX_ACCOUNT_BYTES = 64

PROOFS = ("head", "request", "answer", "settled", "blocks", "request_transaction_base64", "answer_transaction_base64")
OUTCOME_PROOF = ("outcome_proof", "outcome_root_proof", "block_header_lite", "block_proof")
WITH_ID = ("proof", "block_hash", "id", "outcome")
OUTCOME = ("logs", "receipt_ids", "gas_burnt", "tokens_burnt", "executor_id", "status")
BLOCK_PROOF = ("block_header_lite", "block_proof")
HEADER = ("inner_lite", "inner_rest_hash", "prev_block_hash")
INNER_LITE = (
    "height",
    "epoch_id",
    "next_epoch_id",
    "prev_state_root",
    "outcome_root",
    "timestamp_nanosec",
    "next_bp_hash",
    "block_merkle_root",
)
_STEP = ("hash", "direction")
LEFT, RIGHT = "Left", "Right"
_MOST_NUMBER = 2**63 - 1
FAILED: Json = {Ending.FAILURE.value: None}
_T = TypeVar("_T")


def read_proofs(fields: Fields, name: str) -> ChainProofs:
    """
    Read a member of an object.

    Raises:
        EvidenceRefused: it names the field.
    """
    proofs = fields.nested(name, PROOFS)
    return ChainProofs(
        head=read_header(proofs.nested("head", HEADER)),
        request=_listed(proofs, "request", MAX_REQUEST_OUTCOMES, OUTCOME_PROOF, read_outcome_proof),
        answer=_listed(proofs, "answer", 2, OUTCOME_PROOF, read_outcome_proof),
        settled=proofs.maybe("settled", lambda name: read_outcome_proof(proofs.nested(name, OUTCOME_PROOF))),
        blocks=_listed(proofs, "blocks", MAX_BLOCKS, BLOCK_PROOF, read_block_proof),
        request_transaction=proofs.maybe("request_transaction_base64", proofs.base64_bytes),
        answer_transaction=proofs.maybe("answer_transaction_base64", proofs.base64_bytes),
    )


def read_outcome_proof(fields: Fields) -> OutcomeProof:
    """An outcome with its way to the head."""
    told = fields.nested("outcome_proof", WITH_ID)
    return OutcomeProof(
        outcome=_outcome(told.nested("outcome", OUTCOME), told.base58_bytes("id")),
        path=_path(told, "proof"),
        root_path=_path(fields, "outcome_root_proof"),
        block_hash=told.base58_bytes("block_hash"),
        block=_block(fields),
    )


def read_block_proof(fields: Fields) -> BlockProof:
    """A block with its way to the head."""
    return _block(fields)


def read_header(fields: Fields) -> LightHeader:
    """A light header."""
    inner = fields.nested("inner_lite", INNER_LITE)
    return LightHeader(
        height=inner.small_number("height", _MOST_NUMBER),
        epoch_id=inner.base58_bytes("epoch_id"),
        next_epoch_id=inner.base58_bytes("next_epoch_id"),
        prev_state_root=inner.base58_bytes("prev_state_root"),
        outcome_root=inner.base58_bytes("outcome_root"),
        timestamp_ns=inner.number("timestamp_nanosec"),
        next_bp_hash=inner.base58_bytes("next_bp_hash"),
        block_merkle_root=inner.base58_bytes("block_merkle_root"),
        inner_rest_hash=fields.base58_bytes("inner_rest_hash"),
        prev_block_hash=fields.base58_bytes("prev_block_hash"),
    )


def _listed(fields: Fields, name: str, most: int, keys: tuple[str, ...], read: Callable[[Fields], _T]) -> tuple[_T, ...]:
    items = fields.items(name, most)
    return tuple(read(items.nested(str(number), keys)) for number in range(len(items)))


def _outcome(fields: Fields, outcome_id: bytes) -> ProvableOutcome:
    logs, receipts = fields.items("logs", MAX_LOGS), fields.items("receipt_ids", MAX_RECEIPT_IDS)
    texts = tuple(logs.text(str(number)) for number in range(len(logs)))
    executor_id = fields.text("executor_id")
    for what, said, most in (("logs", texts, MAX_LOG_BYTES), ("executor_id", (executor_id,), MAX_ACCOUNT_BYTES)):
        try:
            length = sum(len(text.encode()) for text in said)
        except UnicodeEncodeError as error:  # out of a node's answer; a bundle with one is not read so far
            raise EvidenceRefused(f"{fields.name(what)} has half a surrogate pair") from error
        if length > most:
            raise EvidenceRefused(f"{fields.name(what)} has {length} bytes; at most {most} are read")
    ending, value = _status(fields)
    return ProvableOutcome(
        id=outcome_id,
        executor_id=executor_id,
        ending=ending,
        value=value,
        logs=texts,
        receipt_ids=tuple(receipts.base58_bytes(str(number)) for number in range(len(receipts))),
        gas_burnt=fields.small_number("gas_burnt", _MOST_NUMBER),
        tokens_burnt_yocto=fields.number("tokens_burnt", U128),
    )


def _status(fields: Fields) -> tuple[Ending, bytes]:
    status = fields.raw("status")
    if status == Ending.UNKNOWN.value:
        return Ending.UNKNOWN, b""
    if status == FAILED:
        return Ending.FAILURE, b""
    name = next(iter(status), None) if isinstance(status, dict) else None
    if name == Ending.VALUE.value:
        return Ending.VALUE, fields.nested("status", (name,)).base64_bytes(name)
    if name == Ending.RECEIPT.value:
        return Ending.RECEIPT, fields.nested("status", (name,)).base58_bytes(name)
    raise EvidenceRefused(f"{fields.name('status')} is no status of an outcome ({', '.join(Ending)})")


def _block(fields: Fields) -> BlockProof:
    return BlockProof(read_header(fields.nested("block_header_lite", HEADER)), _path(fields, "block_proof"))


def _path(fields: Fields, name: str) -> MerklePath:
    return _listed(fields, name, MAX_PATH, _STEP, _step)


def _step(fields: Fields) -> Sibling:
    direction = fields.text("direction")
    if direction not in {LEFT, RIGHT}:
        raise EvidenceRefused(f"{fields.name('direction')} is {direction[:20]!r}; {LEFT} or {RIGHT} is needed")
    return Sibling(fields.base58_bytes("hash"), direction == LEFT)
