"""Evidence gathered from a node that knows a chain, and from nodes that forget, refuse and lie: what is missing is named."""

import asyncio
import copy
import dataclasses
import json
from base64 import b64encode

import base58
import pytest

from oracle.errors import RpcRefused, RpcUnavailable
from oracle.flows.verify import proving
from oracle.flows.verify.agreement import check_chain
from oracle.flows.verify.check import Verdict
from oracle.flows.verify.nodes import Question
from oracle.flows.verify.offline import Evidence
from oracle.flows.verify.onchain import OurCode
from oracle.flows.verify.proving import MAX_REFERENCE_BLOCKS, WAITS_S, Gathered, Sought, gather_proofs
from oracle.flows.verify.saving import Saved, is_vouched, with_proofs, without_faults
from oracle.flows.verify.under import faults_of
from oracle.model.proof import ChainProofs
from oracle.near.proof import block_hash
from oracle.near.signed import read_signed
from oracle.tee.chain_proofs import proofs_document
from oracle.testing.clock import EagerClock
from tests.unit.oracle.flows.verify.good import Good
from tests.unit.oracle.flows.verify.proven_chain import CALLER, MAIN, WORKER, ProvenChain, text
from tests.unit.oracle.flows.verify.test_mutants import places

PLACE = "http://node.example"
TX, PROOF, BLOCK_PROOF = "EXPERIMENTAL_tx_status", "EXPERIMENTAL_light_client_proof", "EXPERIMENTAL_light_client_block_proof"


class FakeNode:
    """An `Rpc` that knows a proven chain. `refuses`: methods that it has not. `spoils`: what is done to an answer, by method."""

    def __init__(self, chain, *, refuses=(), spoils=None, height=None):
        self.chain, self.refuses, self.spoils = chain, refuses, spoils or {}
        self.height = len(chain.headers) - 1 if height is None else height
        self.asked = []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def call(self, method, params):
        self.asked.append((method, params))
        if method in self.refuses:
            raise RpcRefused("METHOD_NOT_FOUND", f"{method} at {PLACE}: Method not found")
        answer = {"block": self._block, TX: self._status, PROOF: self._proof, BLOCK_PROOF: self._block_proof}[method](params)
        return self.spoils.get(method, lambda answer: answer)(copy.deepcopy(answer))

    def _block(self, params):
        hashes = [text(block_hash(header)) for header in self.chain.headers]
        height = self.height if "finality" in params else hashes.index(params["block_id"])
        header = self.chain.headers[height]
        return {"header": {"height": header.height, "hash": hashes[height], "prev_hash": text(header.prev_block_hash)}}

    def _status(self, params):
        """The transaction's own outcome, and every other that came of it."""
        chain = self.chain
        which = "request" if params["tx_hash"] == text(chain.ids["request"][0]) else "answer"
        ids = [*chain.ids[which], *([chain.ids["settled"]] if which == "request" else [])]
        first, *rest = [self._outcome(outcome_id) for outcome_id in ids]
        signed = read_signed(chain.request_bytes if which == "request" else chain.answer_bytes)
        return {"transaction": self._view(signed, which), "transaction_outcome": first, "receipts_outcome": rest}

    def _view(self, signed, which):
        raw = self.chain.request_bytes if which == "request" else self.chain.answer_bytes
        calls = [
            {
                "FunctionCall": {
                    "method_name": call.method,
                    "args": b64encode(call.args).decode(),
                    "gas": call.gas,
                    "deposit": str(call.deposit_yocto),
                }
            }
            for call in signed.calls
        ]
        return {
            "hash": text(signed.hash),
            "signer_id": signed.signer_id,
            "public_key": signed.public_key,
            "nonce": signed.nonce,
            "receiver_id": signed.receiver_id,
            "actions": calls,
            "signature": "ed25519:" + text(raw[-64:]),
        }

    def _outcome(self, outcome_id):
        height = next(height for height, ran in self.chain.ran.items() if any(each.id == outcome_id for each in ran))
        told = proofs_document(ChainProofs(self.chain.headers[-1], settled=self.chain.proof_of(outcome_id)))["settled"]["outcome_proof"]
        return told | {"block_hash": text(block_hash(self.chain.headers[height]))}

    def _proof(self, params):
        wanted = base58.b58decode(params.get("transaction_hash") or params["receipt_id"])
        return proofs_document(ChainProofs(self.chain.headers[-1], settled=self.chain.proof_of(wanted)))["settled"]

    def _block_proof(self, params):
        hashes = [text(block_hash(header)) for header in self.chain.headers]
        if params["block_hash"] not in hashes:
            raise RpcRefused("UNKNOWN_BLOCK", f"{BLOCK_PROOF} at {PLACE}: DB Not Found Error")
        height = hashes.index(params["block_hash"])
        if params["block_hash"] == params["light_client_head"]:
            return self._told(height, ())
        return self._told(height, self.chain.block_proof(height).block_path)

    def _told(self, height, path):
        proof = self.chain.block_proof(0)
        proof = type(proof)(self.chain.headers[height], path)
        return proofs_document(ChainProofs(self.chain.headers[-1], blocks=(proof,)))["blocks"][0]


