"""A block of a neardata-style API read into what it says of our contract (NEAR indexer's shape, with `tx_hash` beside each receipt)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from oracle.errors import RpcUnavailable
from oracle.model import BlockEvents, Cursor, Origin
from oracle.near.events import DEFAULT_STANDARD, ContractEvent, events_of_logs
from oracle.near.rpc import MAX_HEIGHT, MAX_TIMESTAMP_NS

_HEAD = b'{"block":'
_MAX_HASH_CHARS, _MAX_KEY_CHARS = 64, 128
"""32 bytes in base58 take 44 characters, the longest public key with its prefix 98."""
_MAX_GAS = 2**63 - 1


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
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError) as error:
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
    height, timestamp_ns = _height(header), _timestamp_ns(header)
    events: list[ContractEvent] = []
    for receipt_outcome in _receipt_outcomes(message["shards"]):
        receipt, outcome = receipt_outcome["receipt"], receipt_outcome["execution_outcome"]["outcome"]
        if receipt["receiver_id"] != watched.contract_id or outcome.get("executor_id", watched.contract_id) != watched.contract_id:
            continue
        if not outcome["logs"] or not _succeeded(outcome["status"]):
            continue
        origin = Origin(
            transaction_hash=_storable(receipt_outcome.get("tx_hash") or "", _MAX_HASH_CHARS),
            receipt_id=_storable(receipt["receipt_id"], _MAX_HASH_CHARS),
            block_height=height,
            block_timestamp_ns=timestamp_ns,
            signer_public_key=_signer_public_key(receipt["receipt"]),
            gas_burnt=min(max(int(outcome.get("gas_burnt") or 0), 0), _MAX_GAS),
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
    return _storable(action["signer_public_key"], _MAX_KEY_CHARS) if isinstance(action, dict) and "signer_public_key" in action else ""


def _storable(value: object, max_chars: int) -> str:
    """A text that a guest or a person is told and nothing rests on: an odd one is cut, for it must not keep the block from us."""
    return str(value)[:max_chars].encode("utf-8", "replace").decode()


def _of_header(header: Any, events: tuple[ContractEvent, ...]) -> BlockRead:
    cursor = Cursor(_height(header), _hash(header["hash"]))
    return BlockRead(BlockEvents(cursor, _timestamp_ns(header), events), _hash(header["prev_hash"]))


def _hash(value: object) -> str:
    if not (isinstance(value, str) and value.isascii() and value.isprintable() and len(value) <= _MAX_HASH_CHARS):
        raise ValueError("no hash")
    return value


def _height(header: Any) -> int:
    return _in_range(int(header["height"]), MAX_HEIGHT)


def _timestamp_ns(header: Any) -> int:
    return _in_range(int(header["timestamp_nanosec"] if "timestamp_nanosec" in header else header["timestamp"]), MAX_TIMESTAMP_NS)


def _in_range(number: int, largest: int) -> int:
    if not 0 <= number <= largest:
        raise ValueError("out of range")
    return number
