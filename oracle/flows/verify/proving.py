"""
Evidence of the chain gathered from nodes, for a bundle that is to prove by itself: what a node gives is kept where it holds, and what it
does not give is named.

1. A head is chosen: the trusted block, or the newest final one. Its header is what the proof of a block under itself shows.
2. The two transactions are asked for, and the receipts that matter found in them.
3. For each outcome, and for blocks that no outcome names, the proof is asked for under that head, and checked.
4. A transaction's exact bytes are what the node tells of it, with the recent block that its signer named: the blocks before are tried.

A node is asked again where what is to be proven is so fresh that no block commits to it yet.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import base58

from oracle.errors import ChainError, EvidenceRefused
from oracle.flows.verify.logged import requested_in
from oracle.flows.verify.nodes import Question
from oracle.flows.verify.reading import SHAPELESS
from oracle.flows.verify.under import text_of
from oracle.flows.verify.way import NotShown, Step, settling_step, way_to_answer, way_to_request
from oracle.model.proof import BlockProof, ChainProofs, OutcomeProof
from oracle.near import Rpc
from oracle.near.proof import block_hash, fault_of_block, fault_of_outcome
from oracle.near.rpc import place_of
from oracle.near.signed import NoTransaction, told_by_node
from oracle.ports import Clock
from oracle.tee.chain_proofs import block_proof_of_node, outcome_proof_of_node

MAX_REFERENCE_BLOCKS = 150
"""A signer names a block that is at most a minute old, as our sender does, and NEAR makes one each 0.6 s."""
WAITS_S = (0.2, 1.0, 2.0, 4.0)
NODE_TIMEOUT_S = 120.0
"""For all that one node is asked; a slow one gets through a hundred blocks, and one that stalls holds nobody."""
REFERENCE_TIMEOUT_S = 40.0
"""For one transaction's bytes: two searches that come to nothing leave time for the outcomes."""
_FRESH_BLOCKS = 3
"""The next block commits to what ran, and a chunk may be missed."""
_REASONED = (ChainError, EvidenceRefused, NoTransaction, NotShown)
_NOT_GIVEN = (*_REASONED, *SHAPELESS)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Sought:
    """
    What is to be proven.

    `question`: names the transactions and who sent them. `genesis_hash` and `trusted_block` in base58; without the latter any final block
    will do.
    """

    question: Question
    request_id: int
    genesis_hash: str
    trusted_block: str | None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What nodes gave; `missing` has a sentence for each part that they did not give. `is_disputed`: a node does not know the head."""

    proofs: ChainProofs | None
    missing: tuple[str, ...]
    is_disputed: bool = False


Judge = Callable[[Gathered], Gathered]


async def gather_proofs(urls: Sequence[str], sought: Sought, clock: Clock, judge: Judge) -> Gathered:
    """Ask nodes in turn until one gives everything; else what that one gave which gave most. `judge` takes away what does not hold."""
    best: Gathered | None = None
    for url in urls:
        got = judge(await _of_node(url, sought, clock))
        if got.proofs is not None and not got.missing:
            return got
        got = replace(got, missing=tuple(f"{reason} ({place_of(url)})" for reason in got.missing))
        best = got if best is None else _better(best, got)
    return best or Gathered(None, ("no node was asked",))


def _better(one: Gathered, other: Gathered) -> Gathered:
    if one.proofs is None and other.proofs is None:
        return Gathered(None, one.missing + other.missing)
    if one.proofs is None or other.proofs is None:
        return one if other.proofs is None else other
    return one if len(one.missing) <= len(other.missing) else other


async def _of_node(url: str, sought: Sought, clock: Clock) -> Gathered:
    """What a later look does not give in time is what an earlier one gave."""
    got: Gathered | None = None
    try:
        async with Rpc([url], clock) as rpc, asyncio.timeout(NODE_TIMEOUT_S):
            for wait_s in (*WAITS_S, None):
                gatherer = _Gatherer(rpc, sought)
                got = await gatherer.gather()
                if wait_s is None or not got.missing or not gatherer.is_too_fresh:
                    return got
                await clock.sleep(wait_s)
    except TimeoutError:
        pass
    return got or Gathered(None, (f"the node takes longer than {NODE_TIMEOUT_S:g} seconds",))


class _Gatherer:
    """One node, asked once."""

    def __init__(self, rpc: Rpc, sought: Sought) -> None:
        self._rpc, self._sought, self._asked = rpc, sought, sought.question
        self._missing: list[str] = []
        self._head_height = self._last_height = 0

    @property
    def is_too_fresh(self) -> bool:
        """Whether a later look may give more."""
        return self._head_height < self._last_height + _FRESH_BLOCKS

    async def gather(self) -> Gathered:
        """Everything that the node gives."""
        asked = self._asked
        request = await self._or_missing("the request", lambda: self._status(asked.request_transaction, asked.sender_id))
        answer = await self._or_missing("the answer", lambda: self._status(asked.answer_transaction, asked.worker_id))
        head = await self._or_missing("a head", self._head)
        if head is None:
            return Gathered(None, tuple(self._missing))
        proofs = ChainProofs(head.header)
        proofs = proofs if request is None else await self._with_request(proofs, request)
        proofs = proofs if answer is None else await self._with_answer(proofs, answer)
        proofs = replace(proofs, blocks=await self._blocks(proofs, request, answer))
        return Gathered(proofs, tuple(self._missing))

    async def _or_missing(self, what: str, ask: Callable[[], Awaitable[_T]]) -> _T | None:
        try:
            return await ask()
        except _NOT_GIVEN as error:
            reason = str(error) if isinstance(error, _REASONED) else f"the node's answer cannot be read ({type(error).__name__})"
            self._missing.append(f"{what}: {reason}")
            return None

    async def _status(self, transaction_hash: str | None, sender_id: str) -> Any:
        if transaction_hash is None:
            raise NotShown("nobody names its transaction")
        params = {"tx_hash": transaction_hash, "sender_account_id": sender_id, "wait_until": "FINAL"}
        status: Any = await self._rpc.call("EXPERIMENTAL_tx_status", params)
        if status["transaction"]["hash"] != transaction_hash:
            raise NotShown("the node answers with another transaction")
        last = status["receipts_outcome"][-1]["block_hash"]
        header = await self._header(last)
        self._last_height = max(self._last_height, int(header["height"]))
        return status

    async def _head(self) -> BlockProof:
        newest: Any = await self._rpc.call("block", {"finality": "final"})
        self._head_height = int(newest["header"]["height"])
        head = self._sought.trusted_block or str(newest["header"]["hash"])
        return await self._block_proof(head, head)

    async def _with_request(self, proofs: ChainProofs, status: Any) -> ChainProofs:
        contract_id, number = self._asked.contract_id, self._sought.request_id
        request = await self._outcomes("the request", lambda: way_to_request(status, contract_id, number), proofs)
        settled = await self._outcomes("the end", lambda: (settling_step(status, contract_id, number),), proofs)
        told = requested_in(request[-1].outcome.logs, number) if request else None
        carried = None
        if told is not None and told[0].input_data is None and len(request) == 2:  # the input stands in the call alone
            carried = await self._or_missing("the request's bytes", lambda: self._put_together(status))
        return replace(proofs, request=request, settled=settled[0] if settled else None, request_transaction=carried)

    async def _with_answer(self, proofs: ChainProofs, status: Any) -> ChainProofs:
        answer = await self._outcomes("the answer", lambda: way_to_answer(status), proofs)
        carried = await self._or_missing("the answer's bytes", lambda: self._put_together(status)) if answer else None
        return replace(proofs, answer=answer, answer_transaction=carried)

    async def _outcomes(self, what: str, find: Callable[[], tuple[Step, ...]], proofs: ChainProofs) -> tuple[OutcomeProof, ...]:
        """All of them or none: a way with a gap shows nothing."""

        async def each() -> tuple[OutcomeProof, ...]:
            return tuple([await self._outcome(step, proofs) for step in find()])

        return await self._or_missing(what, each) or ()

    async def _outcome(self, step: Step, proofs: ChainProofs) -> OutcomeProof:
        if step.is_transaction:
            which = {"type": "transaction", "transaction_hash": step.id, "sender_id": step.account_id}
        else:
            which = {"type": "receipt", "receipt_id": step.id, "receiver_id": step.account_id}
        head = text_of(block_hash(proofs.head))
        proof = outcome_proof_of_node(await self._rpc.call("EXPERIMENTAL_light_client_proof", which | {"light_client_head": head}))
        fault = fault_of_outcome(proof, proofs.head)
        if fault is not None or text_of(proof.outcome.id) != step.id:
            raise NotShown(f"the node's proof of {step.id} does not hold: {fault or 'it is of another outcome'}")
        return proof

    async def _blocks(self, proofs: ChainProofs, request: Any, answer: Any) -> tuple[BlockProof, ...]:
        """The first block, and those in which request and answer ran where no outcome's proof shows them."""
        wanted = {"the first block": self._sought.genesis_hash}
        if proofs.request:
            wanted["the request's block"] = _ran_in(request, proofs.request[-1])
        if proofs.answer:
            wanted["the answer's block"] = _ran_in(answer, proofs.answer[-1])
        known = {text_of(proof.block_hash) for proof in proofs.outcomes}
        head = text_of(block_hash(proofs.head))
        asked = {what: each for what, each in wanted.items() if each not in known}
        found = [await self._or_missing(what, partial(self._block_proof, each, head, proofs)) for what, each in asked.items()]
        return tuple(proof for proof in found if proof is not None)

    async def _block_proof(self, wanted: str, head: str, proofs: ChainProofs | None = None) -> BlockProof:
        params = {"block_hash": wanted, "light_client_head": head}
        proof = block_proof_of_node(await self._rpc.call("EXPERIMENTAL_light_client_block_proof", params))
        if text_of(block_hash(proof.header)) != wanted:
            raise NotShown(f"the node's header of block {wanted} has another hash")
        fault = None if proofs is None else fault_of_block(proof, proofs.head)
        if fault is not None:
            raise NotShown(f"the node's proof of block {wanted} does not hold: {fault}")
        return proof

    async def _put_together(self, status: Any) -> bytes:
        try:
            async with asyncio.timeout(REFERENCE_TIMEOUT_S):
                return await self._with_reference(status)
        except TimeoutError:
            raise NotShown(f"the block that its signer named is not found in {REFERENCE_TIMEOUT_S:g} seconds") from None

    async def _with_reference(self, status: Any) -> bytes:
        told = told_by_node(status["transaction"])
        named = str(status["transaction_outcome"]["block_hash"])
        for _ in range(MAX_REFERENCE_BLOCKS):
            found = told.with_block(base58.b58decode(named[:44]))
            if found is not None:
                return found
            named = str((await self._header(named))["prev_hash"])
        raise NotShown(f"its signer named a block that is more than {MAX_REFERENCE_BLOCKS} blocks older")

    async def _header(self, which: str) -> Any:
        block: Any = await self._rpc.call("block", {"block_id": which})
        return block["header"]


def _ran_in(status: Any, proof: OutcomeProof) -> str:
    which = text_of(proof.outcome.id)
    return next(str(ran["block_hash"]) for ran in status["receipts_outcome"] if ran["id"] == which)
