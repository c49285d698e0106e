"""
Who waits for what the chain does next: readers of blocks, and senders of transactions.

Lives on the event loop. The newest blocks are kept, because most readers want just those.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from localnet.values.block import Block
from localnet.values.hashes import CryptoHash
from localnet.values.header import Header

_KEPT_BLOCKS = 64


class ChainWatch:
    """The newest blocks, and the events that the next one sets."""

    def __init__(self, head: Header) -> None:
        self._head = head
        self._recent: OrderedDict[int, Block] = OrderedDict()
        self._next_block = asyncio.Event()
        self._followers: dict[CryptoHash, set[asyncio.Event]] = {}
        self._listeners: list[Callable[[Block], None]] = []
        self._is_closed = False

    @property
    def head(self) -> Header:
        """The newest block's header."""
        return self._head

    @property
    def is_closed(self) -> bool:
        """Whether the server stops: nothing will be announced any more."""
        return self._is_closed

    def recent(self, height: int) -> Block | None:
        """One of the newest blocks."""
        return self._recent.get(height)

    def listen(self, listener: Callable[[Block], None]) -> None:
        """Call the listener with each new block."""
        self._listeners.append(listener)

    def announce(self, block: Block) -> None:
        """A block was made: wake who waits for it, and who follows a transaction that something in it comes from."""
        self._head = block.header
        self._recent[block.header.height] = block
        if len(self._recent) > _KEPT_BLOCKS:
            self._recent.popitem(last=False)
        self._wake_readers()
        touched = {each.signed.hash for each in block.transactions}
        touched.update(each.receipt.tx_hash for each in block.executed)
        self.wake(touched)
        for listener in self._listeners:
            listener(block)

    def wake(self, transactions: Iterable[CryptoHash]) -> None:
        """There is news of these transactions."""
        for tx_hash in transactions:
            for event in self._followers.get(tx_hash, ()):
                event.set()

    def close(self) -> None:
        """Let everybody go."""
        self._is_closed = True
        self._wake_readers()
        self.wake(self._followers)

    async def wait_for_height(self, height: int, *, timeout_s: float) -> bool:
        """Whether the chain got that far in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._head.height < height and not self._is_closed:
                    await self._next_block.wait()
        except TimeoutError:
            pass
        return self._head.height >= height

    @contextmanager
    def following(self, tx_hash: CryptoHash) -> Iterator[asyncio.Event]:
        """An event that is set at each news of a transaction. Begin before looking at it, so that nothing is missed in between."""
        event = asyncio.Event()
        followers = self._followers.setdefault(tx_hash, set())
        followers.add(event)
        try:
            yield event
        finally:
            followers.discard(event)
            if not followers:
                self._followers.pop(tx_hash, None)

    def _wake_readers(self) -> None:
        self._next_block.set()
        self._next_block = asyncio.Event()
