"""A chain with our contract on it, in memory: the twin of `oracle.near`."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

from oracle.errors import ChainError, RpcUnavailable
from oracle.model import (
    Answer,
    BlockEvents,
    Completed,
    Cursor,
    Extended,
    Limits,
    MaxLimits,
    Origin,
    OutputFormat,
    Pricing,
    Request,
    Requested,
    TxHash,
    Unreadable,
    WasmUrl,
    YoctoNear,
)
from oracle.model.money import DEFAULT_PRICING
from oracle.model.receipt import SignedReceipt
from oracle.ports import Vouch

EVENT_INPUT_CHARS = 10_000
"""Longer inputs stay in the contract's state (PROTOCOL, "Requests")."""
YIELD_BLOCKS = 200
EXTENSION_DEADLINE_NS = 600 * 10**9
BLOCK_NS = 600_000_000
_GENESIS_NS = 1_700_000_000 * 10**9

ECHO = WasmUrl("https://example.com/echo.wasm", "ec" * 32)
"""The source of requests that name none."""


def request(request_id: int = 0, **changes: Any) -> Request:
    """A request for tests, with everything that it does not name."""
    plain = Request(
        request_id=request_id,
        sender_id="alice.test.near",
        predecessor_id="client.test.near",
        source=ECHO,
        limits=Limits(),
        input_data="hello",
        response_format=OutputFormat.TEXT,
        payment=YoctoNear(10**23),
        timestamp_ns=_GENESIS_NS,
    )
    return replace(plain, **changes)


