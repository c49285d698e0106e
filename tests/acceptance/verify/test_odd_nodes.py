"""A node whose answers are changed in one place, or are nonsense: a verifier ends with a verdict, and with the right one."""

import asyncio
import copy
import json

import pytest

from localnet.server import ServerThread
from oracle.cli.verify_online import our_code
from oracle.flows.verify.agreement import check_chain
from oracle.flows.verify.facts import Missing, NodeWord
from oracle.flows.verify.nodes import Question, _Node, _or_missing
from oracle.flows.verify.offline import check_offline
from oracle.flows.verify.reading import operator_seen
from oracle.flows.verify.report import Overall, verdict_of
from oracle.near import Rpc
from oracle.ports import SystemClock
from tests.acceptance.verify.test_chain import question_of, terms_of
from tests.unit.oracle.flows.verify.good import file_of

SAMPLED_EVERY = 11


class Recorded(Rpc):
    """Answers as they were recorded; without a record it asks and writes down."""

    def __init__(self, url, answers=None):
        super().__init__([url], SystemClock())
        self.answers = {} if answers is None else answers
        self._records = answers is None

    async def call(self, method, params):
        key = json.dumps([method, params], sort_keys=True)
        if self._records:
            self.answers[key] = await super().call(method, params)
        return copy.deepcopy(self.answers[key])


async def word_of(rpc, question):
    async with rpc:
        return NodeWord("http://node.example", await _or_missing(_Node(rpc, question).facts))


@pytest.fixture(scope="module")
def recorded(made):
    """An honest node's answers by what was asked, and how a verifier judges them."""
    stage, snapshot = made
    stage.chain.restore(snapshot)
    bundle, terms = stage.bundle(), terms_of(stage)
    question, evidence = question_of(bundle, stage.receipt), check_offline(file_of(bundle), terms).evidence
    with ServerThread(stage.chain) as server:
        rpc = Recorded(server.rpc_url)
        asyncio.run(word_of(rpc, question))

    def verdict(answers):
        word = asyncio.run(word_of(Recorded("http://node.example", answers), question))
        return verdict_of(check_chain(evidence, (word,), terms, our_code()))

    return rpc.answers, verdict


def places(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        if not (isinstance(inner, list) and len(inner) > 64):  # bytes as numbers: the first few tell
            yield from places(inner)


def test_the_recorded_answers_are_those_of_an_honest_node(recorded):
    answers, verdict = recorded
    assert verdict(answers) is Overall.PROVEN


ODD = [None, -1, 2**70, "", "\ud800", [], {}, [[[]]], True, float("inf"), float("nan")]


def check_all(recorded, odd, first, step):
    answers, verdict = recorded
    spoilt = copy.deepcopy(answers)
    for container, key in list(places(spoilt))[first::step]:
        kept = container[key]
        container[key] = odd
        assert verdict(spoilt) in set(Overall)
        container[key] = kept


@pytest.mark.parametrize("which", range(len(ODD)))
def test_an_answer_with_something_odd_in_it_never_ends_a_verifier(recorded, which):
    check_all(recorded, ODD[which], which, SAMPLED_EVERY)


@pytest.mark.soak
@pytest.mark.parametrize("which", range(len(ODD)))
def test_an_answer_with_something_odd_anywhere_never_ends_a_verifier(recorded, which):
    check_all(recorded, ODD[which], 0, 1)


@pytest.mark.parametrize("odd", [None, [], {}, "text", 7, {"error": "no"}, {"result": []}, {"result": [255]}, {"result": list(b"[")}])
def test_a_whole_answer_that_is_odd_keeps_it_from_proven(recorded, odd):
    answers, verdict = recorded
    for key in answers:
        if "get_event_metadata" in key:  # a contract that does not tell its standard has the usual one
            continue
        assert verdict(answers | {key: odd}) is not Overall.PROVEN, key


@pytest.mark.parametrize("told", [b"null", b"0", b'""', b"[]", b"{}", b"true"])
def test_a_view_that_tells_something_odd_keeps_it_from_proven(recorded, told):
    answers, verdict = recorded
    views = [key for key, answer in answers.items() if "call_function" in key and "get_event_metadata" not in key]
    assert len(views) >= 6
    for key in views:
        if "get_outcome" in key and told == b"null":  # records are kept for a while; then the contract's event tells the end
            continue
        spoilt = answers | {key: {**answers[key], "result": list(told)}}
        assert verdict(spoilt) is not Overall.PROVEN, key


def other_transaction(answer):
    answer["transaction"]["hash"] = "9" * 44


def more_actions(answer):
    answer["transaction"]["actions"].append({"Transfer": {"deposit": "1"}})


def other_block(answer):
    answer["header"]["hash"] = "9" * 44


@pytest.mark.parametrize(
    ("asked", "how_many", "spoil"),
    [("EXPERIMENTAL_tx_status", 2, other_transaction), ("EXPERIMENTAL_tx_status", 1, more_actions), ('["block"', 2, other_block)],
)
def test_an_answer_about_something_else_than_was_asked_keeps_it_from_proven(recorded, asked, how_many, spoil):
    answers, verdict = recorded
    keys = [key for key in answers if asked in key]
    kept = []
    for key in keys:
        spoilt = copy.deepcopy(answers)
        spoil(spoilt[key])
        kept += [key] if verdict(spoilt) is not Overall.PROVEN else []
    assert (len(keys), len(kept)) == (2, how_many)


def test_a_node_that_answers_nothing_at_all_is_missing(recorded):
    word = asyncio.run(word_of(Recorded("http://node.example", {}), question_of_nothing()))
    assert isinstance(word.facts, Missing)


def question_of_nothing():
    return Question("c.near", 1, "w.near", "ed25519:x", "s.near", None, None)


def test_a_hash_that_would_take_hours_to_decode_is_not_decoded():
    with pytest.raises(ValueError, match="too long"):
        operator_seen({"code_hash": "z" * 20_000}, {"keys": []}, "w.near")
