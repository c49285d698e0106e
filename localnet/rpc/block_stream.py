"""
Blocks over HTTP GET, as neardata serves them (`/v0/block/{height}` and its companions).

A block just ahead is held back until it is made, so that a reader waits on the chain and not on a clock. This chain never skips a height:
the answer `null`, which neardata gives for a skipped one, does not occur.
"""

import json
from collections import OrderedDict

from aiohttp import web

from localnet.rpc.block_views import stream_view
from localnet.rpc.node import Node
from localnet.rpc.references import oldest_height
from localnet.values.errors import UnknownBlock

DEFAULT_WAIT_S = 5.0
LONGEST_WAIT_S = 60.0
AHEAD = 100
"""How far beyond the newest a block may be and still be waited for."""

_KEPT_BODIES = 32


class BlockStream:
    """The handlers, with the newest bodies kept: each reader wants the same ones."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._bodies: OrderedDict[int, bytes] = OrderedDict()

    async def block(self, request: web.Request) -> web.Response:
        """`/v0/block/{height}?wait=SECONDS`; 404 when it was not made in that time, 410 when it is not kept any more."""
        height = _number(request.match_info["height"])
        if height is None:
            return _refused(400, "BAD_REQUEST", "the height is a whole number")
        wait_s = _seconds(request.query.get("wait"))
        if wait_s is None:
            return _refused(400, "BAD_REQUEST", f"`wait` is a number of seconds from 0 to {LONGEST_WAIT_S:g}")
        watch = self._node.watch
        if height > watch.head.height + AHEAD or not await watch.wait_for_height(height, timeout_s=wait_s):
            return _refused(404, "BLOCK_DOES_NOT_EXIST", f"block {height} is not there yet; the newest is {watch.head.height}")
        try:
            return web.Response(body=await self._body(height), content_type="application/json")
        except UnknownBlock:
            first = await self._node.run(oldest_height)
            return _refused(410, "BLOCK_IS_FORGOTTEN", f"block {height} is not kept any more; the oldest kept is {first}")

    async def first(self, request: web.Request) -> web.Response:
        """`/v0/first_block`: where the oldest kept block is."""
        raise web.HTTPFound(f"/v0/block/{await self._node.run(oldest_height)}")

    async def last(self, request: web.Request) -> web.Response:
        """`/v0/last_block/final` and `/optimistic`: where the newest block is; every block of this chain is final at once."""
        kind = "block" if request.match_info["finality"] == "final" else "block_opt"
        raise web.HTTPFound(f"/v0/{kind}/{self._node.watch.head.height}")

    async def _body(self, height: int) -> bytes:
        body = self._bodies.get(height)
        if body is None:
            block = self._node.watch.recent(height)
            if block is None:
                block = await self._node.run(lambda chain: chain.block(height))
            body = self._bodies[height] = json.dumps(stream_view(block, self._node.facts), separators=(",", ":")).encode()
            if len(self._bodies) > _KEPT_BODIES:
                self._bodies.popitem(last=False)
        return body


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None


def _seconds(text: str | None) -> float | None:
    if text is None:
        return DEFAULT_WAIT_S
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= LONGEST_WAIT_S else None


def _refused(status: int, kind: str, text: str) -> web.Response:
    return web.json_response({"error": text, "type": kind}, status=status)