@pytest.fixture(scope="module")
def chain():
    return ProvenChain(Good())


def sought_of(chain, *, trusted_block=None, **changes):
    question = Question(MAIN, 7, WORKER, "ed25519:x", CALLER, text(chain.ids["request"][0]), text(chain.ids["answer"][0]))
    return Sought(question, changes.get("request_id", 7), chain.receipt.chain.genesis_hash, trusted_block)


@pytest.fixture
def gather(monkeypatch):
    async def run(chain, *nodes, trusted_block=None, clock=None, judge=lambda got: got, **changes):
        waiting = list(nodes)
        monkeypatch.setattr(proving, "Rpc", lambda urls, clock: waiting.pop(0))
        sought = sought_of(chain, trusted_block=trusted_block, **changes)
        return await gather_proofs([PLACE] * len(nodes), sought, clock or EagerClock(), judge)

    return run


async def test_a_node_gives_everything_and_what_it_gives_proves(gather, chain):
    got = await gather(chain, FakeNode(chain))
    assert (got.proofs, got.missing) == (chain.proofs(), ())
    bundle = chain.bundle(got.proofs)
    checks = check_chain(Evidence(bundle, chain.receipt, None, None), (), chain.good.terms(trusted_block=chain.head), OurCode(()))
    assert [check.number for check in checks if check.verdict is Verdict.PASS] == [21, 22, 23, 24, 25, 31]


async def test_a_long_input_brings_its_transaction_and_its_block_along(gather):
    chain = ProvenChain(Good(), input_in_call="x" * 12_000)
    assert (await gather(chain, FakeNode(chain))).proofs.request_transaction == chain.request_bytes


async def test_the_head_is_the_trusted_block_where_one_is_named(gather, chain):
    got = await gather(chain, FakeNode(chain), trusted_block=chain.head)
    assert (got.proofs.head, got.missing) == (chain.headers[-1], ())


async def test_a_trusted_block_that_the_node_does_not_know_leaves_nothing_and_is_named(gather, chain):
    got = await gather(chain, FakeNode(chain), trusted_block="1" * 32)
    assert got.proofs is None
    assert "a head: EXPERIMENTAL_light_client_block_proof" in " ".join(got.missing)


@pytest.mark.parametrize(
    ("refuses", "missing"),
    [
        ((PROOF,), ["the request", "the end", "the answer"]),
        ((BLOCK_PROOF,), ["a head"]),
        ((TX,), ["the request", "the answer"]),
        (("block",), ["the request", "the answer", "a head"]),
    ],
)
async def test_a_node_without_a_method_is_named_and_what_it_gives_is_kept(gather, chain, refuses, missing):
    got = await gather(chain, FakeNode(chain, refuses=refuses))
    assert [reason.partition(":")[0] for reason in got.missing] == missing
    assert all("Method not found" in reason and PLACE in reason for reason in got.missing)
    assert (got.proofs is None) == ("a head" in missing)


async def test_another_node_is_asked_for_what_the_first_does_not_give(gather, chain):
    got = await gather(chain, FakeNode(chain, refuses=(PROOF,)), FakeNode(chain))
    assert got.missing == ()


