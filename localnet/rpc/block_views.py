"""
Blocks and chunks in the JSON of NEAR nodes and of block streams.

This chain has one shard, one validator, no trie and no signatures. What it does not have is shown as zeros, and so it is hashed
(`localnet.values.header`). The chunk's hash is the block's read backwards, so that either leads to the other.

Source: near-primitives 0.38, `views.rs` (BlockView, ChunkView); near-indexer-primitives 0.38 (StreamerMessage), with FastNear's `tx_hash`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from localnet.rpc.views import Json, outcome_view, receipt_view, signature_text, transaction_view
from localnet.values.block import Block, ExecutedReceipt
from localnet.values.hashes import NO_HASH, CryptoHash, hash_to_text
from localnet.values.header import Header
from localnet.values.keys import PublicKey
from localnet.values.merkle import MerklePath

SHARD_ID = 0

_NOTHING = hash_to_text(NO_HASH)
_NO_SIGNATURE = signature_text(bytes(64))
_NANOS = 10**9


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What is the same in every block of a chain."""

    chain_id: str
    validator_id: str
    """The account that holds the genesis money; it is written as the author of each block."""
    validator_key: PublicKey
    first: Header
    """The oldest block that was kept when the server began; the genesis block, unless it is forgotten."""
    total_supply_yocto: int
    gas_price_yocto: int
    block_gas_limit: int


def time_text(timestamp_ns: int) -> str:
    """ISO 8601 with nine decimals, as nodes write a block's time."""
    seconds, nanos = divmod(timestamp_ns, _NANOS)
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09}Z"


def chunk_hash(block_hash: bytes) -> CryptoHash:
    """The hash of a block's one chunk, and the way back."""
    return CryptoHash(block_hash[::-1])


def header_view(header: Header) -> Json:
    """`BlockHeaderView`, whole: Rust clients parse it strictly, and the hash follows from it."""
    prev_hash = hash_to_text(header.prev_hash)
    return {
        "height": header.height,
        "prev_height": header.prev_height,
        "epoch_id": hash_to_text(header.epoch_id),
        "next_epoch_id": hash_to_text(header.next_epoch_id),
        "hash": hash_to_text(header.hash),
        "prev_hash": prev_hash,
        "prev_state_root": _NOTHING,
        "block_body_hash": _NOTHING,
        "chunk_receipts_root": _NOTHING,
        "chunk_headers_root": _NOTHING,
        "chunk_tx_root": _NOTHING,
        "outcome_root": hash_to_text(header.outcome_root),
        "chunks_included": 1,
        "challenges_root": _NOTHING,
        "timestamp": header.timestamp_ns,
        "timestamp_nanosec": str(header.timestamp_ns),
        "random_value": hash_to_text(header.random_value),
        "validator_proposals": [],
        "chunk_mask": [True],
        "gas_price": str(header.terms.gas_price_yocto),
        "block_ordinal": header.height + 1,
        "rent_paid": "0",
        "validator_reward": "0",
        "total_supply": str(header.terms.total_supply_yocto),
        "challenges_result": [],
        # A block is final as soon as it is there: when this one was made, the one before it.
        "last_final_block": prev_hash,
        "last_ds_final_block": prev_hash,
        "next_bp_hash": _NOTHING,
        "block_merkle_root": hash_to_text(header.block_merkle_root),
        "epoch_sync_data_hash": None,
        "approvals": [],
        "signature": _NO_SIGNATURE,
        "latest_protocol_version": header.terms.protocol_version,
        "chunk_endorsements": [[]],
        "shard_split": None,
    }


def chunk_header_view(block: Block, facts: ChainFacts) -> Json:
    """`ChunkHeaderView` of the block's one chunk."""
    outcomes = [*(each.outcome for each in block.transactions), *(each.outcome for each in block.executed)]
    return {
        "chunk_hash": hash_to_text(chunk_hash(block.header.hash)),
        "prev_block_hash": hash_to_text(block.header.prev_hash),
        "outcome_root": hash_to_text(block.header.chunk_outcome_root),
        "prev_state_root": _NOTHING,
        "encoded_merkle_root": _NOTHING,
        "encoded_length": 0,
        "height_created": block.header.height,
        "height_included": block.header.height,
        "shard_id": SHARD_ID,
        "gas_used": sum(outcome.gas_burnt for outcome in outcomes),
        "gas_limit": facts.block_gas_limit,
        "rent_paid": "0",
        "validator_reward": "0",
        "balance_burnt": str(sum(outcome.tokens_burnt_yocto for outcome in outcomes)),
        "outgoing_receipts_root": _NOTHING,
        "tx_root": _NOTHING,
        "validator_proposals": [],
        "congestion_info": None,
        "bandwidth_requests": None,
        "signature": _NO_SIGNATURE,
    }


def block_view(block: Block, facts: ChainFacts) -> Json:
    """`BlockView`: author, header, chunk headers."""
    return {"author": facts.validator_id, "header": header_view(block.header), "chunks": [chunk_header_view(block, facts)]}


def chunk_view(block: Block, facts: ChainFacts) -> Json:
    """`ChunkView`: the block's transactions, and the receipts that came in from earlier blocks."""
    local = _local_ids(block)
    return {
        "author": facts.validator_id,
        "header": chunk_header_view(block, facts),
        "transactions": [transaction_view(each.signed) for each in block.transactions],
        "receipts": [receipt_view(receipt) for receipt in block.receipts if receipt.receipt_id not in local],
    }


def stream_view(block: Block, facts: ChainFacts) -> Json:
    """`StreamerMessage`: a block with all that happened in it."""
    ids = _local_ids(block)
    local = {receipt.receipt_id: receipt_view(receipt) for receipt in block.receipts if receipt.receipt_id in ids}
    transactions: list[Json] = []
    for place, each in enumerate(block.transactions):
        # Only a receipt to oneself comes in with its transaction; any other is shown by the block that takes it.
        made = next((local[receipt_id] for receipt_id in each.outcome.receipt_ids if receipt_id in local), None)
        outcome = {"execution_outcome": outcome_view(each.outcome, block.outcome_tree.path_at(place)), "receipt": made}
        transactions.append({"transaction": transaction_view(each.signed), "outcome": outcome})
    chunk = chunk_view(block, facts) | {"transactions": transactions, "local_receipts": [*local.values()], "instant_receipts": []}
    shard = {
        "shard_id": SHARD_ID,
        "chunk": chunk,
        "receipt_execution_outcomes": [
            _executed_view(each, block.outcome_tree.path_at(place)) for place, each in enumerate(block.executed, len(transactions))
        ],
        "state_changes": [],
    }
    return {"block": block_view(block, facts), "shards": [shard]}


def _executed_view(executed: ExecutedReceipt, path: MerklePath) -> Json:
    return {
        "execution_outcome": outcome_view(executed.outcome, path),
        "receipt": receipt_view(executed.receipt),
        "tx_hash": hash_to_text(executed.receipt.tx_hash),
    }


def _local_ids(block: Block) -> frozenset[CryptoHash]:
    """The receipts that the block's own transactions made; those among the block's receipts are local ones."""
    return frozenset(receipt_id for each in block.transactions for receipt_id in each.outcome.receipt_ids)
