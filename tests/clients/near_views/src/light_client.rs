//! What a light client checks, done by near-primitives alone: hashes are computed anew from what the chain shows, and paths are walked.

use near_indexer_primitives::near_primitives::{
    block_header::BlockHeader,
    hash::CryptoHash,
    merkle::{compute_root_from_path, compute_root_from_path_and_item, verify_hash, MerklePath},
    views::{BlockHeaderView, LightClientBlockLiteView},
};
use near_jsonrpc_primitives::types::light_client::{
    RpcLightClientBlockProofResponse, RpcLightClientExecutionProofResponse,
};
use serde::Deserialize;

fn expect(what: &str, found: CryptoHash, wanted: CryptoHash) -> Result<(), String> {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("{what} is {found}, not {wanted}"))
    }
}

/// The hash of a header as nodes show it follows from what is shown, whole and for those who know its light part only.
pub fn header(view: BlockHeaderView) -> Result<(), String> {
    let shown = view.hash;
    let header = BlockHeader::from(view);
    expect("the header's hash", *header.hash(), shown)?;
    expect(
        "the light header's hash",
        LightClientBlockLiteView::from(header).hash(),
        shown,
    )
}

/// `head` is the header that is trusted, as nodes show it.
#[derive(Deserialize)]
pub struct OutcomeProof {
    proof: RpcLightClientExecutionProofResponse,
    head: BlockHeaderView,
}

pub fn outcome(OutcomeProof { proof, head }: OutcomeProof) -> Result<(), String> {
    let outcome = &proof.outcome_proof;
    let chunk_root =
        compute_root_from_path(&outcome.proof, CryptoHash::hash_borsh(outcome.to_hashes()));
    let root = compute_root_from_path_and_item(&proof.outcome_root_proof, chunk_root);
    expect(
        "the outcome root",
        root,
        proof.block_header_lite.inner_lite.outcome_root,
    )?;
    expect(
        "the outcome's block",
        outcome.block_hash,
        proof.block_header_lite.hash(),
    )?;
    under(&proof.block_header_lite, &proof.block_proof, &head)
}

#[derive(Deserialize)]
pub struct BlockProof {
    proof: RpcLightClientBlockProofResponse,
    head: BlockHeaderView,
}

pub fn block(BlockProof { proof, head }: BlockProof) -> Result<(), String> {
    under(&proof.block_header_lite, &proof.block_proof, &head)
}

fn under(
    block: &LightClientBlockLiteView,
    path: &MerklePath,
    head: &BlockHeaderView,
) -> Result<(), String> {
    header(head.clone())?;
    let hash = block.hash();
    if hash == head.hash && path.is_empty() || verify_hash(head.block_merkle_root, path, hash) {
        Ok(())
    } else {
        Err(format!(
            "block {hash} does not stand in the tree of {}",
            head.hash
        ))
    }
}
