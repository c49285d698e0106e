"""What a node tells is recorded in the file that is saved, and whatever it tells, that file can be written and read."""

import json

import pytest

from oracle.flows.verify.facts import AnswerSeen, BlockSeen, EndSeen, Missing, NodeFacts, NodeWord, RegisterSeen, RegistrationSeen
from oracle.flows.verify.offline import Evidence
from oracle.flows.verify.reading import sorted_json
from oracle.flows.verify.saving import bundle_to_save
from oracle.model import Metrics
from oracle.tee.bundle import read_bundle
from tests.unit.oracle.flows.verify.good import NOW_S, Good

NOTHING = Missing("not told")
HALF, DEEP = "\ud800", json.loads("[" * 40 + "]" * 40)


@pytest.fixture(scope="module")
def good():
    return Good()


def end(**members):
    told = {"request_id": 7, "success": True, "status": "succeeded"} | members
    return EndSeen(success=True, status="succeeded", error=None, metrics=Metrics(1, 1, 0), receipt_sha256_hex=None, json=sorted_json(told))


def registered(**changes):
    plain = {
        "public_key": "ed25519:x",
        "measurements_hex": ("0" * 96,) * 5,
        "settings_sha256_hex": "0" * 64,
        "registered_ns": 1,
        "expires_ns": 2,
        "renewals": 0,
    }
    return RegisterSeen(RegistrationSeen(**plain | changes), is_revoked=False, root_sha256_hex="", contract_id="")


def answered(*, signer_id="worker.near", block_hash="block"):
    block = BlockSeen(1, block_hash, 1)
    return AnswerSeen("transaction", signer_id, "ed25519:x", "main.near", "resolve_execution", b"{}", None, block)


def saved(good, *, answer=NOTHING, ended=NOTHING, register=NOTHING):
    """As it is read again."""
    bundle, terms = good.bundle(), good.terms()
    facts = NodeFacts("localnet", "first", NOTHING, answer, ended, NOTHING, register, NOTHING)
    evidence = Evidence(bundle, good.receipt(), None, None)
    return read_bundle(bundle_to_save(evidence, (NodeWord("http://node.example", facts),), terms, NOW_S).to_json().encode()).chain


def test_what_a_node_tells_is_recorded(good):
    record = saved(good, answer=answered(), ended=end(), register=registered())
    assert (record.answer_transaction_hash, record.answer_signer_id, record.answer_block_hash) == ("transaction", "worker.near", "block")
    assert json.loads(record.outcome_json)["status"] == "succeeded"
    assert json.loads(record.registration_json)["renewals"] == 0


@pytest.mark.parametrize("odd", [HALF, DEEP, 1.5, float("inf"), 10**40, {HALF: 1}, "x" * 100_000])
def test_an_outcome_that_no_bundle_may_hold_is_not_recorded(good, odd):
    assert saved(good, ended=end(more=odd)).outcome_json is None


@pytest.mark.parametrize("odd", [{"public_key": HALF}, {"settings_sha256_hex": "x" * 100_000}, {"renewals": 10**40}, {"renewals": -1.5}])
def test_a_registration_that_no_bundle_may_hold_is_not_recorded(good, odd):
    assert saved(good, register=registered(**odd)).registration_json is None


@pytest.mark.parametrize("odd", [HALF, "x" * 100_000])
def test_a_name_that_no_bundle_may_hold_is_not_recorded(good, odd):
    record = saved(good, answer=answered(signer_id=odd, block_hash=odd))
    assert (record.answer_transaction_hash, record.answer_signer_id, record.answer_block_hash) == ("transaction", None, None)
