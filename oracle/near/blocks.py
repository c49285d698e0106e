"""A block of a neardata-style API read into what it says of our contract (NEAR indexer's shape, with `tx_hash` beside each receipt)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from oracle.errors import RpcUnavailable
from oracle.model import BlockEvents, Cursor, Origin
from oracle.near.events import DEFAULT_STANDARD, ContractEvent, events_of_logs

_HEAD = b'{"block":'


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose events, and the `standard` they carry."""

    contract_id: str
    standard: str = DEFAULT_STANDARD


@dataclass(frozen=True, slots=True)
class BlockRead:
    """A block and the hash of the one before it."""

    block: BlockEvents
    prev_hash: str


def read_block(body: bytes, watched: Watched) -> BlockRead | None:
    """
    Read a block; None for `null`, a height that no block has.

    Only receipts that the contract itself executed, and with success, count: the logs of a failed receipt are of things undone.

    Raises:
        RpcUnavailable: it is not a block.
    """
    try:
        if watched.contract_id.encode() not in body:
            # Most blocks say nothing to us, and the shards are all of their megabytes.
            return _without_shards(body)
        message = json.loads(body)
        return None if message is None else _read(message, watched)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise RpcUnavailable(f"the block API sent something that is no block ({type(error).__name__})") from error


def _without_shards(body: bytes) -> BlockRead | None:
    if body.startswith(_HEAD):
        text = body.decode()
        header_and_chunks, _ = json.JSONDecoder().raw_decode(text, text.index("{", len(_HEAD)))
        return _of_header(header_and_chunks["header"], ())
    message = json.loads(body)
    return None if message is None else _of_header(message["block"]["header"], ())


def _read(message: Any, watched: Watched) -> BlockRead:
    header = message["block"]["header"]
    height, timestamp_ns = int(header["height"]), _timestamp_ns(header)
    events: list[ContractEvent] = []
    for receipt_outcome in _receipt_outcomes(message["shards"]):
        receipt, outcome = receipt_outcome["receipt"], receipt_outcome["execution_outcome"]["outcome"]
        if receipt["receiver_id"] != watched.contract_id or outcome.get("executor_id", watched.contract_id) != watched.contract_id:
            continue
        if not outcome["logs"] or not _succeeded(outcome["status"]):
            continue
        origin = Origin(
            transaction_hash=str(receipt_outcome.get("tx_hash") or ""),
            receipt_id=str(receipt["receipt_id"]),
            block_height=height,
            block_timestamp_ns=timestamp_ns,
            signer_public_key=_signer_public_key(receipt["receipt"]),
            gas_burnt=int(outcome.get("gas_burnt") or 0),
        )
        events.extend(events_of_logs([str(log) for log in outcome["logs"]], origin, standard=watched.standard))
    return _of_header(header, tuple(events))


def _receipt_outcomes(shards: Any) -> Iterator[Any]:
    for shard in shards:
        yield from shard["receipt_execution_outcomes"]


def _succeeded(status: object) -> bool:
    return isinstance(status, dict) and ("SuccessValue" in status or "SuccessReceiptId" in status)


def _signer_public_key(receipt: Any) -> str:
    action = receipt.get("Action")
    return str(action["signer_public_key"]) if isinstance(action, dict) and "signer_public_key" in action else ""


def _of_header(header: Any, events: tuple[ContractEvent, ...]) -> BlockRead:
    cursor = Cursor(int(header["height"]), str(header["hash"]))
    return BlockRead(BlockEvents(cursor, _timestamp_ns(header), events), str(header["prev_hash"]))


def _timestamp_ns(header: Any) -> int:
    return int(header["timestamp_nanosec"] if "timestamp_nanosec" in header else header["timestamp"])
