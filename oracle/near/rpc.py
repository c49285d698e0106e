"""
A thin JSON-RPC client: several nodes tried in order, bounded answers, typed errors.

Rules: a URL may hold an API key, so errors and logs name a node by scheme, host and port only; redirects are not followed, because they
would carry the key elsewhere; an answer is read whatever its HTTP status is, because nodes send JSON errors under 4xx and 5xx; a node that
failed is asked last until its time-out has passed. Retrying over time is the caller's business.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import base58

from oracle.errors import ChainError, RpcUnavailable
from oracle.near.rpc_errors import error_from_answer, node_is_at_fault
from oracle.ports import Clock

TIMEOUT_S = 15.0  # nodes give up on waiting queries after 10 s (nearcore `polling_timeout`)
MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""A request's input of 4 MiB (NEAR `max_arguments_length`) comes back as an array of numbers, up to 4 characters a byte."""

MAX_HEIGHT = 2**63 // 10**6
"""Nonces count a million a block, and a database holds 63 bits of them: no chain lives to see this block."""
MAX_TIMESTAMP_NS = 2**64 - 1

_REST_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_CHUNK_BYTES = 65_536
_MAX_HASH_CHARS = 64
_HASH_BYTES = 32
_QUICK_S, _AGAIN_AFTER_S = 2.0, 0.2
"""What every node failed so quickly is asked once more, so much later: behind one URL there are often several, one of them broken."""


@dataclass(frozen=True, slots=True)
class Block:
    """Header of a block."""

    height: int
    block_hash: str
    timestamp_ns: int


class _Node:
    def __init__(self, url: str) -> None:
        self.url = url
        self.place = place_of(url)
        self.failures = 0
        self.rests_until_s = 0.0


class Rpc:
    """
    Asks NEAR nodes.

    Used as an async context manager, which owns the connections.
    """

    def __init__(self, urls: Sequence[str], clock: Clock, *, timeout_s: float = TIMEOUT_S) -> None:
        if not urls:
            raise ValueError("at least one RPC URL is needed")
        self._nodes = [_Node(url) for url in urls]
        self._clock = clock
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._timeout_s), connector=aiohttp.TCPConnector(limit=64), trust_env=False
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(self, method: str, params: object) -> object:
        """
        Ask one thing; returns `result` as parsed JSON.

        Raises:
            RpcUnavailable: no node answered, or none with something that can be read.
            RpcRefused, TransactionRefused: a node answered with an error.
        """
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, separators=(",", ":")).encode()
        started_s = self._clock.monotonic_s()
        try:
            return await self._ask_in_turn(method, body)
        except ChainError as error:
            if not node_is_at_fault(error) or self._clock.monotonic_s() - started_s > _QUICK_S:
                raise
        await self._clock.sleep(_AGAIN_AFTER_S)
        return await self._ask_in_turn(method, body)

    async def _ask_in_turn(self, method: str, body: bytes) -> object:
        now_s = self._clock.monotonic_s()
        awake_first = sorted(self._nodes, key=lambda node: node.rests_until_s > now_s)  # stable: the order given stays
        failure: ChainError | None = None
        for node in awake_first:
            try:
                answer = await self._ask(node, method, body)
            except ChainError as error:
                if not node_is_at_fault(error):
                    raise
                self._rest(node)
                failure = error
                continue
            node.failures = 0
            return answer
        if failure is None:  # there is at least one node
            raise RpcUnavailable("no NEAR node is configured")
        raise failure

    async def final_block(self) -> Block:
        """The newest final block."""
        return block_from_answer(await self.call("block", {"finality": "final"}))

    async def newest_block(self) -> Block:
        """The newest block, which may not be final yet."""
        return block_from_answer(await self.call("block", {"finality": "optimistic"}))

    async def chain_id(self) -> str:
        """`localnet`, `testnet`, `mainnet`, …"""
        status = await self.call("status", [])
        chain_id = status.get("chain_id") if isinstance(status, dict) else None
        if not isinstance(chain_id, str):
            raise RpcUnavailable("the node's status names no chain_id")
        return chain_id

    async def genesis_hash(self) -> str:
        """Hash of the first block, in base58; empty where the node does not tell it."""
        status = await self.call("status", [])
        genesis_hash = status.get("genesis_hash") if isinstance(status, dict) else None
        return genesis_hash if isinstance(genesis_hash, str) else ""

    def _rest(self, node: _Node) -> None:
        node.rests_until_s = self._clock.monotonic_s() + _REST_S[min(node.failures, len(_REST_S) - 1)]
        node.failures += 1

    async def _ask(self, node: _Node, method: str, body: bytes) -> object:
        if self._session is None:
            raise RpcUnavailable("the RPC client is closed")
        try:
            async with self._session.post(
                node.url, data=body, headers={"Content-Type": "application/json"}, allow_redirects=False
            ) as response:
                status = response.status
                raw = await read_bounded(response, MAX_ANSWER_BYTES, node.place)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise RpcUnavailable(f"{method} at {node.place}: {reason_of(error)}") from None  # aiohttp's own text may hold the URL
        try:
            answer = json.loads(raw)
        except (ValueError, RecursionError):
            raise RpcUnavailable(f"{method} at {node.place}: HTTP status {status}, and no JSON in it") from None
        if isinstance(answer, dict) and answer.get("error") is not None:
            raise error_from_answer(answer["error"], f"{method} at {node.place}")
        if isinstance(answer, dict) and "result" in answer:
            return answer["result"]
        raise RpcUnavailable(f"{method} at {node.place}: HTTP status {status}, and neither result nor error in it")


def place_of(url: str) -> str:
    """A URL without what may be secret in it."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def reason_of(error: BaseException) -> str:
    """Why a request over HTTP failed, without the URL that aiohttp's errors carry."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect ({error.os_error.strerror or type(error.os_error).__name__})"
    return type(error).__name__


async def read_bounded(response: aiohttp.ClientResponse, max_bytes: int, place: str) -> bytes:
    """
    Read a body of at most so many bytes, counted after decompression.

    Raises:
        RpcUnavailable: it is longer.
    """
    parts: list[bytes] = []
    length = 0
    async for part in response.content.iter_chunked(_CHUNK_BYTES):
        length += len(part)
        if length > max_bytes:
            raise RpcUnavailable(f"{place} sends an answer of more than {max_bytes} bytes")
        parts.append(part)
    return b"".join(parts)


def block_from_answer(answer: Any) -> Block:
    """
    Read the header of `block`.

    Raises:
        RpcUnavailable: it is not one.
    """
    try:
        header = answer["header"]
        height, block_hash, timestamp_ns = header["height"], header["hash"], int(header["timestamp_nanosec"])
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise RpcUnavailable("the node's block has no readable header") from error
    if not (isinstance(height, int) and isinstance(block_hash, str) and block_hash.isascii() and len(block_hash) <= _MAX_HASH_CHARS):
        raise RpcUnavailable("the node's block has no readable header")
    if not (0 <= height < MAX_HEIGHT and 0 <= timestamp_ns <= MAX_TIMESTAMP_NS):
        raise RpcUnavailable("the node's block has a height or time that no block has")
    return Block(height, block_hash, timestamp_ns)


def is_hash(text: str) -> bool:
    """Whether a block's hash is one that a transaction can name: 32 bytes in base58."""
    try:
        return len(text) <= _MAX_HASH_CHARS and len(base58.b58decode(text)) == _HASH_BYTES
    except ValueError:
        return False
