"""A node that answers each question in time and never comes to an end holds nobody."""

import asyncio

from oracle.flows.verify import nodes
from oracle.flows.verify.facts import Missing, NodeWord
from oracle.flows.verify.nodes import Question, ask_nodes, find_request
from oracle.testing.clock import EagerClock

PLACE = "http://node.example"
QUESTION = Question("main.near", 7, "worker.near", "ed25519:x", "alice.near", None, None)


class Stalling:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def chain_id(self):
        return "localnet"

    async def call(self, method, params):
        await asyncio.Event().wait()


async def test_a_node_that_stalls_is_missing_and_says_why(monkeypatch):
    monkeypatch.setattr(nodes, "Rpc", lambda urls, clock: Stalling())
    monkeypatch.setattr(nodes, "NODE_TIMEOUT_S", 0.01)
    late = Missing("it takes longer than 0.01 seconds")
    assert await ask_nodes([PLACE], QUESTION, EagerClock()) == (NodeWord(PLACE, late),)
    assert await find_request(PLACE, "main.near", "transaction", EagerClock()) == late
