//! Prints one JSON document of known answers: outcomes with their leaves, headers with their hashes, signed transactions, and a chain of
//! three shards whose every outcome has the answer that a node gives to `EXPERIMENTAL_light_client_proof`.
//!
//! All hashes and encodings are near-primitives' own; only the path in the tree of blocks is laid here, because nearcore lays it in
//! its store, and each one is judged by near-primitives' `verify_hash`.

use near_crypto::{InMemorySigner, KeyType, Signer};
use near_indexer_primitives::near_primitives::action::{
    Action, FunctionCallAction, TransferAction,
};
use near_indexer_primitives::near_primitives::errors::{
    ActionError, ActionErrorKind, TxExecutionError,
};
use near_indexer_primitives::near_primitives::hash::{hash, CryptoHash};
use near_indexer_primitives::near_primitives::merkle::{
    combine_hash, merklize, verify_hash, Direction, MerklePath, MerklePathItem, PartialMerkleTree,
};
use near_indexer_primitives::near_primitives::transaction::{
    ExecutionMetadata, ExecutionOutcome, ExecutionOutcomeWithId, ExecutionOutcomeWithIdAndProof,
    ExecutionStatus, SignedTransaction, Transaction, TransactionV0,
};
use near_indexer_primitives::near_primitives::types::{Balance, Gas};
use near_indexer_primitives::near_primitives::views::{
    BlockHeaderInnerLiteView, ExecutionOutcomeWithIdView, LightClientBlockLiteView,
    SignedTransactionView,
};
use serde_json::{json, Value};

const SHARDS: usize = 3;
const BLOCKS: u64 = 12;
const START_NS: u64 = 1_700_000_000_000_000_000;

fn named(name: &str) -> CryptoHash {
    hash(name.as_bytes())
}

fn status(number: u64) -> ExecutionStatus {
    let failure = ActionError {
        index: Some(0),
        kind: ActionErrorKind::AccountDoesNotExist {
            account_id: "nobody.near".parse().unwrap(),
        },
    };
    match number % 5 {
        0 => ExecutionStatus::SuccessValue(vec![]),
        1 => ExecutionStatus::SuccessReceiptId(named(&format!("receipt {number}"))),
        2 => ExecutionStatus::SuccessValue(format!("\"value {number} é\"").into_bytes()),
        3 => ExecutionStatus::Failure(TxExecutionError::ActionError(failure)),
        _ => ExecutionStatus::Unknown,
    }
}

fn outcome(number: u64) -> ExecutionOutcomeWithId {
    ExecutionOutcomeWithId {
        id: named(&format!("outcome {number}")),
        outcome: ExecutionOutcome {
            logs: (0..number % 4)
                .map(|log| format!("EVENT_JSON:{{\"log\":{log},\"of\":\"{number} \u{1F980}\"}}"))
                .collect(),
            receipt_ids: (0..number % 3)
                .map(|made| named(&format!("made {made} by {number}")))
                .collect(),
            gas_burnt: Gas::from_gas(424_555_062_500 + number),
            compute_usage: Some(number),
            tokens_burnt: Balance::from_yoctonear(42_455_506_250_000_000_000 + u128::from(number)),
            executor_id: format!("account-{number}.near").parse().unwrap(),
            status: status(number),
            metadata: ExecutionMetadata::V1,
        },
    }
}

fn header(
    height: u64,
    previous: CryptoHash,
    outcome_root: CryptoHash,
    block_merkle_root: CryptoHash,
) -> LightClientBlockLiteView {
    LightClientBlockLiteView {
        prev_block_hash: previous,
        inner_rest_hash: named(&format!("rest of {height}")),
        inner_lite: BlockHeaderInnerLiteView {
            height,
            epoch_id: named("epoch"),
            next_epoch_id: named("next epoch"),
            prev_state_root: named(&format!("state before {height}")),
            outcome_root,
            timestamp: START_NS + height,
            timestamp_nanosec: START_NS + height,
            next_bp_hash: named("block producers"),
            block_merkle_root,
            chunk_execution_root: None,
        },
    }
}

/// Root and path of one leaf in the tree that `PartialMerkleTree` grows: the left half is the largest full tree that leaves something right.
fn way(leaves: &[CryptoHash], index: usize) -> (CryptoHash, MerklePath) {
    if leaves.len() == 1 {
        return (leaves[0], vec![]);
    }
    let half = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(half);
    let (mut path, sibling, direction, root);
    if index < half {
        let (own, below) = way(left, index);
        sibling = way(right, 0).0;
        (path, direction, root) = (below, Direction::Right, combine_hash(&own, &sibling));
    } else {
        let (own, below) = way(right, index - half);
        sibling = way(left, 0).0;
        (path, direction, root) = (below, Direction::Left, combine_hash(&sibling, &own));
    }
    path.push(MerklePathItem {
        hash: sibling,
        direction,
    });
    (root, path)
}

struct Chain {
    headers: Vec<LightClientBlockLiteView>,
    /// Of each block: of each shard: the outcomes that the block's header commits to.
    outcomes: Vec<Vec<Vec<ExecutionOutcomeWithId>>>,
}

