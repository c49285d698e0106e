"""Whose logs count in a node's answer: anybody may write the contract's events, in the very transaction that it is asked about."""

import dataclasses
import json
from base64 import b64encode
from hashlib import sha256

import pytest

from oracle.flows.verify.check import Verdict
from oracle.flows.verify.facts import BlockSeen, CompletedSeen, EndSeen, Missing, NodeFacts
from oracle.flows.verify.offline import check_offline
from oracle.flows.verify.reading import receipt_of_request, request_seen
from oracle.flows.verify.settled import check_settled
from oracle.model import Metrics
from oracle.model.receipt import Outcome
from tests.unit.oracle.flows.verify.good import Good, file_of

MAIN, OTHER, STANDARD = "outlayer.near", "0utlayer.near", "near-outlayer"
SUCCESS, FAILURE = {"SuccessValue": "bnVsbA=="}, {"Failure": {"ActionError": {}}}
BLOCK, NOTHING = BlockSeen(7, "block", 1), Missing("not asked")


def log_of(event, **data):
    return "EVENT_JSON:" + json.dumps({"standard": STANDARD, "version": "1.0.0", "event": event, "data": [data]})


def requested(request_id, sender_id="alice.near"):
    source = {"WasmUrl": {"url": "https://example.com/a.wasm", "hash": "ab" * 32}}
    told = {"request_id": request_id, "sender_id": sender_id, "code_source": source, "payment": "1", "timestamp": 1}
    return log_of("execution_requested", request_data=json.dumps(told), data_id=[1] * 32, timestamp=1)


def completed(request_id, *, success):
    told = {"sender_id": "alice.near", "resources_used": {"instructions": 1, "time_ms": 1}, "payment_charged": "1", "timestamp": 1}
    return log_of("execution_completed", request_id=request_id, success=success, error_message=None, **told)


def ran(receipt_id, *logs, executor_id=MAIN, status=SUCCESS):
    return {"id": receipt_id, "block_hash": "block", "outcome": {"executor_id": executor_id, "logs": list(logs), "status": status}}


def transaction(*receipts):
    return {"transaction": {"hash": "tx"}, "receipts_outcome": list(receipts), "receipts": []}


@pytest.mark.parametrize("whose", [{"executor_id": OTHER}, {"status": FAILURE}, {"status": "Unknown"}])
def test_a_request_counts_only_in_a_receipt_of_the_contract_that_went_through(whose):
    invented = ran("invented", requested(7, "mallory.near"), **whose)
    assert receipt_of_request(transaction(invented), MAIN, STANDARD, 7) is None
    found = receipt_of_request(transaction(invented, ran("real", requested(7))), MAIN, STANDARD, 7)
    assert found is not None
    assert (found[0]["id"], found[1].sender_id, found[2]) == ("real", "alice.near", 0)


@pytest.mark.parametrize("whose", [{"executor_id": OTHER}, {"status": FAILURE}])
def test_an_end_counts_only_in_a_receipt_of_the_contract_that_went_through(whose):
    asked, invented = ran("asked", requested(7)), ran("invented", completed(7, success=True), **whose)
    seen = [request_of(transaction(asked, *more)).completed for more in ((invented,), (invented, ran("end", completed(7, success=False))))]
    assert seen == [None, CompletedSeen(success=False, error=None, heard=b"null", used=Metrics(1, 1, 0))]


def test_the_end_of_another_request_is_not_this_ones():
    assert request_of(transaction(ran("asked", requested(7)), ran("end", completed(8, success=True)))).completed is None


def request_of(outcome):
    found = receipt_of_request(outcome, MAIN, STANDARD, 7)
    assert found is not None
    return request_seen(outcome, found, BLOCK, MAIN, STANDARD)


def failed_evidence(error="it trapped"):
    good = Good()
    bundle = good.bundle(good.receipt(outcome=Outcome(success=False, error=error)))
    evidence = check_offline(file_of(bundle), good.terms()).evidence
    assert evidence is not None
    return evidence


def test_an_error_is_compared_with_as_much_of_it_as_the_contract_keeps():
    error = "é" * 300  # two bytes each; the contract keeps 256 bytes of whole characters
    evidence = failed_evidence(error)
    verdicts = [check_settled(evidence, ended_with(evidence, kept)).verdict for kept in ("é" * 128, "é" * 127, error)]
    assert verdicts == [Verdict.PASS, Verdict.FAIL, Verdict.FAIL]


def ended_with(evidence, error):
    end = EndSeen(False, "Failed", error, evidence.receipt.metrics, evidence.bundle.receipt_sha256_hex, "{}")
    return facts_of(end, NOTHING)


@pytest.mark.parametrize(
    ("success", "error", "heard", "verdict"),
    [
        (False, "it trapped", b"null", Verdict.PASS),
        (False, "it trapped", b'"HELLO"', Verdict.FAIL),
        (False, "another", b"null", Verdict.FAIL),
        (True, "it trapped", b"null", Verdict.FAIL),
        (False, "it trapped", None, Verdict.UNKNOWN),
    ],
)
def test_a_failure_whose_record_is_gone_is_told_by_event_error_and_what_was_heard(success, error, heard, verdict):
    outcome = transaction(ran("asked", requested(7)))
    request = dataclasses.replace(request_of(outcome), completed=CompletedSeen(success, error, heard))
    assert check_settled(failed_evidence(), facts_of(Missing("it is gone", is_gone=True), request)).verdict is verdict


def facts_of(end, request):
    return NodeFacts("localnet", "genesis", request, NOTHING, end, NOTHING, NOTHING, NOTHING)


def test_a_request_beside_one_that_cannot_be_read_has_no_place_and_so_no_input_of_the_call():
    """Calls and requests are told apart by their order alone: one that is passed over would give the next one its input."""
    unreadable = requested(6).replace("code_source", "code_sauce")
    long = requested(7).replace('\\"payment', '\\"input_data_in_state\\": true, \\"payment')
    calls = [{"FunctionCall": {"method_name": "request_execution", "args": b64encode(b'{"input_data": "x"}').decode()}}] * 2
    receipts = [{"receipt_id": "asked", "receipt": {"Action": {"actions": calls}}}]
    seen = [request_of(transaction(ran("asked", *logs)) | {"receipts": receipts}) for logs in ((requested(6), long), (unreadable, long))]
    assert [one.request.input_data for one in seen] == [None, None]
    assert [one.input_sha256_hex for one in seen] == [sha256(b"x").hexdigest(), None]
