"""Check 31, and what a bundle proves of the chain under a trusted block: all that outcomes show, nothing of what is state."""

import dataclasses
import json

import pytest

from oracle.errors import EvidenceRefused
from oracle.flows.verify.agreement import check_chain
from oracle.flows.verify.check import Verdict
from oracle.flows.verify.offline import Evidence, check_offline
from oracle.flows.verify.onchain import OurCode
from oracle.flows.verify.report import Overall, verdict_of
from oracle.model.proof import ChainProofs, Ending
from oracle.near.proof import block_hash
from oracle.tee.bundle import read_bundle
from oracle.tee.receipt import parse_receipt
from tests.unit.oracle.flows.verify.good import Good, file_of
from tests.unit.oracle.flows.verify.proven_chain import ANSWERED_IN, ASKED_IN, MAIN, NS, START_NS, ProvenChain, event, hash_of, text
from tests.unit.oracle.flows.verify.test_mutants import SOME_OR_ALL, mutants

BY_PROOF, OF_STATE = (21, 22, 23, 24, 25, 31), (26, 27, 28, 29, 30)


@pytest.fixture(scope="module")
def good():
    return Good()


@pytest.fixture(scope="module")
def chain(good):
    return ProvenChain(good)


def checks_of(chain, bundle=None, *, trusted="the head", **changes):
    terms = chain.good.terms(trusted_block=chain.head if trusted == "the head" else trusted, **changes)
    return checks_of_file(terms, file_of(bundle or chain.bundle()))


def checks_of_file(terms, raw):
    return {check.number: check for check in check_chain(check_offline(raw, terms).evidence, (), terms, OurCode(()))}


def verdicts(checks):
    return {number: check.verdict for number, check in checks.items()}


def not_passed(checks):
    return {number: check.verdict for number, check in checks.items() if check.verdict is not Verdict.PASS}


def test_under_a_trusted_block_everything_is_proven_that_outcomes_show(chain):
    checks = checks_of(chain)
    assert not_passed(checks) == dict.fromkeys(OF_STATE, Verdict.UNKNOWN)
    assert all("(proven under the trusted block)" in checks[number].seen for number in range(21, 26))
    assert f"6 outcomes and 1 block under block {chain.head} of height 112" == checks[31].seen


def test_what_is_state_needs_nodes_and_is_named(chain):
    checks = checks_of(chain)
    assert verdict_of(tuple(checks.values())) is Overall.UNPROVEN
    for number in range(26, 30):
        assert "this is state, and proofs show outcomes only: checks 26 to 30 need nodes" in checks[number].seen
        assert "--rpc" in checks[number].mend


def test_without_a_trusted_block_proofs_say_nothing_and_are_not_missed(chain):
    checks = checks_of(chain, trusted=None)
    assert verdicts(checks) == dict.fromkeys((*range(21, 31), 31), Verdict.UNKNOWN)
    assert not checks[31].is_needed


def test_a_bundle_without_proofs_is_unproven_and_the_mend_is_told(chain):
    bundle = chain.bundle()
    for without in (
        dataclasses.replace(bundle, chain=None),
        dataclasses.replace(bundle, chain=dataclasses.replace(bundle.chain, proofs=None)),
    ):
        check = checks_of(chain, without)[31]
        assert (check.verdict, check.seen, check.is_needed) == (Verdict.UNKNOWN, "the bundle carries no proofs", True)
        assert f"--trusted-block {chain.head}" in check.mend


@pytest.mark.parametrize(
    ("trusted", "order"),
    [
        (lambda chain: chain.head[:-1] + ("2" if chain.head[-1] != "2" else "3"), "a later block, or one of another chain"),
        (lambda chain: text(block_hash(chain.headers[-2])), "earlier, the one right before it"),
        (lambda chain: text(block_hash(chain.headers[ANSWERED_IN])), "earlier, of height 108"),
    ],
)
def test_another_trusted_block_than_the_head_is_told_with_the_mend(chain, trusted, order):
    trusted = trusted(chain)
    checks = checks_of(chain, trusted=trusted)
    assert verdicts(checks) == dict.fromkeys((*range(21, 31), 31), Verdict.UNKNOWN)
    assert f"another block, {chain.head} of height 112; the trusted one is {order}" in checks[31].seen
    assert f"save it again with --save FILE, --rpc URL and --trusted-block {trusted}" in checks[31].mend


