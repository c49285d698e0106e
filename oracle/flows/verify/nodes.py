"""
Asking nodes: each for itself and all at once, every question bounded by the RPC client's time-out and all of a node's by one of their own.

What a node does not answer is `Missing` with the reason; nothing here judges.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from oracle.errors import ChainError
from oracle.flows.verify.facts import AnswerSeen, BlockSeen, EndSeen, Missing, NodeFacts, NodeWord, OperatorSeen, RegisterSeen, RequestSeen
from oracle.flows.verify.reading import (
    SHAPELESS,
    answer_seen,
    block_seen,
    end_seen,
    keys_by_receiver,
    operator_seen,
    receipt_of_answer,
    receipt_of_request,
    registration_seen,
    request_seen,
    workers_listed,
)
from oracle.near import Contract, Rpc
from oracle.near.events import DEFAULT_STANDARD
from oracle.near.rpc import place_of
from oracle.ports import Clock

PAGE = 100
"""The longest that the register contract lists at once."""
MAX_PAGES = 100
NODE_TIMEOUT_S = 120.0
"""For all that one node is asked: a list of keys has up to a hundred pages, and who stalls at each holds nobody for half an hour."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Question:
    """
    What nodes are asked about.

    `request_id` None takes the first request of the transaction. Transactions are None where nobody knows them.
    """

    contract_id: str
    request_id: int | None
    worker_id: str
    worker_key: str
    sender_id: str
    request_transaction: str | None
    answer_transaction: str | None


async def ask_nodes(urls: Sequence[str], question: Question, clock: Clock) -> tuple[NodeWord, ...]:
    """What each node says."""
    return tuple(await asyncio.gather(*(_ask_node(url, question, clock) for url in urls)))


async def _ask_node(url: str, question: Question, clock: Clock) -> NodeWord:
    async with Rpc([url], clock) as rpc:
        return NodeWord(place_of(url), await _in_time(_Node(rpc, question).facts))


async def _in_time(ask: Callable[[], Awaitable[_T]]) -> _T | Missing:
    try:
        async with asyncio.timeout(NODE_TIMEOUT_S):
            return await _or_missing(ask)
    except TimeoutError:
        return Missing(f"it takes longer than {NODE_TIMEOUT_S:g} seconds")


async def find_request(url: str, contract_id: str, transaction_hash: str, clock: Clock) -> RequestSeen | Missing:
    """The first request that a transaction made of the contract."""
    question = Question(contract_id, None, contract_id, "", contract_id, transaction_hash, None)
    async with Rpc([url], clock) as rpc:
        return await _in_time(_Node(rpc, question).request)


class _Node:
    """One node and what it is asked."""

    def __init__(self, rpc: Rpc, question: Question) -> None:
        self._rpc, self._asked = rpc, question
        self._main, self._register = Contract(rpc, question.contract_id), Contract(rpc, question.worker_id)

    async def facts(self) -> NodeFacts:
        chain_id = await self._rpc.chain_id()
        request, answer, end, operator_id, register, operator = await asyncio.gather(
            _or_missing(self.request),
            _or_missing(self._answer),
            _or_missing(self._end),
            _or_missing(self._operator_id),
            _or_missing(self._registered),
            _or_missing(self._operator),
        )
        return NodeFacts(chain_id, await self._rpc.genesis_hash(), request, answer, end, operator_id, register, operator)

    async def request(self) -> RequestSeen | Missing:
        asked = self._asked
        if asked.request_transaction is None:
            return Missing("the receipt names no transaction of the request; --request-tx does")
        standard = await self._main.event_standard() or DEFAULT_STANDARD
        outcome = await self._transaction(asked.request_transaction, asked.sender_id)
        found = receipt_of_request(outcome, asked.contract_id, standard, asked.request_id)
        if found is None:
            return Missing(f"the transaction {asked.request_transaction} made no such request of {asked.contract_id}", is_denial=True)
        block = await self._block(found[0]["block_hash"])
        return request_seen(outcome, found, block, asked.contract_id, standard)

    async def _answer(self) -> AnswerSeen | Missing:
        asked = self._asked
        if asked.answer_transaction is None:
            return Missing("the bundle does not name the answer's transaction; --answer-tx does")
        outcome = await self._transaction(asked.answer_transaction, asked.worker_id)
        ran = receipt_of_answer(outcome)
        return answer_seen(outcome, ran, await self._block(ran["block_hash"]))

    async def _end(self) -> EndSeen | Missing:
        request_id = self._asked.request_id
        if request_id is None:
            return Missing("no request is named")
        return end_seen(await self._main.view("get_outcome", {"request_id": request_id}), request_id)

    async def _operator_id(self) -> str:
        config = json.loads(await self._main.view("get_config", {}))
        return str(config[1])

    async def _registered(self) -> RegisterSeen:
        key = {"public_key": self._asked.worker_key}
        worker, revoked, root, config = await asyncio.gather(
            self._register.view("get_worker", dict(key)),
            self._register.view("is_worker_revoked", dict(key)),
            self._register.view("get_root", {}),
            self._register.view("get_config", {}),
        )
        return RegisterSeen(
            registration=registration_seen(worker),
            is_revoked=json.loads(revoked) is not False,
            root_sha256_hex=hashlib.sha256(bytes.fromhex(json.loads(root))).hexdigest(),
            contract_id=str(json.loads(config)["outlayer_contract_id"]),
        )

    async def _operator(self) -> OperatorSeen:
        about = {"finality": "final", "account_id": self._asked.worker_id}
        account, keys = await asyncio.gather(
            self._rpc.call("query", {"request_type": "view_account", **about}),
            self._rpc.call("query", {"request_type": "view_access_key_list", **about}),
        )
        seen = operator_seen(account, keys, self._asked.worker_id)
        answering = [key for key, receiver_id in keys_by_receiver(keys).items() if receiver_id == self._asked.contract_id]
        return replace(seen, stranger_keys=await self._strangers([key for key in answering if key != self._asked.worker_key]))

    async def _strangers(self, keys: list[str]) -> tuple[str, ...]:
        """Those of the keys that no worker has; the key asked about is looked at by itself."""
        strangers = set(keys)
        for page in range(MAX_PAGES):
            if not strangers:
                return ()
            listed = workers_listed(await self._register.view("list_workers", {"from_index": page * PAGE, "limit": PAGE}))
            strangers.difference_update(listed)
            if len(listed) < PAGE:
                break
        return tuple(sorted(strangers))

    async def _transaction(self, transaction_hash: str, sender_id: str) -> Any:
        params = {"tx_hash": transaction_hash, "sender_account_id": sender_id, "wait_until": "FINAL"}
        outcome: Any = await self._rpc.call("EXPERIMENTAL_tx_status", params)
        if outcome["transaction"]["hash"] != transaction_hash:
            raise ValueError("the node answers with another transaction")
        return outcome

    async def _block(self, block_hash: str) -> BlockSeen:
        block = block_seen(await self._rpc.call("block", {"block_id": block_hash}))
        if block.block_hash != block_hash:
            raise ValueError("the node answers with another block")
        return block


async def _or_missing(ask: Callable[[], Awaitable[_T]]) -> _T | Missing:
    try:
        return await ask()
    except ChainError as error:
        return Missing(str(error))
    except SHAPELESS as error:
        return Missing(f"the node's answer cannot be read ({type(error).__name__})")