async def test_of_nodes_that_all_lack_something_the_one_that_gives_most_is_kept(gather, chain):
    poor, poorest = FakeNode(chain, spoils={BLOCK_PROOF: without_genesis(chain)}), FakeNode(chain, refuses=(PROOF,))
    for nodes in ((poor, poorest), (poorest, poor)):
        got = await gather(chain, *nodes)
        assert len(got.missing) == 1
        assert got.proofs.settled is not None


def without_genesis(chain):
    def spoil(answer):
        if answer["block_header_lite"]["inner_lite"]["height"] == 100:
            raise RpcUnavailable("gone")
        return answer

    return spoil


async def test_without_a_node_that_is_what_is_missing(gather, chain):
    got = await gather(chain)
    assert (got.proofs, got.missing) == (None, ("no node was asked",))


def change(*path, value):
    def spoil(answer):
        inner = answer
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = value
        return answer

    return spoil


@pytest.mark.parametrize(
    ("method", "spoil", "reason"),
    [
        (PROOF, change("outcome_proof", "outcome", "logs", value=[]), "does not hold: the path of the outcome"),
        (PROOF, change("block_proof", value=[]), "does not hold: the path of its block"),
        (PROOF, change("outcome_proof", value=7), "cannot be read (TypeError)"),
        (PROOF, change("outcome_root_proof", value=None), "no list of at most 64"),
        (PROOF, lambda answer: [], "cannot be read (TypeError)"),
        (BLOCK_PROOF, change("block_header_lite", "inner_rest_hash", value="1" * 32), "has another hash"),
        (TX, change("transaction", "hash", value="1" * 32), "another transaction"),
        (TX, change("receipts_outcome", value=[]), "cannot be read (IndexError)"),
        (TX, change("transaction", "actions", value=[{"Transfer": {}}]), "other actions than function calls"),
    ],
)
async def test_what_does_not_hold_is_not_kept_and_the_reason_is_told(gather, chain, method, spoil, reason):
    got = await gather(chain, FakeNode(chain, spoils={method: spoil}))
    assert any(reason in each for each in got.missing), got.missing


async def test_a_proof_of_another_outcome_is_not_taken(gather, chain):
    class Swapping(FakeNode):
        def _proof(self, params):
            return super()._proof({"receipt_id": text(self.chain.ids["settled"])})

    got = await gather(chain, Swapping(chain))
    assert (got.proofs.request, got.proofs.answer) == ((), ())
    assert any("it is of another outcome" in reason for reason in got.missing)


async def test_a_request_that_is_not_there_is_named(gather, chain):
    got = await gather(chain, FakeNode(chain), request_id=8)
    assert any("made no request 8 of outlayer.test.near" in reason for reason in got.missing)
    assert any("the end: no event of it" in reason for reason in got.missing)


async def test_what_is_too_fresh_is_asked_for_again(gather, chain):
    class Growing(FakeNode):
        """Its chain commits to the end when it is asked the third time."""

        def _block(self, params):
            if "finality" in params:
                self.looks = getattr(self, "looks", 0) + 1
                self.height = 10 if self.looks < 3 else 12
            return super()._block(params)

        def _proof(self, params):
            if self.height < 12:
                raise RpcRefused("NOT_CONFIRMED", "has not been confirmed")
            return super()._proof(params)

    clock, node = EagerClock(), Growing(chain)

    class Same:
        async def __aenter__(self):
            return node

        async def __aexit__(self, *_):
            pass

    got = await gather(chain, Same(), clock=clock)
    assert (got.missing, clock.slept_s) == ((), list(WAITS_S[:2]))


async def test_what_is_old_is_asked_for_once(gather, chain):
    clock = EagerClock()
    got = await gather(chain, FakeNode(chain, refuses=(PROOF,)), clock=clock)
    assert (len(got.missing), clock.slept_s) == (3, [])