def test_a_lying_head_is_not_the_trusted_one(chain):
    """Who changes the head to fit invented outcomes changes its hash."""
    lie = ProvenChain(chain.good, asked={"payment": "1"})
    head = dataclasses.replace(lie.headers[-1], inner_rest_hash=chain.headers[-1].inner_rest_hash)
    checks = checks_of(chain, lie.bundle(lie.proofs(head=head)))
    assert verdict_of(tuple(checks.values())) is Overall.UNPROVEN
    assert not [number for number, check in checks.items() if check.verdict is Verdict.PASS]


def test_invented_outcomes_do_not_lead_to_the_trusted_head(chain):
    lie = ProvenChain(chain.good, asked={"payment": "1"})
    checks = checks_of(chain, lie.bundle(lie.proofs(head=chain.headers[-1])))
    assert checks[31].verdict is Verdict.FAIL
    assert "outcome 0 of the request: the path of its block does not lead to the head" in checks[31].seen


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({"asked": {"payment": "1"}}, [22]),
        ({"asked": {"sender_id": "mallory.near"}}, [22]),
        ({"asked": {"input_data": "another"}}, [22]),
        ({"asked": {"timestamp": 1}}, []),
        ({"settles": {"success": False, "error_message": "timed out"}}, [24]),
        ({"settles": {"resources_used": {"instructions": 106, "time_ms": 1}}}, [24]),
        ({"settles": {"resources_used": {"instructions": 105, "time_ms": 2}}}, [24]),
        ({"heard": b'"FORGED"'}, [24]),
        ({"heard": b"null"}, [24]),
    ],
)
def test_what_the_chain_tells_otherwise_is_a_contradiction_and_what_it_does_not_tell_is_open(good, changes, numbers):
    told_otherwise = ProvenChain(good, **changes)
    checks = checks_of(told_otherwise)
    assert [number for number, check in checks.items() if check.verdict is Verdict.FAIL] == numbers
    assert numbers or any(checks[number].verdict is Verdict.UNKNOWN for number in BY_PROOF)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"asked": {"request_id": 8}}, "the outcomes of the request end without request 7 of outlayer.test.near"),
        ({"settles": {"request_id": 8}}, "the outcome that settles tells no end of request 7 of outlayer.test.near"),
        ({"ending": Ending.FAILURE, "heard": b""}, "the outcome that settles tells no end of request 7"),
    ],
)
def test_evidence_of_something_else_is_refused(good, changes, reason):
    checks = checks_of(ProvenChain(good, **changes))
    assert checks[31].verdict is Verdict.FAIL
    assert reason in checks[31].seen


@pytest.mark.parametrize("used", [None, 7, {}, {"instructions": "105", "time_ms": 1}, {"instructions": 105, "time_ms": True}])
def test_an_event_that_tells_no_figures_that_are_known_settles_by_what_it_tells(good, used):
    assert checks_of(ProvenChain(good, settles={"resources_used": used}))[24].verdict is Verdict.PASS


def test_a_long_input_is_proven_by_the_transaction_that_called_the_contract(good):
    asked = ProvenChain(good, input_in_call="x" * 12_000)
    assert not_passed(checks_of(asked)) == dict.fromkeys(OF_STATE, Verdict.UNKNOWN)
    silent = checks_of(asked, asked.bundle(asked.proofs(request_transaction=None)))
    assert (silent[22].verdict, silent[31].verdict) == (Verdict.UNKNOWN, Verdict.PASS)
    other = ProvenChain(good, input_in_call="y" * 12_000)
    replaced = checks_of(asked, asked.bundle(asked.proofs(request_transaction=other.request_bytes)))
    assert (replaced[22].verdict, replaced[31].verdict) == (Verdict.UNKNOWN, Verdict.FAIL)
    assert "whose outcome is not proven" in replaced[31].seen


def test_an_input_that_is_no_text_is_not_shown_and_ends_no_verifier(good):
    """Whose contract it is decides what it takes; half a surrogate pair has no bytes."""
    asked = ProvenChain(good, input_in_call="x" * 12_000, spelled_in_call='"\\ud800"')
    check = checks_of(asked)[22]
    assert (check.verdict, "and not with which input" in check.seen) == (Verdict.UNKNOWN, True)


def test_a_long_input_beside_a_request_that_cannot_be_read_is_open(good):
    """Calls and requests are told apart by their order alone: one that is passed over would give the next one its input."""
    asked = ProvenChain(good, input_in_call="x" * 12_000, beside=(event("execution_requested", {"request_data": "{}"}),))
    checks = checks_of(asked)
    assert (checks[31].verdict, checks[22].verdict) == (Verdict.PASS, Verdict.UNKNOWN)


