"""
Checks 21 to 25 by what a bundle proves of the chain under one block that the verifier trusts (check 31): no node's word.

The same facts are read as from a node, and the same rules judge them. Proofs show outcomes: what is state (the contract's record, the
register contract, keys, the operator) they do not show.
"""

import json
from dataclasses import replace
from hashlib import sha256

from oracle.flows.verify.check import Check, Verdict, judged, unknown
from oracle.flows.verify.facts import AnswerSeen, BlockSeen, CompletedSeen, Missing, NodeFacts, RequestSeen
from oracle.flows.verify.logged import completed_in, requested_in, used_in
from oracle.flows.verify.offline import Evidence
from oracle.flows.verify.onchain import check_facts
from oracle.flows.verify.terms import Terms
from oracle.flows.verify.under import headers_of, text_of
from oracle.model.proof import ChainProofs, Ending, LightHeader
from oracle.near.proof import block_hash, is_first_block
from oracle.near.signed import SignedCalls, read_signed
from oracle.tee.bundle import ChainRecord

STATE = "this is state, and proofs show outcomes only"

_REQUEST_METHOD = "request_execution"
_STATE = Missing(STATE)
_RECORD = Missing("the contract's record is state, which no proof shows", is_gone=True)
_UNTOLD_FAILURE = "for a reason that no proof covers"


def checks_by_proof(evidence: Evidence, terms: Terms) -> dict[int, Check]:
    """By number, where check 31 has passed."""
    record = evidence.bundle.chain
    if record is None or record.proofs is None:
        return {}
    facts = _Facts(evidence, record, record.proofs, terms.request_transaction)
    return {check.number: _marked(check) for check in (facts.first_block(), *check_facts(evidence, facts.as_of_node()))}


def _marked(check: Check) -> Check:
    return replace(check, seen=f"{check.seen} (proven under the trusted block)") if check.verdict is Verdict.PASS else check


class _Facts:
    """What evidence without a fault says, read as a node's word is."""

    def __init__(self, evidence: Evidence, record: ChainRecord, proofs: ChainProofs, named: str | None) -> None:
        """`named`: the transaction that was asked about, where somebody said so."""
        self._receipt, self._record, self._proofs, self._named = evidence.receipt, record, proofs, named

    def as_of_node(self) -> NodeFacts:
        chain = self._receipt.chain
        return NodeFacts(chain.chain_id, chain.genesis_hash, self._request(), self._answer(), _RECORD, _STATE, _STATE, _STATE)

    def first_block(self) -> Check:
        """Check 21; a chain's name is in no header."""
        wanted = self._receipt.chain.genesis_hash
        expected = f"first block {wanted}"
        first = next((block for block in self._proofs.blocks if is_first_block(block)), None)
        if first is None:
            return unknown(21, "the bundle carries no proof of the chain's first block", expected, "name a node with --rpc")
        seen = text_of(block_hash(first.header))
        return judged(21, f"first block {seen}", expected, ok=seen == wanted)

    def _request(self) -> RequestSeen | Missing:
        way = self._proofs.request
        found = requested_in(way[-1].outcome.logs, self._receipt.request.request_id) if way else None
        if found is None:
            return Missing("the bundle carries no proof of the request")
        if self._named not in (None, text_of(way[0].outcome.id)):
            return Missing(f"the request that is proven is of transaction {text_of(way[0].outcome.id)}, and not of the one that was named")
        request, place = found
        block = self._block_of_time(request.timestamp_ns)
        if block is None or block.height >= way[-1].block.header.height:
            return Missing("the bundle carries no proof of the request's block")
        given = self._input_of_call(place) if request.input_data is None else request.input_data.encode()
        return RequestSeen(
            request=request,
            transaction_hash=text_of(way[0].outcome.id),
            receipt_id=text_of(way[-1].outcome.id),
            block=block,
            input_sha256_hex=None if given is None else sha256(given).hexdigest(),
            completed=self._completed(),
        )

    def _input_of_call(self, place: int | None) -> bytes | None:
        """A long input stands in the transaction alone, where that called the contract itself."""
        carried = self._proofs.request_transaction
        if carried is None or place is None or len(self._proofs.request) != 2:
            return None
        calls = [call for call in read_signed(carried).calls if call.method == _REQUEST_METHOD]
        try:
            told = json.loads(calls[place].args).get("input_data")
            return told.encode() if isinstance(told, str) else None
        except (ValueError, IndexError, AttributeError, RecursionError):
            return None

    def _answer(self) -> AnswerSeen | Missing:
        if self._proofs.answer_transaction is None:
            return Missing("the bundle carries no proof of the answer")
        signed = read_signed(self._proofs.answer_transaction)
        if len(signed.calls) != 1:
            return Missing("the transaction is not one function call", is_denial=True)
        return self._answer_seen(signed)

    def _answer_seen(self, signed: SignedCalls) -> AnswerSeen:
        transaction, ran = self._proofs.answer
        return AnswerSeen(
            transaction_hash=text_of(signed.hash),
            signer_id=signed.signer_id,
            public_key=signed.public_key,
            receiver_id=ran.outcome.executor_id,
            method=signed.calls[0].method,
            args=signed.calls[0].args,
            failure=None if ran.outcome.went_through else _UNTOLD_FAILURE,
            block=self._block_of_answer(transaction.block.header, ran.block.header),
        )

    def _block_of_answer(self, earliest: LightHeader, after: LightHeader) -> BlockSeen:
        """
        The block that the bundle names, where it is proven and can be the one; else the earliest that can.

        A receipt does not run before the header under which the outcome of its transaction lies, and runs before its own.
        """
        named = self._record.answer_block_hash
        between = (header for header in headers_of(self._proofs) if earliest.height <= header.height < after.height)
        return next((seen for header in between if (seen := _seen(header)).block_hash == named), _seen(earliest))

    def _completed(self) -> CompletedSeen | None:
        """The contract settles a request once, so its event says how, whichever receipt logged it."""
        settled = self._proofs.settled
        completed = None if settled is None else completed_in(settled.outcome.logs, self._receipt.request.request_id)
        if settled is None or completed is None:
            return None
        heard = settled.outcome.value if settled.outcome.ending is Ending.VALUE else None
        used = used_in(settled.outcome.logs, self._receipt.request.request_id)
        return CompletedSeen(completed.success is True, completed.error, heard, used)

    def _block_of_time(self, timestamp_ns: int) -> BlockSeen | None:
        """The contract dates a request by its block, and no two blocks of a chain have the same time."""
        return next((_seen(header) for header in headers_of(self._proofs) if header.timestamp_ns == timestamp_ns), None)


def _seen(header: LightHeader) -> BlockSeen:
    return BlockSeen(header.height, text_of(block_hash(header)), header.timestamp_ns)
