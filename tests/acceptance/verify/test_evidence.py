"""Nodes and proofs together: each decides what it can show, and neither brings PROVEN about by what was changed or invented."""

import asyncio
import dataclasses
import json

import pytest

from localnet.server import ServerThread
from localnet.values.hashes import hash_to_text
from oracle.cli.verify_online import our_code
from oracle.errors import EvidenceRefused
from oracle.flows.verify.agreement import check_chain
from oracle.flows.verify.check import Verdict
from oracle.flows.verify.facts import Missing
from oracle.flows.verify.nodes import ask_nodes
from oracle.flows.verify.offline import check_offline
from oracle.flows.verify.proving import Sought, gather_proofs
from oracle.flows.verify.report import Overall, verdict_of
from oracle.flows.verify.saving import bundle_to_save, with_proofs
from oracle.near.proof import block_hash
from oracle.ports import SystemClock
from oracle.tee.bundle import read_bundle
from tests.acceptance.verify.chain_stage import ChainStage
from tests.acceptance.verify.test_chain import question_of, terms_of, with_facts
from tests.unit.oracle.flows.verify.good import NOW_S, file_of
from tests.unit.oracle.flows.verify.test_mutants import SOME_OR_ALL, mutants


class Evident:
    """A stage's answer, what an honest node says of it, and the bundle that was saved."""

    def __init__(self, stage):
        self.stage, bundle = stage, stage.bundle()
        self.evidence = check_offline(file_of(bundle), terms_of(stage)).evidence
        question = question_of(bundle, stage.receipt)
        sought = Sought(question, stage.receipt.request.request_id, stage.receipt.chain.genesis_hash, None)
        with ServerThread(stage.chain) as server:
            self.words = asyncio.run(ask_nodes([server.rpc_url], question, SystemClock()))
            gathered = asyncio.run(gather_proofs([server.rpc_url], sought, SystemClock(), lambda got: got))
        assert gathered.missing == ()
        self.evidence = with_proofs(self.evidence, gathered, None)
        self.bundle = bundle_to_save(self.evidence, self.words, terms_of(stage), NOW_S * 10**9)
        self.head = hash_to_text(block_hash(gathered.proofs.head))

    def checks(self, words=None, bundle=None, **changes):
        terms = dataclasses.replace(terms_of(self.stage), **{"trusted_block": self.head} | changes)
        evidence = dataclasses.replace(self.evidence, bundle=bundle or self.bundle)
        return check_chain(evidence, self.words if words is None else words, terms, our_code())


@pytest.fixture(scope="module")
def evident(made):
    stage, snapshot = made
    stage.chain.restore(snapshot)
    return Evident(stage)


def verdicts(checks):
    return {check.number: check.verdict for check in checks}


def test_with_a_trusted_block_and_a_node_every_check_passes(evident):
    assert set(verdicts(evident.checks()).values()) == {Verdict.PASS}


@pytest.mark.parametrize("name", ["request", "answer", "end"])
def test_what_a_node_has_forgotten_is_proven_all_the_same(evident, name):
    words = with_facts(evident.words, **{name: Missing("garbage-collected")})
    assert verdict_of(evident.checks(words)) is Overall.PROVEN
    assert verdict_of(evident.checks(words, trusted_block=None)) is Overall.UNPROVEN


@pytest.mark.parametrize("name", ["request", "answer", "end"])
def test_a_node_that_denies_what_is_proven_leaves_it_open(evident, name):
    words = with_facts(evident.words, **{name: Missing("it made none", is_denial=True)})
    checks = evident.checks(words)
    assert verdict_of(checks) is Overall.UNPROVEN
    assert [check.number for check in checks if check.leaves_open and "nodes deny it: it made none" in check.seen]


def test_a_record_of_an_answer_without_a_receipt_leaves_the_proven_end_open(evident):
    """Its event says the same of two answers, and the record which one was taken."""
    end = dataclasses.replace(evident.words[0].facts.end, receipt_sha256_hex=None)
    checks = evident.checks(with_facts(evident.words, end=end))
    assert verdict_of(checks) is Overall.UNPROVEN
    assert [check.number for check in checks if check.leaves_open] == [24]


@pytest.mark.parametrize("name", ["request", "answer", "end"])
def test_a_proof_settles_no_dispute_of_nodes(evident, name):
    """Where one denies what another tells, check 30 stays open, whatever is proven."""
    denying = with_facts(evident.words, **{name: Missing("it made none", is_denial=True)})
    other = tuple(dataclasses.replace(word, place="http://other.example") for word in denying)
    checks = evident.checks(evident.words + other)
    assert verdict_of(checks) is Overall.UNPROVEN
    assert verdicts(checks)[30] is Verdict.UNKNOWN


def test_proofs_are_no_second_node(evident):
    policy = dataclasses.replace(evident.stage.good.policy, two_nodes=True)
    checks = evident.checks(policy=policy)
    assert [check.number for check in checks if check.leaves_open] == [30]
    twin = tuple(dataclasses.replace(word, place="http://other.example") for word in evident.words)
    assert verdict_of(evident.checks(evident.words + twin, policy=policy)) is Overall.PROVEN


def test_what_a_lying_node_invents_is_not_under_the_trusted_block(evident):
    """The liar's chain is consistent in itself, and its own head is not the one that is trusted."""
    lie = Evident(ChainStage(input_text="give me the money"))
    assert verdict_of(lie.checks()) is Overall.PROVEN  # for whoever trusts the liar's block
    checks = lie.checks(trusted_block=evident.head)
    assert verdict_of(checks) is Overall.UNPROVEN
    assert verdicts(checks)[31] is Verdict.UNKNOWN
    grafted = dataclasses.replace(lie.bundle.chain.proofs, head=evident.bundle.chain.proofs.head)
    bundle = dataclasses.replace(lie.bundle, chain=dataclasses.replace(lie.bundle.chain, proofs=grafted))
    assert verdicts(lie.checks(bundle=bundle, trusted_block=evident.head))[31] is Verdict.FAIL


LEFT_OUT = {"becomes 'None'", "becomes '[]'"}
"""What is not carried, nodes tell."""
SAYS_NO_MORE = {
    "chain.recorded_at_ns",
    "chain.proofs.blocks",  # one that is there twice
    "chain.registration",  # a member that nobody knows
    "chain.registration.measurements",
    "chain.registration.registered_at",  # a record may be older
    "chain.registration.renewals",  # as text
}


@SOME_OR_ALL
def test_every_field_of_what_was_saved_that_is_changed_keeps_it_from_proven(evident, which):
    document = json.loads(evident.bundle.to_json())
    assert verdict_of(evident.checks()) is Overall.PROVEN
    evidence, left = {"chain": document.pop("chain")}, []
    for where, how, spoilt in which(mutants(evidence)):
        try:
            bundle = read_bundle(json.dumps(document | json.loads(spoilt)).encode())
        except EvidenceRefused:
            continue
        if verdict_of(evident.checks(bundle=bundle)) is Overall.PROVEN and how not in LEFT_OUT and where not in SAYS_NO_MORE:
            left.append((where, how))
    assert left == [], "\n".join(map(str, left))