async def test_a_signer_that_named_a_block_of_long_ago_is_told(gather, chain):
    """The transactions of the twin name a block that is none: all blocks before are tried, and their number is bounded."""
    endless = {"block": lambda answer: {"header": answer["header"] | {"prev_hash": answer["header"]["hash"]}}}
    node = FakeNode(chain, spoils=endless)
    got = await gather(chain, node)
    assert got.proofs.answer_transaction is None
    assert any(f"more than {MAX_REFERENCE_BLOCKS} blocks older" in reason for reason in got.missing)
    assert len([method for method, _ in node.asked if method == "block"]) < MAX_REFERENCE_BLOCKS + 10


def evidence_with(chain, proofs):
    return Evidence(chain.bundle(proofs), chain.receipt, None, None)


def kept(chain, known, gathered, trusted_block=None):
    return with_proofs(evidence_with(chain, known), gathered, trusted_block).bundle.chain.proofs


@pytest.mark.parametrize("is_trusted", [False, True])
async def test_a_node_that_has_forgotten_more_than_a_bundle_holds_takes_nothing_away(gather, chain, is_trusted):
    trusted_block = chain.head if is_trusted else None
    poor = await gather(chain, FakeNode(chain, refuses=(PROOF,)))
    assert kept(chain, chain.proofs(), poor, trusted_block) == chain.proofs()
    assert kept(chain, chain.proofs(), Gathered(None, ()), trusted_block) == chain.proofs()
    assert is_vouched(chain.proofs(), poor, trusted_block) is is_trusted


async def test_evidence_that_is_padded_or_has_a_fault_keeps_nothing_out(gather, chain):
    """Who hands a bundle out may fill it up, and lead it to a head of his own."""
    full = await gather(chain, FakeNode(chain))
    padded = chain.proofs(blocks=(chain.block_proof(0),) * 8, request_transaction=chain.request_bytes)
    assert kept(chain, dataclasses.replace(padded, request=(*padded.request[:1],) * 16), full) is full.proofs
    assert kept(chain, chain.proofs(blocks=padded.blocks), full) is full.proofs
    poor = await gather(chain, FakeNode(chain, refuses=(BLOCK_PROOF,)))
    assert poor.proofs is None
    half = await gather(
        chain, FakeNode(chain, spoils={TX: lambda status: status | {"transaction": status["transaction"] | {"actions": []}}})
    )
    assert "the answer's bytes" in half.missing[0]
    assert kept(chain, dataclasses.replace(padded, head=chain.headers[3]), half) is half.proofs


async def test_evidence_under_another_head_keeps_nothing_out_that_lies_under_the_trusted_block(gather, chain):
    invented = ProvenChain(chain.good, heard=b'"INVENTED"')
    half = await gather(chain, FakeNode(chain, spoils={TX: lambda status: status | {"receipts_outcome": status["receipts_outcome"][:-1]}}))
    evidence = Evidence(invented.bundle(), invented.receipt, None, None)
    assert faults_of(evidence, invented.proofs()) == ()
    assert with_proofs(evidence, half, chain.head).bundle.chain.proofs is half.proofs


def test_a_head_that_only_the_bundle_names_is_not_told_as_one_to_trust(chain):
    proofs = chain.proofs()
    assert not is_vouched(proofs, None, None)
    saved = Saved("kept.json", proofs, (), is_vouched=False)
    assert (saved.as_json()["head"], saved.as_json()["head_height"]) == (None, None)
    assert "which not all who were asked vouch for" in saved.lines()[0]
    assert Saved("kept.json", proofs, ()).as_json()["head"] == chain.head


async def test_evidence_of_something_else_than_was_told_is_not_kept(gather, chain):
    """The node tells request 7, and proves another."""
    other, honest = ProvenChain(chain.good, asked={"request_id": 8}), FakeNode(chain)

    def as_honest(status):
        told = honest._outcome(chain.ids["request"][-1])["outcome"]
        for ran in status["receipts_outcome"]:
            if ran["id"] == text(chain.ids["request"][-1]):
                ran["outcome"] = told
        return status

    got = await gather(other, FakeNode(other, spoils={TX: as_honest}))
    assert got.missing == ()
    left = without_faults(Evidence(other.plain_bundle, other.receipt, None, None), got)
    assert (left.proofs, left.missing) == (None, ("the outcomes of the request end without request 7 of outlayer.test.near",))