def test_the_logs_of_another_account_are_no_request_of_the_contract(good, monkeypatch):
    monkeypatch.setattr("tests.unit.oracle.flows.verify.proven_chain.MAIN", "mallory.near")
    forged = ProvenChain(good)
    receipt = dataclasses.replace(forged.receipt, chain=dataclasses.replace(forged.receipt.chain, contract_id=MAIN))
    check = checks_of(forged, dataclasses.replace(forged.bundle(), receipt=good.bundle(receipt).receipt))[31]
    assert check.verdict is Verdict.FAIL
    assert f"without request 7 of {MAIN}" in check.seen


@pytest.mark.parametrize(
    ("spoil", "open_numbers"),
    [
        (lambda chain, proofs: {"request": ()}, {22, 24, 25}),
        (lambda chain, proofs: {"answer": (), "answer_transaction": None}, {23, 25}),
        (lambda chain, proofs: {"answer_transaction": None}, {23, 25}),
        (lambda chain, proofs: {"settled": None}, {24}),
        (lambda chain, proofs: {"blocks": ()}, {21}),
        (lambda chain, proofs: {"blocks": (chain.block_proof(1),)}, {21}),
    ],
)
def test_evidence_with_a_gap_leaves_open_what_stood_on_it(chain, spoil, open_numbers):
    proofs = chain.proofs()
    checks = checks_of(chain, chain.bundle(dataclasses.replace(proofs, **spoil(chain, proofs))))
    assert set(not_passed(checks)) == open_numbers | set(OF_STATE)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda chain, proofs: {"answer_transaction": proofs.answer_transaction[:-1]}, "the answer: a transaction that ends too early"),
        (lambda chain, proofs: {"answer_transaction": chain.request_bytes}, "of the answer: the bytes that are carried are of"),
        (lambda chain, proofs: {"answer": proofs.answer[::-1]}, "the outcomes of the answer do not lead from one to the next"),
        (lambda chain, proofs: {"answer": proofs.answer[:1]}, "the answer has 1 outcomes, and two are needed"),
        (lambda chain, proofs: {"answer": (proofs.answer[0], proofs.settled)}, "the outcomes of the answer do not lead"),
        (lambda chain, proofs: {"settled": proofs.answer[1]}, "tells no end of request 7"),
        (lambda chain, proofs: {"request": proofs.request[1:]}, "and not with its transaction"),
        (lambda chain, proofs: {"request": proofs.request[:-1]}, "end without request 7"),
        (lambda chain, proofs: {"request": (proofs.request[0], proofs.request[2])}, "the outcomes of the request do not lead"),
        (lambda chain, proofs: {"answer": ()}, "of the answer: the bytes that are carried are of"),
        (lambda chain, proofs: {"request_transaction": b""}, "of the request: a transaction that ends too early"),
    ],
)
def test_what_is_carried_has_to_show_what_it_is_carried_for(chain, spoil, reason):
    proofs = chain.proofs()
    checks = checks_of(chain, chain.bundle(dataclasses.replace(proofs, **spoil(chain, proofs))))
    assert checks[31].verdict is Verdict.FAIL
    assert reason in checks[31].seen


def test_a_request_whose_block_is_not_proven_is_open(good):
    """No block has the time that the contract tells."""
    checks = checks_of(ProvenChain(good, asked={"timestamp": 1}))
    assert (checks[22].verdict, checks[22].seen) == (Verdict.UNKNOWN, "the bundle carries no proof of the request's block")


def test_evidence_of_nothing_is_open(chain):
    empty = ChainProofs(chain.proofs().head)
    checks = checks_of(chain, chain.bundle(empty))
    assert verdicts(checks) == dict.fromkeys((*range(21, 31), 31), Verdict.UNKNOWN)


SAYS_NOTHING = {
    "chain.answer_transaction_hash": "becomes 'None'",
    "chain.answer_signer_id": "becomes 'None'",
    "chain.answer_block_hash": "becomes 'None'",
}
"""What the bundle recorded may be left out; the same facts are proven."""
NO_EVIDENCE = {"chain.recorded_at_ns", "chain.outcome", "chain.registration"}
"""State that somebody recorded is held against nodes alone."""
TWICE = {"chain.proofs.blocks"}
"""A proof that is there twice says the same."""


def judged(terms, document):
    """The checks on chain alone."""
    bundle = read_bundle(json.dumps(document).encode())
    evidence = Evidence(bundle, parse_receipt(bundle.receipt), None, None)
    return {check.number: check for check in check_chain(evidence, (), terms, OurCode(()))}


