"""Every outcome of a busy chain is proven under every later block, and nothing else is."""

import copy
import random
from itertools import pairwise

import base58
import pytest

from localnet import NEAR
from localnet.rpc.block_views import header_view, stream_view
from localnet.rpc.light_client_views import block_proof_view, outcome_proof_view
from localnet.rpc.node import _facts
from localnet.state import memory
from localnet.values.actions import FunctionCall, Transfer
from localnet.values.errors import NotConfirmed, NotInHead, UnknownOutcome
from localnet.values.hashes import hash_of
from tests.unit.localnet.light_client import block_is_proven, light_hash, outcome_is_proven, outcome_leaf, raw, walked

TGAS = 10**12
METHODS = ("greet", "boom", "relay", "store", "ask", "missing")
NOT_HASHED = ("Failure", "metadata", "timestamp")


@pytest.fixture(params=["memory", "directory"])
def busy(request, open_chain, tmp_path, greeter_code):
    """A function that makes a chain by a seed, on which transactions of many kinds ran, and gives it with the outcomes' ids."""

    def make(seed):
        rng = random.Random(seed)
        chain = open_chain(None if request.param == "memory" else tmp_path / str(seed))
        alice, greeter = chain.create_account("alice"), chain.create_account("greeter").deploy(greeter_code)
        ids = []
        chain.on_block(lambda block: ids.extend(each.outcome.id for each in (*block.transactions, *block.executed)))
        while chain.head.height < 20:
            for number in range(rng.randrange(4)):
                method, args = rng.choice(METHODS), rng.randbytes(rng.randrange(20)).hex().encode()
                alice.submit(greeter.account_id, [FunctionCall(method, args, 60 * TGAS, rng.randrange(3))])
                chain.root.submit(rng.choice(["near", "test.near", "nobody.near"]), [Transfer(number * NEAR)])
            chain.produce_block()
        chain.produce_block()
        return chain, ids

    return make


def proof(chain, outcome_id, head):
    found = chain.outcome_proof(outcome_id)
    return outcome_proof_view(found, chain.block_path(found.header, head))


