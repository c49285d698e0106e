import asyncio
from dataclasses import replace

import pytest

from oracle.errors import RpcUnavailable
from oracle.model import Answer, BlockEvents, Completed, Cursor, Job, Metrics, Origin, OutputFormat, Requested, Unreadable
from oracle.near.agreed import AgreedContract, AgreedSender, AgreedStream
from oracle.near.agreement import Agreement, Node, NodesDisagree, difference
from oracle.testing.chain import request
from oracle.testing.clock import ManualClock

REQUEST = request(7)
ORIGIN = Origin("tx", "receipt", 5, REQUEST.timestamp_ns, "ed25519:key", 1)
LIE = replace(REQUEST, input_data="evil")


class Told:
    """A node's contract: each answer in turn, the last one for ever; an error is raised."""

    def __init__(self, *answers):
        self.answers, self.heights = list(answers), []

    async def request(self, request_id, *, at_least_height=0):
        self.heights.append(at_least_height)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Hurried(ManualClock):
    """Nobody waits."""

    async def sleep(self, seconds):
        self.jump(seconds)
        await asyncio.sleep(0)


def agreement(*nodes):
    return Agreement(
        [Node(f"http://node{index}", node if isinstance(node, Told) else Told(node)) for index, node in enumerate(nodes)], Hurried()
    )


AWAY = RpcUnavailable("away")


@pytest.mark.parametrize(
    ("nodes", "agreed"),
    [
        ((REQUEST, REQUEST), REQUEST),
        ((None, None), None),
        ((REQUEST, REQUEST, LIE), REQUEST),
        ((None, REQUEST, REQUEST), REQUEST),
        ((LIE, None, None), None),
        ((AWAY, REQUEST, REQUEST), REQUEST),
        ((Told(None, REQUEST), REQUEST), REQUEST),  # a block behind
        ((Told(AWAY, AWAY, REQUEST), REQUEST), REQUEST),
        ((REQUEST, Told(None, None, None)), NodesDisagree),
        ((REQUEST, None), NodesDisagree),
        ((REQUEST, LIE), NodesDisagree),
        ((REQUEST, LIE, None), NodesDisagree),
        ((REQUEST, REQUEST, None, None), NodesDisagree),
        ((REQUEST, LIE, AWAY), NodesDisagree),
        ((REQUEST, AWAY), RpcUnavailable),
        ((AWAY, AWAY, None), RpcUnavailable),
    ],
)
async def test_what_two_nodes_say_and_no_two_others_deny_is_believed(nodes, agreed):
    asked = agreement(*nodes).request(7, at_least_height=5)
    if isinstance(agreed, type):
        with pytest.raises(agreed):
            await asked
    else:
        assert await asked == agreed


async def test_a_disagreement_is_told_with_who_says_what_and_forgotten_in_time():
    believed = agreement(REQUEST, LIE, None)
    assert believed.trouble is None
    with pytest.raises(NodesDisagree) as told:
        await believed.request(7)
    sentence = "http://node0 has it, http://node1 has it with another input_data, http://node2 has no such request"
    assert str(told.value) == f"independent nodes disagree on request 7: {sentence}"
    assert believed.trouble == str(told.value)
    await believed._clock.advance(901)
    assert believed.trouble is None


async def test_nodes_are_asked_for_a_block_that_has_the_request():
    node = Told(REQUEST)
    await agreement(node, REQUEST).request(7, at_least_height=5)
    assert node.heights == [5]


def test_one_node_agrees_with_nobody():
    with pytest.raises(ValueError, match="at least 2 nodes"):
        agreement(REQUEST)


def test_an_input_that_the_event_does_not_carry_is_not_compared():
    assert difference(replace(REQUEST, input_data=None), REQUEST) is None
    assert difference(REQUEST, LIE) == "input_data"
    assert difference(REQUEST, replace(REQUEST, payment=1)) == "payment"


class Blocks:
    """`WatchChain` of these blocks."""

    head_height, trouble = 5, None

    def __init__(self, *events):
        self._events = events

    async def follow(self, after):
        yield BlockEvents(Cursor(5, "block5"), REQUEST.timestamp_ns, self._events)


async def followed(believed, *events):
    (block,) = [block async for block in AgreedStream(Blocks(*events), believed, Hurried()).follow(None)]
    return block.events


async def test_a_request_that_nodes_have_passes_with_the_other_events_of_its_block():
    events = (Requested(REQUEST, ORIGIN), Completed(3, success=True, error=None))
    assert await followed(agreement(REQUEST, REQUEST), *events) == events


async def test_an_invented_request_becomes_an_event_that_is_not_believed():
    (event,) = await followed(agreement(LIE, None), Requested(LIE, ORIGIN))
    assert isinstance(event, Unreadable)
    assert (event.block_height, event.receipt_id) == (5, "receipt")
    assert event.reason.startswith("independent nodes disagree on request 7")


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (Requested(LIE, ORIGIN), "input_data"),
        (Requested(REQUEST, replace(ORIGIN, block_timestamp_ns=1)), "block timestamp"),
    ],
)
async def test_a_request_that_the_source_of_blocks_changed_is_not_believed(event, field):
    believed = agreement(REQUEST, REQUEST)
    (told,) = await followed(believed, event)
    assert told.reason == f"independent nodes have request 7 with another {field} than the source of blocks"
    assert believed.trouble == told.reason


async def test_a_request_that_is_settled_on_all_nodes_is_passed_over():
    believed = agreement(None, None)
    assert await followed(believed, Requested(REQUEST, ORIGIN)) == ()
    assert believed.trouble is None


async def test_a_block_waits_for_nodes_that_are_away_and_says_so():
    node = Told(*[AWAY] * 8, REQUEST)
    assert await followed(agreement(node, REQUEST), Requested(REQUEST, ORIGIN)) == (Requested(REQUEST, ORIGIN),)
    assert len(node.heights) == 9


class Sender:
    """Counts what leaves."""

    sent = 0

    async def submit(self, answer, vouch, *, first=False):
        self.sent += 1
        return "hash"


class Store:
    """Has one job."""

    def __init__(self, job):
        self._job = job

    async def get(self, request_id):
        return self._job


ANSWER = Answer(7, success=True, output=b"x", output_format=OutputFormat.TEXT, error=None, metrics=Metrics())


@pytest.mark.parametrize(
    ("nodes", "sent"), [((REQUEST, REQUEST), 1), ((LIE, LIE), 0), ((REQUEST, None), 0), ((None, None), 0), ((REQUEST, AWAY), 0)]
)
async def test_an_answer_leaves_only_for_the_request_that_nodes_agree_on(nodes, sent):
    inner = Sender()
    sender = AgreedSender(inner, agreement(*nodes), Store(Job(REQUEST, ORIGIN)))
    if sent:
        await sender.submit(ANSWER, None)
    else:
        with pytest.raises((NodesDisagree, RpcUnavailable)):
            await sender.submit(ANSWER, None)
    assert inner.sent == sent


async def test_a_request_found_in_the_contract_is_read_from_all_nodes():
    contract = AgreedContract(Told(LIE), agreement(REQUEST, REQUEST))
    assert await contract.request(7) == REQUEST