@SOME_OR_ALL
def test_every_field_of_the_chains_evidence_that_is_changed_keeps_something_from_passing(chain, which):
    document = json.loads(chain.bundle().to_json())
    terms = chain.good.terms(trusted_block=chain.head)
    plain = judged(terms, document)
    left = []
    evidence = {"chain": document.pop("chain")}
    for where, how, spoilt in which(mutants(evidence)):
        try:
            checks = judged(terms, document | json.loads(spoilt))
        except EvidenceRefused:
            continue
        if set(not_passed(checks)) > set(not_passed(plain)):
            continue
        assert {number: checks[number].seen for number in range(21, 31)} == {number: plain[number].seen for number in range(21, 31)}
        if where not in NO_EVIDENCE | TWICE and SAYS_NOTHING.get(where) != how:
            left.append((where, how))
    assert left == []


def test_a_long_inputs_transaction_that_is_changed_in_any_place_is_refused(good):
    asked = ProvenChain(good, input_in_call="x" * 100)
    raw = asked.request_bytes
    for at in range(0, len(raw), 7):
        spoilt = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        checks = checks_of(asked, asked.bundle(asked.proofs(request_transaction=spoilt)))
        assert (checks[22].verdict, checks[31].verdict) == (Verdict.UNKNOWN, Verdict.FAIL)


def test_a_bundle_that_names_another_answer_than_it_proves_is_refused(chain):
    bundle = chain.bundle()
    other = dataclasses.replace(bundle, chain=dataclasses.replace(bundle.chain, answer_transaction_hash=text(hash_of("x"))))
    check = checks_of(chain, other)[31]
    assert (check.verdict, "as the answer, and proves" in check.seen) == (Verdict.FAIL, True)


def test_a_receipt_of_a_chain_with_another_first_block_is_refused(chain):
    other = dataclasses.replace(chain.receipt, chain=dataclasses.replace(chain.receipt.chain, genesis_hash=text(hash_of("x"))))
    check = checks_of(chain, dataclasses.replace(chain.bundle(), receipt=chain.good.bundle(other).receipt))[21]
    assert (check.verdict, check.seen) == (Verdict.FAIL, f"first block {chain.receipt.chain.genesis_hash}")


def test_an_answer_whose_call_failed_is_refused_for_a_reason_that_nothing_proves(good):
    check = checks_of(ProvenChain(good, answered=Ending.FAILURE))[23]
    assert (check.verdict, check.seen) == (Verdict.FAIL, "the call failed: for a reason that no proof covers")


def test_a_block_that_commits_to_the_request_is_not_the_one_it_ran_in(good):
    checks = checks_of(ProvenChain(good, asked={"timestamp": START_NS + (ASKED_IN + 1) * NS}))
    assert (checks[22].verdict, checks[22].seen) == (Verdict.UNKNOWN, "the bundle carries no proof of the request's block")


@pytest.mark.parametrize("height", [0, ASKED_IN, ANSWERED_IN + 1])
def test_an_answer_that_is_said_to_have_run_before_or_after_its_time_is_refused(chain, height):
    bundle = chain.bundle()
    named = dataclasses.replace(bundle.chain, answer_block_hash=text(block_hash(chain.headers[height])))
    check = checks_of(chain, dataclasses.replace(bundle, chain=named))[23]
    assert check.verdict is Verdict.FAIL
    assert "recorded block" in check.seen


def test_a_receipt_that_names_no_transaction_is_held_to_the_one_that_was_named(chain):
    request = dataclasses.replace(chain.receipt.request, transaction_hash=None, receipt_id=None)
    bundle = chain.good.bundle(dataclasses.replace(chain.receipt, request=request))
    carried = dataclasses.replace(bundle, chain=dataclasses.replace(chain.bundle().chain, answer_transaction_hash=None))
    own = text(chain.ids["request"][0])
    seen = {named: checks_of(chain, carried, request_transaction=named)[22] for named in (None, own, text(hash_of("x")))}
    assert [check.verdict for check in seen.values()] == [Verdict.PASS, Verdict.PASS, Verdict.UNKNOWN]
    assert "and not of the one that was named" in seen[text(hash_of("x"))].seen


def test_a_receipt_that_its_worker_dated_after_the_answer_is_refused(good):
    chain = ProvenChain(good)
    late = dataclasses.replace(chain.receipt, made_at_ns=chain.receipt.made_at_ns + 3_600 * 10**9)
    bundle = dataclasses.replace(chain.bundle(), receipt=good.bundle(late).receipt)
    assert checks_of(chain, bundle)[25].verdict is Verdict.FAIL