class ChainTwin:
    """
    `WatchChain`, `ReadContract` and `SubmitAnswers` of one imagined chain, whose blocks come when they are told to or something happens.

    It keeps the contract's promises: a request is settled once, a yield ends 200 blocks after it began or was renewed, and an event tells
    of it. `settled` has how each request ended (None: its yield timed out); `refused` counts answers to what was settled already.
    """

    receipts: dict[int, SignedReceipt | None]
    """The one that came with the last answer to a request."""

    def __init__(self, *, extends: bool = True, tells_numbers: bool = True, tells_extensions: bool = True) -> None:
        """
        `extends`: has `extend_execution`. `tells_numbers`: its completion events carry the request's number.

        `tells_extensions`: the source of blocks shows when a yield is renewed, as plain RPC does not.
        """
        self.settled: dict[int, Answer | None] = {}
        self.refused = 0
        self.receipts = {}
        self.loses_answers = False
        """While set, answers are accepted by the node and never reach the contract."""
        self.trouble: str | None = None
        """While set, nobody answers; the stream waits."""
        self._extends, self._tells_numbers, self._tells_extensions = extends, tells_numbers, tells_extensions
        self._pending: dict[int, Request] = {}
        self._yields_since: dict[int, int] = {}
        self._announced: set[int] = set()
        self._blocks: list[BlockEvents] = []
        self._changed = asyncio.Event()
        self._sent = 0

    @property
    def head_height(self) -> int:
        """See `WatchChain`."""
        return len(self._blocks)

    def ask(self, **changes: Any) -> int:
        """Make a request, in a block of its own; returns its number."""
        request_id = len(self._pending) + len(self.settled)
        height = self.head_height + 1
        asked = request(request_id, timestamp_ns=_GENESIS_NS + height * BLOCK_NS, **changes)
        self._pending[request_id] = asked
        self._yields_since[request_id] = height
        told = replace(asked, input_data=None) if len(asked.input_data or "") >= EVENT_INPUT_CHARS else asked
        origin = Origin(f"tx{request_id}", f"receipt{request_id}", height, asked.timestamp_ns, "ed25519:key", 2 * 10**12)
        self.block(Requested(told, origin))
        return request_id

    def block(self, *events: Requested | Completed | Extended | Unreadable) -> None:
        """Make a block with these events, and with those of yields that time out in it."""
        height = self.head_height + 1
        timed_out = [found for found, since in self._yields_since.items() if height >= since + YIELD_BLOCKS]
        more = [told for request_id in timed_out if (told := self._time_out(request_id, height)) is not None]
        cursor = Cursor(height, f"block{height}")
        self._blocks.append(BlockEvents(cursor, _GENESIS_NS + height * BLOCK_NS, (*events, *more)))
        self._changed.set()

    def blocks(self, count: int) -> None:
        """Let so many empty blocks go by."""
        for _ in range(count):
            self.block()

    def lose_block(self, height: int) -> None:
        """Forget what a block said, as a garbage-collected one is forgotten."""
        self._blocks[height - 1] = replace(self._blocks[height - 1], events=())

    def cancel(self, request_id: int) -> None:
        """Settle a request as its predecessor may, once it is stale."""
        self._settle(request_id, None, "cancelled")

    async def follow(self, after: Cursor | None) -> AsyncGenerator[BlockEvents, None]:
        """See `WatchChain`; without a cursor it begins at the newest block."""
        height = max(0, self.head_height - 1) if after is None else after.height
        while True:
            while self.trouble is None and height < self.head_height:
                height += 1
                yield self._blocks[height - 1]
            self._changed.clear()
            await self._changed.wait()

    def recover(self) -> None:
        """End the trouble."""
        self.trouble = None
        self._changed.set()

    async def pending_request_ids(self, *, at_least_height: int = 0) -> Sequence[int]:
        """See `ReadContract`."""
        self._check(at_least_height)
        return sorted(self._pending)

    async def request(self, request_id: int, *, at_least_height: int = 0) -> Request | None:
        """See `ReadContract`."""
        self._check(at_least_height)
        return self._pending.get(request_id)

    async def pricing(self) -> Pricing:
        """See `ReadContract`."""
        return DEFAULT_PRICING

    async def max_limits(self) -> MaxLimits:
        """See `ReadContract`."""
        return MaxLimits()

    async def can_extend(self) -> bool:
        """See `ReadContract`."""
        self._check()
        return self._extends

    async def submit(self, answer: Answer, vouch: Vouch, *, first: bool = False) -> TxHash:
        """See `SubmitAnswers`."""
        self._check()
        self._sent += 1
        self.receipts[answer.request_id] = await vouch(answer)
        if self.loses_answers:
            return TxHash(f"lost{self._sent}")
        if answer.request_id in self._pending:
            self._settle(answer.request_id, answer, answer.error)
        else:
            self.refused += 1
            self.block()
        return TxHash(f"answer{self._sent}")

    async def extend(self, request_id: int) -> TxHash:
        """See `SubmitAnswers`."""
        self._check()
        if not self._extends:
            raise ChainError("the contract has no extend_execution")
        self._announced.add(request_id)
        self.block()
        return TxHash(f"extend{request_id}")

    def _settle(self, request_id: int, answer: Answer | None, error: str | None) -> None:
        self.block(self._settled_event(request_id, answer, error))

    def _settled_event(self, request_id: int, answer: Answer | None, error: str | None) -> Completed:
        del self._pending[request_id], self._yields_since[request_id]
        self._announced.discard(request_id)
        self.settled[request_id] = answer
        return Completed(request_id if self._tells_numbers else None, answer is not None and answer.success, error)

    def _time_out(self, request_id: int, height: int) -> Completed | Extended | None:
        now_ns = _GENESIS_NS + height * BLOCK_NS
        if request_id in self._announced and now_ns < self._pending[request_id].timestamp_ns + EXTENSION_DEADLINE_NS:
            self._announced.discard(request_id)
            self._yields_since[request_id] = height
            return Extended(request_id, height) if self._tells_extensions else None
        return self._settled_event(request_id, None, "timed out")

    def _check(self, at_least_height: int = 0) -> None:
        if self.trouble is not None:
            raise RpcUnavailable(self.trouble)
        if at_least_height > self.head_height:
            raise RpcUnavailable(f"the node lags: it knows {self.head_height} blocks, not {at_least_height}")
