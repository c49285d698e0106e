"""The chain: its blocks, its contract's views, and the answers that go to it."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from oracle.model import Answer, BlockEvents, Cursor, MaxLimits, Pricing, Request, TxHash
from oracle.ports.receipts import Vouch


class WatchChain(Protocol):
    """Follows final blocks in order and hands over what they say of the contract."""

    @property
    def head_height(self) -> int:
        """Height of the newest final block heard of; 0 before the first."""
        ...

    @property
    def trouble(self) -> str | None:
        """What is wrong with the road to the chain just now, in a sentence; None: nothing."""
        ...

    def follow(self, after: Cursor | None) -> AsyncGenerator[BlockEvents, None]:
        """Every block after the cursor, in order, for ever; waits out trouble by itself and never skips a block that exists."""
        ...


class ReadContract(Protocol):
    """
    What the contract says when asked.

    `at_least_height`: what a node says of an older block is no answer (`RpcUnavailable`), because a node that lags would make a young
    request look settled.
    """

    async def pending_request_ids(self, *, at_least_height: int = 0) -> Sequence[int]:
        """All requests that wait for an answer."""
        ...

    async def request(self, request_id: int, *, at_least_height: int = 0) -> Request | None:
        """The request with its input; None when it is settled or was never made."""
        ...

    async def pricing(self) -> Pricing:
        """`get_pricing`."""
        ...

    async def max_limits(self) -> MaxLimits:
        """`get_max_limits`."""
        ...

    async def can_extend(self) -> bool:
        """Whether the contract has `extend_execution`."""
        ...


class SubmitAnswers(Protocol):
    """What the worker may do to the chain; nothing else."""

    async def submit(self, answer: Answer, vouch: Vouch, *, first: bool = False) -> TxHash:
        """
        Bring an answer to the chain: sign, store, send; when the answer was sent before, find out first what became of it.

        `vouch` is asked when a transaction is to be signed, for the answer as the contract will be told it; the receipt is stored with the
        transaction, which carries its hash where the contract keeps it. `first`: the caller knows that nothing was ever sent for this
        request, and spares the look into the journal. Returns when the transaction is accepted by a node. The job is done only when the
        contract has settled the request.
        """
        ...

    async def extend(self, request_id: int) -> TxHash:
        """Announce that work goes on."""
        ...
