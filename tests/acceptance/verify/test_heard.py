"""Two answers to one request, or an output that is replaced under way: the receipt of what the caller did not hear proves nothing."""

import dataclasses
import json

import pytest

from localnet import TGAS, KeyPair
from localnet.values.actions import FunctionCall, FunctionCallPermission
from oracle.flows.verify.check import Verdict
from oracle.flows.verify.facts import Missing
from oracle.flows.verify.heard import heard_agrees
from oracle.flows.verify.report import Overall, verdict_of
from oracle.model import OutputFormat
from tests.acceptance.verify.chain_stage import MAIN, USED, WORKER, ChainStage
from tests.acceptance.verify.test_chain import ask, checks_of, verdict_at, with_facts
from tests.unit.oracle.flows.verify.good import OUTPUT

GONE = Missing("the contract keeps no outcome of it (any more)", is_gone=True)
LONG = b"H" * 2_000
STRANGER = KeyPair.from_seed("kept back")


def call(method, **args):
    return FunctionCall(method, json.dumps(args, separators=(",", ":")).encode(), 30 * TGAS, 0)


class Outrun(ChainStage):
    """Another answer of the same key comes first, in the same block; both transactions go through."""

    def __init__(self, winner, used):
        self._winner, self._used = winner, used
        super().__init__()

    def _answer(self, output):
        account = self.accounts[WORKER].with_key(KeyPair(self.good.key.private_bytes_raw()))
        account.submit(MAIN, [self._call({"Text": self._winner}, "ff" * 32, self._used)])
        second = account.submit(MAIN, [self._call(output, self.receipt_sha256_hex, USED)])
        self.chain.run_until_idle()
        return self.chain.transaction(second).raise_for_failure()

    def _call(self, output, receipt_sha256_hex, used):
        response = {"success": True, "output": output, "error": None, "resources_used": used, "receipt_sha256": receipt_sha256_hex}
        return call("resolve_execution", request_id=self.receipt.request.request_id, response=response)


class Replaced(ChainStage):
    """A key of the operator's that nobody registered replaces the long output before the contract hands it on."""

    def __init__(self):
        super().__init__(output=LONG, closed=False)

    def _ask(self):
        self.accounts[WORKER].add_key(STRANGER.public_key, FunctionCallPermission(None, MAIN, ()))
        return super()._ask()

    def _answer(self, output):
        request_id = self.receipt.request.request_id
        answer = (
            self.accounts[WORKER]
            .with_key(KeyPair(self.good.key.private_bytes_raw()))
            .submit(
                MAIN,
                [
                    call(
                        "submit_execution_output_and_resolve",
                        request_id=request_id,
                        output=output,
                        success=True,
                        error=None,
                        resources_used=USED,
                        receipt_sha256=self.receipt_sha256_hex,
                    )
                ],
            )
        )
        other = call("submit_execution_output", request_id=request_id, output={"Text": "FORGED"})
        self.accounts[WORKER].with_key(STRANGER).submit(MAIN, [other])
        self.chain.run_until_idle()
        return self.chain.transaction(answer).raise_for_failure()


@pytest.mark.parametrize(("winner", "used"), [("OTHER", USED), (OUTPUT.decode(), USED | {"time_ms": 2})])
def test_an_answer_that_lost_against_another_is_refused_also_when_the_record_is_gone(winner, used):
    stage = Outrun(winner, used)
    words = ask([stage], stage.bundle(), stage.receipt)
    assert verdict_at(checks_of(stage, words), 24) is Verdict.FAIL
    bundle = dataclasses.replace(stage.bundle(), chain=dataclasses.replace(stage.bundle().chain, outcome_json=None))
    assert verdict_at(checks_of(stage, with_facts(words, end=GONE), bundle), 24) is Verdict.FAIL


def test_an_output_that_was_replaced_before_it_was_handed_on_is_refused():
    stage = Replaced()
    words = ask([stage], stage.bundle(), stage.receipt)
    assert words[0].facts.request.completed.heard == b'"FORGED"'
    assert verdict_at(checks_of(stage, words), 24) is Verdict.FAIL


@pytest.mark.parametrize(
    ("response_format", "output", "said"),
    [("Bytes", b"\x00\xff\n", {"Bytes": [0, 255, 10]}), ("Json", b'{"a":[1,"x"]}', {"Json": {"a": [1, "x"]}})],
)
def test_what_the_caller_heard_proves_the_end_in_every_format_when_the_record_is_gone(response_format, output, said):
    stage = ChainStage(response_format=response_format, output=output, said=said)
    words = with_facts(ask([stage], stage.bundle(), stage.receipt), end=GONE)
    assert verdict_of(checks_of(stage, words)) is Overall.PROVEN


def test_without_what_the_caller_heard_the_end_is_open_when_the_record_is_gone(stage):
    (word,) = ask([stage], stage.bundle(), stage.receipt)
    request = dataclasses.replace(word.facts.request, completed=dataclasses.replace(word.facts.request.completed, heard=None))
    assert verdict_at(checks_of(stage, with_facts((word,), request=request, end=GONE)), 24) is Verdict.UNKNOWN


ODD_JSON = b'\n\n  {"b": 1.50, "a": [true]}\n\n'


def heard_instead(words, heard, **facts):
    """What a contract that spells JSON anew hands on."""
    request = words[0].facts.request
    return with_facts(words, request=dataclasses.replace(request, completed=dataclasses.replace(request.completed, heard=heard)), **facts)


@pytest.mark.parametrize(
    ("heard", "carried", "verdict"),
    [
        (b'{"a":[true],"b":1.5}', ODD_JSON, Verdict.PASS),
        (b'{"a":[true],"b":1.5}', None, Verdict.UNKNOWN),
        (b'{"a":[1],"b":1.5}', ODD_JSON, Verdict.FAIL),
        (b'{"a":[true],"b":1.51}', ODD_JSON, Verdict.FAIL),
    ],
)
def test_json_in_another_spelling_is_held_against_the_output_that_is_carried(heard, carried, verdict):
    stage = ChainStage(response_format="Json", output=ODD_JSON, said={"Json": {"b": 1.5, "a": [True]}})
    words = ask([stage], stage.bundle(), stage.receipt)
    bundle = dataclasses.replace(stage.bundle(), output_bytes=carried)
    no_call = heard_instead(words, heard, answer=Missing("the node does not keep it"))
    assert verdict_at(checks_of(stage, with_facts(no_call, end=GONE), bundle), 24) is verdict
    by_record = verdict_at(checks_of(stage, no_call, bundle), 24)
    assert by_record is (Verdict.FAIL if verdict is Verdict.FAIL else Verdict.PASS)


@pytest.mark.parametrize("heard", [b"", b"null", b"7", b'"HELL0"', b"[" * 100_000, b"\xff", b'"' + b"x" * 100])
@pytest.mark.parametrize("response_format", OutputFormat)
def test_nothing_else_than_the_output_is_taken_for_it(stage, heard, response_format):
    receipt = dataclasses.replace(stage.receipt, request=dataclasses.replace(stage.receipt.request, response_format=response_format))
    assert heard_agrees(heard, receipt, Missing("not asked")) is not True
