"""
The ports of the chain, for a worker that believes a request only when independent nodes agree on it (`oracle.near.agreement`).

A request that an event tells of and nodes do not know never becomes a job; one that the store holds is compared again before its answer is
sent.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import structlog

from oracle.errors import ChainError, RpcUnavailable
from oracle.model import Answer, BlockEvents, Completed, Cursor, Extended, MaxLimits, Pricing, Request, Requested, TxHash, Unreadable
from oracle.near.agreement import Agreement, NodesDisagree, difference
from oracle.near.road import Road
from oracle.ports import Clock, ReadContract, StoreJobs, SubmitAnswers, Vouch, WatchChain

_Event = Requested | Completed | Extended | Unreadable

_log = structlog.get_logger()


class AgreedContract:
    """`ReadContract`: requests as nodes agree on them, everything else from the nodes in turn."""

    def __init__(self, inner: ReadContract, agreement: Agreement) -> None:
        self._inner, self._agreement = inner, agreement

    async def pending_request_ids(self, *, at_least_height: int = 0) -> Sequence[int]:
        """See `ReadContract`; which of them are believed is found out when they are read."""
        return await self._inner.pending_request_ids(at_least_height=at_least_height)

    async def request(self, request_id: int, *, at_least_height: int = 0) -> Request | None:
        """See `ReadContract`; raises `NodesDisagree` too."""
        return await self._agreement.request(request_id, at_least_height=at_least_height)

    async def pricing(self) -> Pricing:
        """See `ReadContract`."""
        return await self._inner.pricing()

    async def max_limits(self) -> MaxLimits:
        """See `ReadContract`."""
        return await self._inner.max_limits()

    async def can_extend(self) -> bool:
        """See `ReadContract`."""
        return await self._inner.can_extend()


class AgreedStream:
    """`WatchChain`: requests that nodes do not agree on are told as events that cannot be believed, with the reason."""

    def __init__(self, inner: WatchChain, agreement: Agreement, clock: Clock) -> None:
        self._inner, self._agreement, self._road = inner, agreement, Road(clock)

    @property
    def head_height(self) -> int:
        """See `WatchChain`."""
        return self._inner.head_height

    @property
    def trouble(self) -> str | None:
        """See `WatchChain`."""
        return self._inner.trouble or self._road.trouble or self._agreement.trouble

    async def follow(self, after: Cursor | None) -> AsyncGenerator[BlockEvents, None]:
        """See `WatchChain`."""
        async with contextlib.aclosing(self._inner.follow(after)) as blocks:
            async for block in blocks:
                if any(isinstance(event, Requested) for event in block.events):
                    believed = await asyncio.gather(*(self._believed(event, block.cursor.height) for event in block.events))
                    yield replace(block, events=tuple(event for event in believed if event is not None))
                else:
                    yield block

    async def _believed(self, event: _Event, height: int) -> _Event | None:
        if not isinstance(event, Requested):
            return event
        request_id = event.request.request_id
        while True:
            try:
                agreed = await self._agreement.request(request_id, at_least_height=height)
                self._road.well()
                break
            except NodesDisagree as error:
                return _unbelieved(event, height, str(error))
            except ChainError as error:
                await self._road.failed(error)
        if agreed is None:
            _log.info("request_settled_before_it_was_seen", request_id=request_id)
            return None
        field = _difference(event, agreed)
        if field is None:
            return event
        sentence = f"independent nodes have request {request_id} with another {field} than the source of blocks"
        return _unbelieved(event, height, str(self._agreement.disagreement(sentence, request_id)))


class AgreedSender:
    """`SubmitAnswers`: an answer goes out when nodes agree on the request that the store has for it."""

    def __init__(self, inner: SubmitAnswers, agreement: Agreement, store: StoreJobs) -> None:
        self._inner, self._agreement, self._store = inner, agreement, store

    async def submit(self, answer: Answer, vouch: Vouch, *, first: bool = False) -> TxHash:
        """See `SubmitAnswers`; raises `NodesDisagree` too, and `RpcUnavailable` for a request that is settled already."""
        job = await self._store.get(answer.request_id)
        if job is not None:
            agreed = await self._agreement.request(answer.request_id, at_least_height=job.origin.block_height)
            if agreed is None:
                raise RpcUnavailable(f"request {answer.request_id} is settled already, or was never made")
            field = difference(job.request, agreed)
            if field is not None:
                sentence = f"request {answer.request_id} is stored with another {field} than independent nodes have"
                raise self._agreement.disagreement(sentence, answer.request_id)
        return await self._inner.submit(answer, vouch, first=first)

    async def extend(self, request_id: int) -> TxHash:
        """See `SubmitAnswers`."""
        return await self._inner.extend(request_id)


def _difference(event: Requested, agreed: Request) -> str | None:
    """Also the block's time, where the source of blocks tells of the very block: the contract has kept it with the request."""
    field = difference(event.request, agreed)
    if field is None and event.origin.transaction_hash and event.origin.block_timestamp_ns != agreed.timestamp_ns:
        return "block timestamp"
    return field


def _unbelieved(event: Requested, height: int, reason: str) -> Unreadable:
    return Unreadable(height, event.origin.receipt_id, reason, f"execution_requested {event.request.request_id}")