fn chain() -> Chain {
    let (mut tree, mut headers, mut outcomes) =
        (PartialMerkleTree::default(), Vec::new(), Vec::new());
    let (mut previous, mut next) = (CryptoHash::default(), 0);
    for height in 0..BLOCKS {
        let shards: Vec<Vec<_>> = (0..SHARDS as u64)
            .map(|shard| {
                let count = if height == 0 {
                    0
                } else {
                    (height * 2 + shard * 3) % 8
                };
                (0..count)
                    .map(|_| {
                        next += 1;
                        outcome(next)
                    })
                    .collect()
            })
            .collect();
        let roots: Vec<_> = shards
            .iter()
            .map(|shard| merklize(&leaves(shard)).0)
            .collect();
        let made = header(height + 100, previous, merklize(&roots).0, tree.root());
        previous = made.hash();
        tree.insert(previous);
        headers.push(made);
        outcomes.push(shards);
    }
    Chain { headers, outcomes }
}

fn leaves(outcomes: &[ExecutionOutcomeWithId]) -> Vec<Vec<CryptoHash>> {
    outcomes
        .iter()
        .map(ExecutionOutcomeWithId::to_hashes)
        .collect()
}

fn block_proof(chain: &Chain, index: usize) -> MerklePath {
    let head = chain.headers.last().unwrap();
    let hashes: Vec<_> = chain.headers[..chain.headers.len() - 1]
        .iter()
        .map(LightClientBlockLiteView::hash)
        .collect();
    let (_, path) = way(&hashes, index);
    assert!(verify_hash(
        head.inner_lite.block_merkle_root,
        &path,
        hashes[index]
    ));
    path
}

fn proofs(chain: &Chain) -> Vec<Value> {
    let mut all = Vec::new();
    for (index, shards) in chain.outcomes[..chain.outcomes.len() - 1]
        .iter()
        .enumerate()
    {
        let roots: Vec<_> = shards
            .iter()
            .map(|shard| merklize(&leaves(shard)).0)
            .collect();
        let (_, root_paths) = merklize(&roots);
        for (shard, outcomes) in shards.iter().enumerate() {
            let (_, paths) = merklize(&leaves(outcomes));
            for (outcome, path) in outcomes.iter().zip(paths) {
                let header = &chain.headers[index];
                let proof = ExecutionOutcomeWithIdAndProof {
                    proof: path,
                    block_hash: header.hash(),
                    outcome_with_id: outcome.clone(),
                };
                all.push(json!({
                    "outcome_proof": ExecutionOutcomeWithIdView::from(proof),
                    "outcome_root_proof": root_paths[shard],
                    "block_header_lite": header,
                    "block_proof": block_proof(chain, index),
                }));
            }
        }
    }
    all
}

fn transactions() -> Vec<Value> {
    let signer: Signer = InMemorySigner::from_seed(
        "worker.near".parse().unwrap(),
        KeyType::ED25519,
        "light client",
    )
    .into();
    let call = |method: &str, args: &[u8], deposit| {
        Action::FunctionCall(Box::new(FunctionCallAction {
            method_name: method.to_string(),
            args: args.to_vec(),
            gas: Gas::from_teragas(30),
            deposit: Balance::from_yoctonear(deposit),
        }))
    };
    let transfer = Action::Transfer(TransferAction {
        deposit: Balance::from_yoctonear(1),
    });
    let batches = vec![
        vec![call("resolve_execution", b"{\"request_id\":7}", 0)],
        vec![
            call(
                "request_execution",
                "{\"input_data\":\"é\"}".as_bytes(),
                10u128.pow(24),
            ),
            call("request_execution", b"{}", u128::MAX),
        ],
        vec![call("", b"", 0)],
        vec![transfer],
    ];
    let mut all = Vec::new();
    for (nonce, actions) in (1u64 << 40..).zip(batches) {
        let transaction = Transaction::V0(TransactionV0 {
            signer_id: "worker.near".parse().unwrap(),
            public_key: signer.public_key(),
            nonce,
            receiver_id: "outlayer.near".parse().unwrap(),
            block_hash: named("reference"),
            actions,
        });
        let (transaction_hash, _) = transaction.get_hash_and_size();
        let signed = SignedTransaction::new(signer.sign(transaction_hash.as_ref()), transaction);
        all.push(json!({
            "view": SignedTransactionView::from(signed.clone()),
            "block_hash": named("reference"),
            "borsh": borsh::to_vec(&signed).unwrap().iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        }));
    }
    all
}

fn main() {
    let chain = chain();
    let document = json!({
        "near_primitives": "0.38.0",
        "head": chain.headers.last().unwrap(),
        "block_hashes": chain.headers.iter().map(LightClientBlockLiteView::hash).collect::<Vec<_>>(),
        "blocks": chain.headers[..chain.headers.len() - 1].iter().enumerate()
            .map(|(index, header)| json!({"block_header_lite": header, "block_proof": block_proof(&chain, index)}))
            .collect::<Vec<_>>(),
        "leaves": chain.outcomes.iter().flatten().flatten()
            .map(|outcome| json!({"id": outcome.id, "leaf": CryptoHash::hash_borsh(outcome.to_hashes())}))
            .collect::<Vec<_>>(),
        "proofs": proofs(&chain),
        "transactions": transactions(),
    });
    println!("{}", serde_json::to_string(&document).unwrap());
}
