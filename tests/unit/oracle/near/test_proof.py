"""Proofs as near-primitives makes them hold, and none that is changed in one place does (tests/vectors/light_client)."""

import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import base58
import pytest

from oracle.model.proof import BlockProof, Ending, OutcomeProof, Sibling
from oracle.near.proof import MAX_PATH, block_hash, fault_of_block, fault_of_outcome, is_first_block, outcome_leaf
from oracle.tee.chain_proofs import block_proof_of_node, outcome_proof_of_node

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "light_client" / "proofs.json").read_text())
HEAD = block_proof_of_node({"block_header_lite": VECTORS["head"], "block_proof": []}).header
PROOFS = [outcome_proof_of_node(answer) for answer in VECTORS["proofs"]]
BLOCKS = [block_proof_of_node(answer) for answer in VECTORS["blocks"]]


def test_blocks_have_the_hashes_that_nearcore_gives_them():
    told = [base58.b58decode(text) for text in VECTORS["block_hashes"]]
    assert [block_hash(block.header) for block in BLOCKS] + [block_hash(HEAD)] == told


def test_outcomes_of_every_ending_have_the_leaves_that_nearcore_gives_them():
    leaves = {each["id"]: each["leaf"] for each in VECTORS["leaves"]}
    assert {proof.outcome.ending for proof in PROOFS} == set(Ending)
    for proof in PROOFS:
        outcome = proof.outcome
        assert base58.b58encode(outcome_leaf(outcome)).decode() == leaves[base58.b58encode(outcome.id).decode()]


def test_every_outcome_of_a_chain_of_three_shards_is_shown_to_lie_under_its_head():
    assert [fault_of_outcome(proof, HEAD) for proof in PROOFS] == [None] * len(PROOFS)
    assert {len(proof.root_path) for proof in PROOFS} == {1, 2}
    assert {len(proof.path) for proof in PROOFS} >= {0, 1, 2, 3}


def test_every_block_is_shown_to_lie_under_its_head_and_one_of_them_to_be_the_first():
    assert [fault_of_block(block, HEAD) for block in BLOCKS] == [None] * len(BLOCKS)
    assert [is_first_block(block) for block in BLOCKS] == [True] + [False] * (len(BLOCKS) - 1)


def test_the_head_lies_under_itself_and_no_other_block_does_without_a_path():
    assert fault_of_block(BlockProof(HEAD, ()), HEAD) is None
    assert [fault_of_block(replace(block, block_path=()), HEAD) is None for block in BLOCKS] == [False] * len(BLOCKS)


def test_a_block_that_claims_to_follow_none_is_not_the_first_where_its_path_says_otherwise():
    _, second, *_ = BLOCKS
    assert not is_first_block(replace(second, header=replace(second.header, prev_block_hash=bytes(32))))


def others(value):
    """Values of the same type, each different in one place."""
    match value:
        case bool():
            yield not value
        case Ending():
            yield from (ending for ending in Ending if ending is not value)
        case int() | str():
            yield value + ("x" if isinstance(value, str) else 1)
        case bytes():
            yield bytes([value[0] ^ 1]) + value[1:] if value else b"\1"
        case tuple():
            if value:
                yield value[:-1]
            for at, inner in enumerate(value):
                yield from ((*value[:at], other, *value[at + 1 :]) for other in others(inner))
            if len(set(value)) > 1:
                yield value[::-1]
        case _:
            assert is_dataclass(value)
            for field in fields(value):
                yield from (replace(value, **{field.name: other}) for other in others(getattr(value, field.name)))


@pytest.mark.parametrize("at", range(0, len(PROOFS), 7))
def test_a_proof_that_is_changed_in_one_place_does_not_hold(at):
    original = PROOFS[at].outcome
    for spoilt in others(PROOFS[at]):
        if not original.went_through and replace(spoilt.outcome, value=original.value) == original and spoilt.outcome != original:
            continue  # such endings have no value, and no reader gives them one
        assert fault_of_outcome(spoilt, HEAD) is not None, spoilt


def test_an_outcome_lies_under_no_other_block():
    proof = PROOFS[-1]
    assert fault_of_outcome(proof, replace(HEAD, block_merkle_root=bytes(32))) == "the path of its block does not lead to the head"
    assert fault_of_outcome(replace(proof, block_hash=bytes(32)), HEAD) == "its block has another hash than is told"


@pytest.mark.parametrize("which", ["path", "root_path"])
def test_a_path_without_end_is_not_followed(which):
    endless = (Sibling(bytes(32), is_left=True),) * (MAX_PATH + 1)
    assert "65 steps; at most 64" in str(fault_of_outcome(replace(PROOFS[0], **{which: endless}), HEAD))
    block = replace(PROOFS[0].block, block_path=endless)
    assert "65 steps; at most 64" in str(fault_of_outcome(replace(PROOFS[0], block=block), HEAD))


def test_a_node_between_two_leaves_is_no_block():
    """Its hash is of 64 bytes as a block's is; no header of 208 bytes stands behind either half."""
    proof = BLOCKS[0]
    sibling, *rest = proof.block_path
    pair = replace(proof.header, inner_rest_hash=sibling.hash)
    assert fault_of_block(replace(proof, header=pair, block_path=tuple(rest)), HEAD) is not None


def test_the_reader_keeps_all_that_a_hash_covers():
    assert all(isinstance(proof, OutcomeProof) for proof in PROOFS)
    assert all(proof.block_hash == block_hash(proof.block.header) for proof in PROOFS)
