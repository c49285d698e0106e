"""
Blocks from a neardata-style API: `/v0/block/{height}`, where `null` is a height that no block has and 404 a block that is not there yet.

Rules: heights are asked for one by one from the cursor on, so no block is passed over; each block must follow the hash of the one before,
which finds a server that calls an existing block skipped; whatever the server does, the stream waits and asks again. Without a cursor the
stream begins no later than where the chain was when it was opened: who is told of a worker may ask at once.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator
from typing import Self

import aiohttp
import structlog

from oracle.errors import ChainError, RpcUnavailable
from oracle.model import BlockEvents, Cursor
from oracle.near.blocks import BlockRead, Watched, read_block
from oracle.near.road import Road
from oracle.near.rpc import Rpc, place_of, read_bounded, reason_of
from oracle.ports import Clock

MAX_BLOCK_BYTES = 128 * 1024 * 1024
"""Blocks of the largest shards are a few megabytes of JSON; this bounds what a broken server may make us hold."""
HOLD_S = 15
"""How long a server that can wait is asked to hold a request for a block that is not there yet."""
REQUEST_TIMEOUT_S = 45.0

_HELD_S = 0.5
"""A 404 that took at least this long was held by the server: ask again at once."""
_AHEAD = 8
_QUICK_BLOCKS = 8
"""After so many blocks without waiting, ask how far the chain is; further than that, blocks are fetched side by side."""
_BROKEN_LINKS_BELIEVED = 5

_log = structlog.get_logger()


class _NotYet(Exception):
    """The block is not there yet."""

    def __init__(self, *, held: bool) -> None:
        super().__init__()
        self.held = held


class NeardataStream:
    """`WatchChain` over a block API. Used as an async context manager, which owns the connections."""

    def __init__(self, base_url: str, rpc: Rpc, watched: Watched, clock: Clock, *, start_height: int | None = None) -> None:
        """`start_height`: where to begin without a cursor; None: at the block that is final when the stream is opened, as the RPC tells."""
        self._base_url = base_url.rstrip("/")
        self._place = place_of(base_url)
        self._rpc = rpc
        self._watched = watched
        self._clock = clock
        self._start_height = start_height
        self._opened_at: int | None = None
        self._road = Road(clock)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S), connector=aiohttp.TCPConnector(limit=2 * _AHEAD), trust_env=False
        )
        with contextlib.suppress(ChainError):  # then it is asked for when it is needed
            self._opened_at = (await self._rpc.final_block()).height
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def head_height(self) -> int:
        """See `WatchChain`."""
        return self._road.head_height

    @property
    def trouble(self) -> str | None:
        """See `WatchChain`."""
        return self._road.trouble

    async def follow(self, after: Cursor | None) -> AsyncGenerator[BlockEvents, None]:
        """See `WatchChain`."""
        last = after
        broken_links = 0
        height = await self._first_height() if last is None else last.height + 1
        await self._look_at_head()
        blocks = self._from(height)
        try:
            while True:
                read = await anext(blocks)
                if last is not None and read.prev_hash != last.block_hash and broken_links < _BROKEN_LINKS_BELIEVED:
                    # Either a block in between was called skipped, or this is not the block: ask for all of them again.
                    broken_links += 1
                    await self._road.failed(
                        RpcUnavailable(f"block {read.block.cursor.height} of {self._place} does not follow block {last.height}")
                    )
                    await blocks.aclose()
                    blocks = self._from(last.height + 1)
                    continue
                if broken_links:
                    _log.warning("blocks_unlinked", height=read.block.cursor.height, attempts=broken_links)
                last, broken_links = read.block.cursor, 0
                self._road.seen(last.height)
                yield read.block
        finally:
            await blocks.aclose()

    async def _first_height(self) -> int:
        """Where to begin without a cursor: at a final block that the server has too, for one that it does not have may be no chain's."""
        if self._start_height is not None:
            return self._start_height
        lowest = self._opened_at
        while True:
            try:
                told = (await self._rpc.final_block()).height
                lowest = told if lowest is None else min(lowest, told)
                await self._fetch(lowest, wait=False)
            except _NotYet:
                await self._road.nothing_new()
            except ChainError as error:
                await self._road.failed(error)
            else:
                return lowest

    async def _from(self, height: int) -> AsyncGenerator[BlockRead, None]:
        """Every existing block from a height on, fetched ahead while the chain is far ahead of us."""
        ahead: deque[asyncio.Task[BlockRead | None]] = deque()
        quick = 0
        try:
            while True:
                if quick >= _QUICK_BLOCKS:
                    quick = 0
                    await self._look_at_head()
                wanted = min(_AHEAD, self._road.head_height - height)
                while len(ahead) < wanted:
                    ahead.append(asyncio.create_task(self._fetch(height + len(ahead), wait=False)))
                if ahead:
                    read = await self._patiently(height, ahead.popleft())
                    quick += 1
                else:
                    read, waited = await self._at_the_tip(height)
                    quick = 0 if waited else quick + 1
                height += 1
                if read is not None:
                    yield read
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _head_is_beyond(self, height: int) -> bool:
        if self._road.head_height <= height:
            await self._look_at_head()
        return self._road.head_height > height

    async def _look_at_head(self) -> None:
        try:
            head = await self._rpc.final_block()
        except ChainError:
            return  # the block API goes on without it
        self._road.head_is(head.height)

    async def _patiently(self, height: int, first: asyncio.Task[BlockRead | None]) -> BlockRead | None:
        """A block that was asked for ahead of need; when that failed, it is asked for again until it comes."""
        try:
            return await first
        except _NotYet:
            await self._road.nothing_new()
        except ChainError as error:
            await self._road.failed(error)
        read, _ = await self._at_the_tip(height)
        return read

    async def _at_the_tip(self, height: int) -> tuple[BlockRead | None, bool]:
        """Ask for one height until it comes; also says whether there was anything to wait for."""
        waited = False
        while True:
            try:
                read = await self._fetch(height, wait=True)
            except _NotYet as not_yet:
                if not_yet.held:
                    self._road.well()
                else:
                    await self._road.nothing_new()
            except ChainError as error:
                await self._road.failed(error)
            else:
                # A height is known as skipped only when there is a later block.
                if read is not None or await self._head_is_beyond(height):
                    return read, waited
                await self._road.nothing_new()
            waited = True

    async def _fetch(self, height: int, *, wait: bool) -> BlockRead | None:
        """
        Ask for one height.

        Raises:
            _NotYet: the block is not there yet.
            RpcUnavailable: the server does not answer, or not with this block.
        """
        if self._session is None:
            raise RpcUnavailable("the block stream is closed")
        started_s = self._clock.monotonic_s()
        try:
            async with self._session.get(
                f"{self._base_url}/v0/block/{height}", params={"wait": str(HOLD_S)} if wait else None, allow_redirects=False
            ) as response:
                if response.status == 404:
                    raise _NotYet(held=self._clock.monotonic_s() - started_s >= _HELD_S)
                if response.status != 200:
                    raise RpcUnavailable(f"block {height} of {self._place}: HTTP status {response.status}")
                body = await read_bounded(response, MAX_BLOCK_BYTES, self._place)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise RpcUnavailable(f"block {height} of {self._place}: {reason_of(error)}") from None  # its own text may hold the URL
        read = read_block(body, self._watched)
        if read is not None and read.block.cursor.height != height:
            raise RpcUnavailable(f"{self._place} answers with block {read.block.cursor.height} where {height} was asked for")
        return read