def leaves(value, place=()):
    """Where in an answer something stands that is hashed."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        if name not in NOT_HASHED:
            yield from leaves(member, (*place, name))
    if not isinstance(value, dict | list):
        yield place


def flipped(name, value, rng):
    """A value of the same form that differs in one bit, or in one letter."""
    if isinstance(value, int):
        return value ^ 1 << rng.randrange(48)
    if name == "direction":
        return {"Left": "Right", "Right": "Left"}[value]
    if name in {"tokens_burnt", "timestamp_nanosec"}:
        return str(int(value) ^ 1 << rng.randrange(48))
    if name == "SuccessValue":
        return "AAAA" + value
    if name == "executor_id" or "." in value or len(value) < 32:
        return value + "x"
    as_number = int.from_bytes(raw(value), "big") ^ 1 << rng.randrange(8 * len(raw(value)))
    return base58.b58encode(as_number.to_bytes(32, "big")).decode()


def changed(answer, rng):
    """The answer, with one bit of what is hashed changed."""
    answer = copy.deepcopy(answer)
    *way, name = rng.choice(list(leaves(answer)))
    value = answer
    for step in way:
        value = value[step]
    value[name] = flipped(name, value[name], rng)
    return answer


def test_an_outcome_is_proven_under_every_later_block_and_with_a_bit_changed_under_none(busy):
    (chain, ids), rng = busy(1), random.Random(1)
    kinds = {type(chain.outcome_proof(outcome_id).outcome.status).__name__ for outcome_id in ids if outcome_id not in _latest(chain)}
    assert kinds == {"SuccessValue", "SuccessReceiptId", "Failure"}
    shown = [header_view(chain.header(height)) for height in range(chain.head.height + 1)]
    for outcome_id in ids:
        if outcome_id in _latest(chain):
            continue
        first = chain.outcome_proof(outcome_id).header.height
        answers = {height: proof(chain, outcome_id, chain.header(height)) for height in range(first, chain.head.height + 1)}
        assert all(outcome_is_proven(answer, shown[height]) for height, answer in answers.items())
        for height in rng.choices(list(answers), k=5):
            forged = changed(answers[height], rng)
            assert not outcome_is_proven(forged, shown[height]), forged


def _latest(chain):
    return {each.outcome.id for block in [chain.block(chain.head.height)] for each in (*block.transactions, *block.executed)}


def test_a_block_is_proven_under_every_later_one(busy):
    chain, _ = busy(0)
    heads = [chain.header(height) for height in range(chain.head.height + 1)]
    for head in heads:
        assert all(
            block_is_proven(block_proof_view(block, chain.block_path(block, head)), header_view(head)) for block in heads[: head.height + 1]
        )
        for block in heads[head.height + 1 :]:
            with pytest.raises(NotInHead):
                chain.block_path(block, head)


def test_a_headers_hash_follows_from_what_light_clients_know(busy):
    chain, _ = busy(1)
    for height in range(chain.head.height + 1):
        header = chain.header(height)
        assert light_hash(block_proof_view(header, ())["block_header_lite"]) == header.hash


def test_the_paths_of_a_streamed_block_lead_to_the_root_that_the_next_ones_chunk_shows(busy):
    chain, _ = busy(1)
    streamed = [stream_view(chain.block(height), _facts(chain)) for height in range(chain.head.height + 1)]
    for block, following in pairwise(streamed):
        (shard,), (chunk,) = block["shards"], following["block"]["chunks"]
        outcomes = [each["outcome"]["execution_outcome"] for each in shard["chunk"]["transactions"]]
        outcomes += [each["execution_outcome"] for each in shard["receipt_execution_outcomes"]]
        assert all(walked(each["proof"], outcome_leaf(each)) == raw(chunk["outcome_root"]) for each in outcomes)
        assert outcomes or raw(chunk["outcome_root"]) == bytes(32)


def test_what_runs_in_the_latest_block_has_no_proof_before_the_next(open_chain):
    chain = open_chain()
    tx_hash = chain.root.submit("near", [Transfer(1)])
    with pytest.raises(UnknownOutcome):
        chain.outcome_proof(tx_hash)
    chain.produce_block()
    with pytest.raises(NotConfirmed):
        chain.outcome_proof(tx_hash)
    header = chain.produce_block().header
    assert chain.outcome_proof(tx_hash).header == header
    with pytest.raises(UnknownOutcome):
        chain.outcome_proof(hash_of(b"no outcome's"))


def test_a_chain_that_was_reopened_gives_the_same_proofs(open_chain, tmp_path):
    chain = open_chain(tmp_path)
    hashes = []
    for _ in range(13):
        hashes.append(chain.root.submit("near", [Transfer(1)]))
        chain.produce_block()
    before = [proof(chain, tx_hash, chain.head) for tx_hash in hashes[:-1]]
    tree = chain._store.block_tree()
    chain.close()
    chain = open_chain(tmp_path)
    assert chain._store.block_tree() == tree
    assert [proof(chain, tx_hash, chain.head) for tx_hash in hashes[:-1]] == before
    chain.produce_block()
    assert outcome_is_proven(proof(chain, hashes[-1], chain.head), header_view(chain.head))


@pytest.mark.parametrize("kept", [1, 2, 7, 8])
def test_a_memory_that_forgets_blocks_proves_those_it_keeps(open_chain, monkeypatch, kept):
    monkeypatch.setattr(memory, "MOST_BLOCKS", kept)
    chain = open_chain()
    for _ in range(70):
        chain.produce_block()
        oldest = max(0, chain.head.height - kept + 1)
        heads = [chain.header(height) for height in range(oldest, chain.head.height + 1)]
        for index, head in enumerate(heads):
            assert all(
                block_is_proven(block_proof_view(block, chain.block_path(block, head)), header_view(head)) for block in heads[: index + 1]
            )
        assert len(chain._store._nodes) <= 2 * kept + chain.head.height.bit_length()


def test_a_snapshot_keeps_what_the_chain_forgets(open_chain, monkeypatch):
    monkeypatch.setattr(memory, "MOST_BLOCKS", 6)
    chain = open_chain()
    chain.advance_blocks(5)
    snapshot = chain.snapshot()
    chain.advance_blocks(20)
    chain.restore(snapshot)
    head = chain.produce_block().header
    blocks = [chain.header(height) for height in range(1, 7)]
    assert all(block_is_proven(block_proof_view(block, chain.block_path(block, head)), header_view(head)) for block in blocks)
