"""
Light-client proofs checked: from an outcome up to the block that a verifier trusts. Pure arithmetic on hashes.

1. An outcome's leaf is sha256(borsh([id, sha256(borsh(partial outcome)), sha256(each log)])); its path leads to the root of its shard.
2. sha256 of that root is a leaf of the tree over all shards, whose root stands in a block's header.
3. A block's hash is sha256(sha256(sha256(inner_lite) + inner_rest_hash) + prev_block_hash).
4. The hashes of all blocks before are leaves of the tree whose root stands in the trusted block's header; of that block itself the path is
   empty.

No leaf can be taken for a node between: a node is the hash of 64 bytes, an outcome's leaf of 4 and a multiple of 32, a shard's of 32, and
what is hashed into a block is the hash of 208 bytes.

Source: nearcore `merkle.rs`, `ExecutionOutcomeWithId::to_hashes`, `LightClientBlockLiteView::hash` (near-primitives 0.38);
NEP specification, "Light Client".
"""

from hashlib import sha256

from oracle.model.proof import MAX_PATH, BlockProof, Ending, LightHeader, MerklePath, OutcomeProof, ProvableOutcome

_STATUS_TAGS = {Ending.UNKNOWN: 0, Ending.FAILURE: 1, Ending.VALUE: 2, Ending.RECEIPT: 3}
"""`PartialExecutionStatus`."""


def block_hash(header: LightHeader) -> bytes:
    """The hash of a block."""
    inner_lite = b"".join(
        (
            _number(header.height, 8),
            header.epoch_id,
            header.next_epoch_id,
            header.prev_state_root,
            header.outcome_root,
            _number(header.timestamp_ns, 8),
            header.next_bp_hash,
            header.block_merkle_root,
        )
    )
    return _hash(_hash(_hash(inner_lite) + header.inner_rest_hash) + header.prev_block_hash)


def root_of(leaf: bytes, path: MerklePath) -> bytes:
    """Where a path leads."""
    node = leaf
    for step in path:
        node = _hash(step.hash + node if step.is_left else node + step.hash)
    return node


def outcome_leaf(outcome: ProvableOutcome) -> bytes:
    """The leaf of an outcome in the tree of its shard."""
    hashes = [outcome.id, _hash(_partial(outcome)), *(_hash(log.encode()) for log in outcome.logs)]
    return _hash(_number(len(hashes), 4) + b"".join(hashes))


def fault_of_block(proof: BlockProof, head: LightHeader) -> str | None:
    """Why a block is not shown to lie under the head; None: it is."""
    if len(proof.block_path) > MAX_PATH:
        return f"its path has {len(proof.block_path)} steps; at most {MAX_PATH} are followed"
    found = block_hash(proof.header)
    is_head = not proof.block_path and found == block_hash(head)
    if not is_head and root_of(found, proof.block_path) != head.block_merkle_root:
        return "the path of its block does not lead to the head"
    return None


def fault_of_outcome(proof: OutcomeProof, head: LightHeader) -> str | None:
    """Why an outcome is not shown to lie under the head; None: it is."""
    longest = max(len(proof.path), len(proof.root_path))
    if longest > MAX_PATH:
        return f"its path has {longest} steps; at most {MAX_PATH} are followed"
    shard_root = root_of(outcome_leaf(proof.outcome), proof.path)
    if root_of(_hash(shard_root), proof.root_path) != proof.block.header.outcome_root:
        return "the path of the outcome does not lead to its block"
    if block_hash(proof.block.header) != proof.block_hash:
        return "its block has another hash than is told"
    return fault_of_block(proof.block, head)


def is_first_block(proof: BlockProof) -> bool:
    """Whether a block that lies under a head is the first of its chain: it follows none, and its path is the leftmost."""
    return not any(proof.header.prev_block_hash) and not any(step.is_left for step in proof.block_path)


def _partial(outcome: ProvableOutcome) -> bytes:
    """`PartialExecutionOutcome` in borsh."""
    status = bytes([_STATUS_TAGS[outcome.ending]])
    if outcome.ending is Ending.VALUE:
        status += _number(len(outcome.value), 4) + outcome.value
    elif outcome.ending is Ending.RECEIPT:
        status += outcome.value
    executor = outcome.executor_id.encode()
    return b"".join(
        (
            _number(len(outcome.receipt_ids), 4),
            *outcome.receipt_ids,
            _number(outcome.gas_burnt, 8),
            _number(outcome.tokens_burnt_yocto, 16),
            _number(len(executor), 4),
            executor,
            status,
        )
    )


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")


def _hash(data: bytes) -> bytes:
    return sha256(data).digest()
