"""
The HTTP server's routes: JSON-RPC at `/`, blocks under `/v0`, and whether the chain is well.

JSON-RPC errors are answered with status 200, because py-near and near-api-js 3 take any other for a broken node.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web

from localnet.rpc.block_stream import BlockStream
from localnet.rpc.dispatch import answer
from localnet.rpc.envelope import MAX_REQUEST_BYTES, Request, read_request, write_error, write_result
from localnet.rpc.errors import InternalError, ParseError, RpcError
from localnet.rpc.methods.network import status_of
from localnet.rpc.node import Node

log = structlog.get_logger()

# Pages of a developer's own site call the node directly, as they call NEAR's.
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}


def application(node: Node) -> web.Application:
    """The routes over one node."""
    stream = BlockStream(node)
    app = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[_allow_every_origin])

    async def rpc(request: web.Request) -> web.Response:
        return await _rpc(node, request)

    async def health(_: web.Request) -> web.Response:
        return _health(node)

    async def status(_: web.Request) -> web.Response:
        return web.json_response(status_of(node))

    app.add_routes(
        [
            web.post("/", rpc),
            web.get("/health", health),
            web.get("/status", status),
            web.get("/v0/first_block", stream.first),
            web.get("/v0/last_block/{finality:final|optimistic}", stream.last),
            web.get("/v0/{kind:block|block_opt}/{height}", stream.block),
        ]
    )
    return app


async def _rpc(node: Node, http_request: web.Request) -> web.Response:
    request: Request | None = None
    try:
        request = read_request(await http_request.read())
        body = write_result(request, await answer(node, request))
    except web.HTTPRequestEntityTooLarge:
        error = ParseError(f"the request has more than {MAX_REQUEST_BYTES} bytes")
        return web.Response(status=413, body=write_error(None, error), content_type="application/json")
    except RpcError as error:
        body = write_error(request.id if request else None, error)
    except Exception as error:
        # A mistake of this program: the client hears of it in the only shape it reads.
        log.exception("request_failed", method=request.method if request else None)
        body = write_error(request.id if request else None, InternalError(f"{type(error).__name__}, see the log"))
    return web.Response(body=body, content_type="application/json")


def _health(node: Node) -> web.Response:
    """Answered from the event loop alone: a contract that runs long does not stop it."""
    body: dict[str, Any] = {"status": "ok", "chain_id": node.facts.chain_id, "height": node.watch.head.height, "waiting": node.waiting}
    if node.trouble is not None:
        body |= {"status": "failing", "reason": node.trouble}
    return web.Response(status=200 if node.trouble is None else 503, body=json.dumps(body).encode(), content_type="application/json")


@web.middleware
async def _allow_every_origin(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    if request.method == "OPTIONS":
        return web.Response(status=204, headers=_CORS)
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(_CORS)
        raise
    response.headers.update(_CORS)
    return response
