"""A server between the worker and the chain, which is in whatever trouble the test wants."""

import asyncio
import json
import random
from dataclasses import dataclass

import aiohttp
from aiohttp import web


@dataclass
class Answer:
    """What the chain said."""

    status: int
    body: bytes

    def as_response(self):
        return web.Response(status=self.status, body=self.body, content_type="application/json")


class Proxy:
    """
    Hands requests on to a chain; `trouble` is what it does with them.

    A trouble is `async (request, ask) -> Response`; `await ask(path)` asks the chain the same, at another path if one is given.
    """

    def __init__(self, target_url):
        self.target_url, self.trouble = target_url, pass_on
        self._port = 0
        self._runner = self._session = None

    async def __aenter__(self):
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60), connector=aiohttp.TCPConnector(limit=200))
        await self.listen()
        return self

    async def __aexit__(self, *_):
        await self.hang_up()
        await self._session.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    async def listen(self):
        """Begin, or begin again, at the same port."""
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def hang_up(self):
        """Nobody listens any more, and who waits is cut off."""
        await self._runner.cleanup()

    async def _answer(self, request):
        body = await request.read()

        async def ask(path=None):
            url = self.target_url.rstrip("/") + (request.path_qs if path is None else path)
            async with self._session.request(request.method, url, data=body or None, allow_redirects=False) as response:
                return Answer(response.status, await response.read())

        try:
            return await self.trouble(request, ask)
        except aiohttp.ClientError as error:
            return web.Response(status=502, text=type(error).__name__)


async def pass_on(request, ask):
    return (await ask()).as_response()


async def error_500(request, ask):
    return web.Response(status=500, text="Internal Server Error")


async def node_out_of_sync(request, ask):
    """What nodes answer while they catch up."""
    error = {"name": "HANDLER_ERROR", "cause": {"name": "NO_SYNCED_BLOCKS", "info": {}}, "code": -32000, "message": "Server error"}
    return web.json_response({"jsonrpc": "2.0", "id": 1, "error": error})


async def garbage(request, ask):
    return web.Response(body=b'\x00\xff{"result":' + bytes(range(256)), content_type="application/json")


async def page(request, ask):
    return web.Response(text="<html>Checking your browser</html>", content_type="text/html")


async def truncated(request, ask):
    """The first half of the answer, and then the line is cut."""
    answer = await ask()
    response = web.StreamResponse(headers={"Content-Length": str(len(answer.body))})
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    request.transport.abort()
    return response


async def slow(request, ask):
    answer = await ask()
    await asyncio.sleep(0.4)
    return answer.as_response()


def now_and_then(trouble, share=0.3):
    """Some answers are in trouble, the others are right."""
    rng = random.Random(5)

    async def mixed(request, ask):
        return await (trouble if rng.random() < share else pass_on)(request, ask)

    return mixed


async def repeated(request, ask):
    """The block before the one that was asked for."""
    height = block_height_of(request)
    return (await ask(None if height is None else f"/v0/block/{max(height - 1, 0)}")).as_response()


async def called_skipped(request, ask):
    """A block that is there, called skipped."""
    return (
        web.Response(body=b"null", content_type="application/json") if block_height_of(request) is not None else await pass_on(request, ask)
    )


def block_height_of(request):
    head, _, height = request.path.rpartition("/")
    return int(height) if head == "/v0/block" else None


async def every_other_height(request, ask):
    """The same chain with each height doubled: the odd ones have no block."""
    height = block_height_of(request)
    if height is None:
        answer = await ask()
        return web.json_response(doubled(json.loads(answer.body)), status=answer.status)
    answer = await ask(f"/v0/block/{(height + 1) // 2}?wait=5")
    if answer.status != 200:
        return answer.as_response()
    if height % 2:
        return web.Response(body=b"null", content_type="application/json")
    return web.json_response(doubled(json.loads(answer.body)))


def doubled(value):
    """JSON with the heights in it doubled."""
    heights = {"height", "prev_height", "block_height", "latest_block_height", "height_created", "height_included"}
    if isinstance(value, dict):
        return {
            name: inner * 2 if name in heights and isinstance(inner, int) else doubled(inner)
            for name, inner in value.items()
        }  # fmt: skip
    return [doubled(inner) for inner in value] if isinstance(value, list) else value