async def test_after_evidence_of_something_else_another_node_is_asked(gather, chain):
    judged = []

    def judge(got):
        judged.append(got)
        return got if len(judged) == 2 else Gathered(None, ("it shows another request",))

    got = await gather(chain, FakeNode(chain), FakeNode(chain), judge=judge)
    assert (got.proofs, got.missing) == (chain.proofs(), ())
    got = await gather(chain, FakeNode(chain), judge=judge)
    assert (got.proofs, got.missing) == (None, (f"it shows another request ({PLACE})",))


async def test_what_nodes_give_takes_the_place_of_what_was_there_and_of_nothing(gather, chain):
    full = await gather(chain, FakeNode(chain))
    assert with_proofs(evidence_with(chain, ChainProofs(chain.headers[3])), full, None).bundle.chain.proofs == full.proofs
    bare = Evidence(chain.plain_bundle, chain.receipt, None, None)
    assert (
        with_proofs(dataclasses.replace(bare, bundle=dataclasses.replace(bare.bundle, chain=None)), full, None).bundle.chain.proofs
        == full.proofs
    )


async def test_a_node_that_stalls_holds_nobody(gather, chain, monkeypatch):
    class Stalling(FakeNode):
        async def call(self, method, params):
            await asyncio.Event().wait()

    monkeypatch.setattr(proving, "NODE_TIMEOUT_S", 0.01)
    got = await gather(chain, Stalling(chain), FakeNode(chain, refuses=(BLOCK_PROOF,)))
    assert got.proofs is None
    assert got.missing[0] == "the node takes longer than 0.01 seconds (http://node.example)"
    assert "Method not found" in got.missing[1]


class Slow(FakeNode):
    """Stalls at every block that is asked for after so many."""

    def __init__(self, chain, blocks, **options):
        super().__init__(chain, **options)
        self.blocks = blocks

    async def call(self, method, params):
        if method == "block" and len([each for each, _ in self.asked if each == "block"]) >= self.blocks:
            await asyncio.Event().wait()
        return await super().call(method, params)


async def test_a_slow_node_gives_all_but_the_bytes_whose_block_it_takes_too_long_to_find(gather, chain, monkeypatch):
    monkeypatch.setattr(proving, "REFERENCE_TIMEOUT_S", 0.01)
    got = await gather(chain, Slow(chain, 6))
    assert got.missing == (f"the answer's bytes: the block that its signer named is not found in 0.01 seconds ({PLACE})",)
    assert (len(got.proofs.outcomes), len(got.proofs.blocks)) == (6, 1)


async def test_what_a_node_gave_is_kept_when_it_stalls_later(gather, chain, monkeypatch):
    """It is so fresh that it is looked at again, and the second look takes too long."""
    monkeypatch.setattr(proving, "NODE_TIMEOUT_S", 0.05)
    got = await gather(chain, Slow(chain, 3, refuses=(PROOF,), height=10))
    assert got.proofs is not None
    assert "Method not found" in got.missing[0]


def with_odd_place(number, odd):
    """Puts something odd at the place of that number in an answer, counted through all of it and round again."""

    def spoil(answer):
        found = list(places({"answer": answer}))
        _, container, key = found[number % len(found)]
        if number % len(found) == 0:
            return odd
        container[key] = odd
        return answer

    return spoil


@pytest.mark.parametrize("odd", [None, -1, 2**70, "", "\ud800", [], {}, [[[]]], True, float("inf")])
@pytest.mark.parametrize("method", [TX, PROOF, BLOCK_PROOF, "block"])
async def test_an_answer_with_something_odd_in_it_never_ends_a_saver_and_is_never_kept(gather, chain, method, odd):
    for number in range(0, 60, 7):
        got = await gather(chain, FakeNode(chain, spoils={method: with_odd_place(number, odd)}))
        if got.proofs is not None:
            assert faults_of(Evidence(chain.bundle(got.proofs), chain.receipt, None, None), got.proofs) == ()


def test_what_is_gathered_fits_a_bundle(chain):
    assert len(json.dumps(proofs_document(chain.proofs()))) < 100_000
