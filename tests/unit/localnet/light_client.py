"""
What a light client checks, over JSON and with nothing of localnet: hashes are computed anew, and paths are walked.

Source: nomicon, ChainSpec/LightClient.
"""

import struct
from base64 import b64decode
from hashlib import sha256

import base58


def raw(text):
    return base58.b58decode(text)


def digest(*parts):
    return sha256(b"".join(parts)).digest()


def counted(data):
    return struct.pack("<I", len(data)) + data


def walked(path, node):
    for item in path:
        beside = raw(item["hash"])
        node = digest(beside, node) if item["direction"] == "Left" else digest(node, beside)
    return node


def status_bytes(status):
    match status:
        case {"Failure": _}:
            return b"\1"
        case {"SuccessValue": value}:
            return b"\2" + counted(b64decode(value))
        case {"SuccessReceiptId": receipt_id}:
            return b"\3" + raw(receipt_id)


def outcome_leaf(shown):
    outcome = shown["outcome"]
    receipts = [raw(receipt_id) for receipt_id in outcome["receipt_ids"]]
    partial = digest(
        struct.pack("<I", len(receipts)),
        *receipts,
        struct.pack("<Q", outcome["gas_burnt"]),
        int(outcome["tokens_burnt"]).to_bytes(16, "little"),
        counted(outcome["executor_id"].encode()),
        status_bytes(outcome["status"]),
    )
    hashes = [raw(shown["id"]), partial, *(digest(log.encode()) for log in outcome["logs"])]
    return digest(struct.pack("<I", len(hashes)), *hashes)


def light_hash(light):
    inner = light["inner_lite"]
    inner_lite = digest(
        struct.pack("<Q", inner["height"]),
        *(raw(inner[name]) for name in ("epoch_id", "next_epoch_id", "prev_state_root", "outcome_root")),
        struct.pack("<Q", int(inner["timestamp_nanosec"])),
        *(raw(inner[name]) for name in ("next_bp_hash", "block_merkle_root")),
    )
    return digest(digest(inner_lite, raw(light["inner_rest_hash"])), raw(light["prev_block_hash"]))


def block_is_proven(answer, head):
    """`head` is the header that is trusted, as `block` shows it."""
    block_hash = light_hash(answer["block_header_lite"])
    if not answer["block_proof"]:
        # The head itself; or the one block before the second.
        return block_hash in (raw(head["hash"]), raw(head["block_merkle_root"]))
    return walked(answer["block_proof"], block_hash) == raw(head["block_merkle_root"])


def outcome_is_proven(answer, head):
    """Whether the outcome happened on the chain of `head`."""
    outcome, light = answer["outcome_proof"], answer["block_header_lite"]
    chunk_root = walked(outcome["proof"], outcome_leaf(outcome))
    outcome_root = walked(answer["outcome_root_proof"], digest(chunk_root))
    return (
        outcome_root == raw(light["inner_lite"]["outcome_root"])
        and raw(outcome["block_hash"]) == light_hash(light)
        and block_is_proven(answer, head)
    )
