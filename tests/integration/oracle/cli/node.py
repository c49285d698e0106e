"""A NEAR node of canned answers, in a thread of its own, because a command runs its own event loop."""

import asyncio
import base64
import json
import threading

import base58
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HASH = base58.b58encode(bytes(32)).decode()


def key_of(name: str) -> str:
    private = Ed25519PrivateKey.from_private_bytes(f"{name:_<32}".encode()[:32])
    return "ed25519:" + base58.b58encode(private.private_bytes_raw() + private.public_key().public_bytes_raw()).decode()


class Refused(Exception):
    """An error answer: its cause and data."""


class Node:
    """Answers `status`, `block` and whatever a test adds; views by method name, queries by request type."""

    def __init__(self) -> None:
        self.chain_id = "localnet"
        self.views: dict[str, object] = {}
        self.queries: dict[str, object] = {}
        self.methods: dict[str, object] = {
            "status": lambda _: {"chain_id": self.chain_id, "genesis_hash": HASH, "sync_info": {}},
            "block": lambda _: {"header": {"height": 100, "hash": HASH, "timestamp_nanosec": "1"}},
            "query": self._query,
        }
        self.pages: dict[str, object] = {}
        self.asked: list[tuple[str, object]] = []
        self.url = ""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready, self._loop, self._stop = threading.Event(), None, None

    def _query(self, params):
        if params["request_type"] == "call_function":
            method = params["method_name"]
            if method not in self.views:
                return {"error": "wasm execution failed with error: MethodResolveError(MethodNotFound)", "logs": [], "block_height": 100}
            args = json.loads(base64.b64decode(params["args_base64"]))
            value = self.views[method]
            result = json.dumps(value(args) if callable(value) else value).encode()
            return {"result": list(result), "logs": [], "block_height": 100, "block_hash": HASH}
        answer = self.queries[params["request_type"]]
        return answer(params) if callable(answer) else answer

    async def _handle(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            page = self.pages.get(request.path, {"block": {}})
            return page if isinstance(page, web.Response) else web.json_response(page)
        asked = await request.json()
        self.asked.append((asked["method"], asked["params"]))
        try:
            answer = {"result": self.methods[asked["method"]](asked["params"])}
        except Refused as refused:
            cause, data = refused.args
            answer = {
                "error": {
                    "name": "HANDLER_ERROR",
                    "cause": {"name": cause, "info": {}},
                    "code": -32000,
                    "message": "Server error",
                    "data": data,
                }
            }
        return web.json_response({"jsonrpc": "2.0", "id": 1, **answer})

    def _serve(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
