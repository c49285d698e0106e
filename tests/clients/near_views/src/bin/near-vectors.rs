//! Prints what near-primitives answers to a few questions about hashes and Merkle trees, as one JSON object.

use near_indexer_primitives::near_primitives::{
    block_header::BlockHeader,
    hash::{hash, CryptoHash},
    merkle::{merklize, PartialMerkleTree},
    views::{BlockHeaderView, ExecutionOutcomeWithIdView, LightClientBlockLiteView},
};
use serde_json::{json, Value};

const TREES: [u64; 8] = [0, 1, 2, 3, 5, 8, 13, 21];
const BLOCKS: u64 = 70;
const EPOCH_LENGTH: u64 = 43_200;

fn numbered(text: &str, number: u64) -> CryptoHash {
    hash(format!("{text} {number}").as_bytes())
}

fn tree(leaves: u64) -> Value {
    let items: Vec<CryptoHash> = (0..leaves).map(|number| numbered("item", number)).collect();
    let (root, paths) = merklize(&items);
    json!({"items": items, "root": root, "paths": paths})
}

/// The roots of a tree that grows, before each leaf comes.
fn growing() -> Value {
    let mut tree = PartialMerkleTree::default();
    let mut steps = Vec::new();
    for number in 0..BLOCKS {
        let leaf = numbered("block", number);
        steps.push(json!({"root": tree.root(), "path": tree.get_path(), "leaf": leaf}));
        tree.insert(leaf);
    }
    json!(steps)
}

fn outcome(status: Value, logs: Value, receipts: u64) -> Value {
    let view = json!({
        "proof": [],
        "block_hash": numbered("block", 1),
        "id": numbered("outcome", receipts),
        "outcome": {
            "logs": logs,
            "receipt_ids": (0..receipts).map(|number| numbered("receipt", number)).collect::<Vec<_>>(),
            "gas_burnt": u64::MAX - receipts,
            "tokens_burnt": (u128::MAX - u128::from(receipts)).to_string(),
            "executor_id": "alice.test.near",
            "status": status,
            "metadata": {"version": 3, "gas_profile": null},
        },
    });
    let parsed: ExecutionOutcomeWithIdView =
        serde_json::from_value(view.clone()).expect("an outcome");
    let hashes = parsed.to_hashes();
    json!({"view": view, "leaf": CryptoHash::hash_borsh(&hashes), "hashes": hashes})
}

fn outcomes() -> Value {
    let failure = json!({"Failure": {"ActionError": {"index": 0, "kind": {"AccountDoesNotExist": {"account_id": "bob.near"}}}}});
    json!([
        outcome(json!({"SuccessValue": ""}), json!([]), 0),
        outcome(
            json!({"SuccessValue": "aGVsbG8="}),
            json!(["one", "", "zwei \u{1f600}"]),
            1
        ),
        outcome(
            json!({"SuccessReceiptId": numbered("receipt", 0)}),
            json!([]),
            2
        ),
        outcome(failure, json!(["before it failed"]), 3),
    ])
}

fn epoch_id(height: u64) -> CryptoHash {
    hash(
        &[
            b"epoch".as_slice(),
            &(1 + height / EPOCH_LENGTH).to_le_bytes(),
        ]
        .concat(),
    )
}

/// A header that has what the local chain's have, and zeros where those have zeros.
fn header(
    height: u64,
    prev_hash: CryptoHash,
    outcome_root: CryptoHash,
    block_merkle_root: CryptoHash,
) -> Value {
    let nothing = CryptoHash::default();
    let timestamp = 1_750_000_000_000_000_000 + height;
    let mut view = json!({
        "height": height,
        "prev_height": height.saturating_sub(1),
        "epoch_id": epoch_id(height),
        "next_epoch_id": epoch_id(height + EPOCH_LENGTH),
        "hash": nothing,
        "prev_hash": prev_hash,
        "prev_state_root": nothing,
        "block_body_hash": nothing,
        "chunk_receipts_root": nothing,
        "chunk_headers_root": nothing,
        "chunk_tx_root": nothing,
        "outcome_root": outcome_root,
        "chunks_included": 1,
        "challenges_root": nothing,
        "timestamp": timestamp,
        "timestamp_nanosec": timestamp.to_string(),
        "random_value": numbered("random", height),
        "validator_proposals": [],
        "chunk_mask": [true],
        "gas_price": "100000000",
        "block_ordinal": height + 1,
        "rent_paid": "0",
        "validator_reward": "0",
        "total_supply": "1000000000000000000000000000000000",
        "challenges_result": [],
        "last_final_block": prev_hash,
        "last_ds_final_block": prev_hash,
        "next_bp_hash": nothing,
        "block_merkle_root": block_merkle_root,
        "epoch_sync_data_hash": null,
        "approvals": [],
        "signature": format!("ed25519:{}", "1".repeat(64)),
        "latest_protocol_version": 88,
        "chunk_endorsements": [[]],
        "shard_split": null,
    });
    let parsed: BlockHeaderView = serde_json::from_value(view.clone()).expect("a header");
    let header = BlockHeader::from(parsed);
    view["hash"] = json!(header.hash());
    json!({"view": view, "light": LightClientBlockLiteView::from(header)})
}

fn headers() -> Value {
    let nothing = CryptoHash::default();
    let after_nothing = merklize(&[nothing]).0;
    json!([
        header(0, nothing, nothing, nothing),
        header(1, numbered("block", 0), after_nothing, numbered("block", 0)),
        header(
            EPOCH_LENGTH - 1,
            numbered("block", 1),
            merklize(&[numbered("root", 1)]).0,
            numbered("root", 2)
        ),
        header(
            EPOCH_LENGTH,
            numbered("block", 2),
            merklize(&[numbered("root", 1)]).0,
            numbered("root", 3)
        ),
    ])
}

fn main() {
    let trees: Vec<Value> = TREES.into_iter().map(tree).collect();
    println!(
        "{}",
        json!({"trees": trees, "growing": growing(), "outcomes": outcomes(), "headers": headers()})
    );
}
