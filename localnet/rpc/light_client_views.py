"""
Proofs in the JSON of NEAR nodes.

Source: near-primitives 0.38, `views.rs` (LightClientBlockLiteView, BlockHeaderInnerLiteView); near-jsonrpc-primitives 0.38,
`types/light_client.rs`.
"""

from localnet.rpc.views import Json, outcome_view, path_view
from localnet.state.evidence import OutcomeProof
from localnet.values.hashes import NO_HASH, hash_to_text
from localnet.values.header import Header
from localnet.values.merkle import MerklePath

_NOTHING = hash_to_text(NO_HASH)


def block_proof_view(block: Header, path: MerklePath) -> Json:
    """`RpcLightClientBlockProofResponse`: what the block's hash follows from, and the path from there to a head's block tree."""
    return {"block_header_lite": _lite_view(block), "block_proof": path_view(path)}


def outcome_proof_view(proof: OutcomeProof, block_path: MerklePath) -> Json:
    """`RpcLightClientExecutionProofResponse`. The outcome names the block whose header commits to it, which is the one after its own."""
    # A root over the roots of one chunk: nothing stands beside it.
    outcome = outcome_view(proof.outcome, proof.path) | {"block_hash": hash_to_text(proof.header.hash)}
    return {"outcome_proof": outcome, "outcome_root_proof": [], **block_proof_view(proof.header, block_path)}


def _lite_view(header: Header) -> Json:
    inner_lite = {
        "height": header.height,
        "epoch_id": hash_to_text(header.epoch_id),
        "next_epoch_id": hash_to_text(header.next_epoch_id),
        "prev_state_root": _NOTHING,
        "outcome_root": hash_to_text(header.outcome_root),
        "timestamp": header.timestamp_ns,
        "timestamp_nanosec": str(header.timestamp_ns),
        "next_bp_hash": _NOTHING,
        "block_merkle_root": hash_to_text(header.block_merkle_root),
    }
    return {
        "prev_block_hash": hash_to_text(header.prev_hash),
        "inner_rest_hash": hash_to_text(header.inner_rest_hash),
        "inner_lite": inner_lite,
    }
