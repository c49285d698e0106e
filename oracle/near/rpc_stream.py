"""
Blocks over plain JSON-RPC, for chains without a block API (ADR 0003).

A node tells no logs by block, so what is new is seen in the contract's state: requests that were not pending before are read with
`get_request`, those that are pending no more are settled. Transaction, receipt and signer of a request are unknown this way and stay empty.
"""

from collections.abc import AsyncGenerator

from oracle.errors import ChainError, RpcUnavailable
from oracle.model import BlockEvents, Completed, Cursor, Origin, Requested, Unreadable
from oracle.near.contract import Contract, RequestUnreadable
from oracle.near.road import Road
from oracle.near.rpc import Block, Rpc
from oracle.ports import Clock

_MAX_REASON_CHARS = 2_000
_Event = Requested | Completed | Unreadable


class RpcStream:
    """`WatchChain` over JSON-RPC alone."""

    def __init__(self, rpc: Rpc, contract: Contract, clock: Clock) -> None:
        self._rpc = rpc
        self._contract = contract
        self._road = Road(clock)

    @property
    def head_height(self) -> int:
        """See `WatchChain`."""
        return self._road.head_height

    @property
    def trouble(self) -> str | None:
        """See `WatchChain`."""
        return self._road.trouble

    async def follow(self, after: Cursor | None) -> AsyncGenerator[BlockEvents, None]:
        """
        See `WatchChain`; heights between two looks are passed over, because the state of the later one holds what is left to do.

        The first look tells every pending request; those known already add nothing.
        """
        known: frozenset[int] = frozenset()
        height = 0 if after is None else after.height
        while True:
            try:
                block = await self._rpc.final_block()
                if block.height <= height:  # nothing new, or another node that lags
                    await self._road.nothing_new()
                    continue
                events, pending = await self._changes(block, known)
            except ChainError as error:
                await self._road.failed(error)
                continue
            known, height = pending, block.height
            self._road.seen(height)
            yield BlockEvents(Cursor(block.height, block.block_hash), block.timestamp_ns, events)

    async def _changes(self, block: Block, known: frozenset[int]) -> tuple[tuple[_Event, ...], frozenset[int]]:
        pending = frozenset(await self._contract.pending_request_ids(at_least_height=block.height))
        events: list[_Event] = [Completed(gone, None, None) for gone in sorted(known - pending)]
        for request_id in sorted(pending - known):
            try:
                request = await self._contract.request(request_id, at_least_height=block.height)
            except RequestUnreadable as error:  # looked at again only when the worker compares its jobs with the contract's
                events.append(Unreadable(block.height, "", str(error)[:_MAX_REASON_CHARS], ""))
                continue
            if request is None:
                pending -= {request_id}
                continue
            if request.request_id != request_id:
                raise RpcUnavailable(f"get_request({request_id}) answered with request {request.request_id}")
            origin = Origin(block_height=block.height, block_timestamp_ns=block.timestamp_ns)
            events.append(Requested(request, origin))
        return tuple(events), pending
