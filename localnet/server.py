"""
A chain behind HTTP: NEAR's JSON-RPC at the root of the URL, neardata-style blocks under `/v0`.

    async with serve(Chain()) as server:
        print(server.rpc_url)

or, from code without an event loop, `with ServerThread(Chain()) as server: ...`.
"""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType

from aiohttp import web

from localnet.chain import Chain
from localnet.rpc.http import application
from localnet.rpc.node import DEFAULT_TRANSACTION_TIMEOUT_S, running_node
from localnet.values.block import Block

_BACKLOG = 1024
_LAST_ANSWERS_S = 2.0
"""How long a stopping server waits for the requests under way."""


class CannotListen(Exception):
    """The address cannot be listened at; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a chain is served."""

    host: str
    port: int

    @property
    def rpc_url(self) -> str:
        """For JSON-RPC clients."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def blocks_url(self) -> str:
        """For readers of neardata-style blocks, who append `/v0/block/{height}`."""
        return self.rpc_url


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a chain is served."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 picks a free one."""
    block_time_s: float | None = None
    """Seconds from block to block; None makes blocks on demand."""
    transaction_timeout_s: float = DEFAULT_TRANSACTION_TIMEOUT_S
    """How long a request waits for its transaction."""
    on_block: Callable[[Block], None] | None = None
    """Called on the event loop with each new block."""


@asynccontextmanager
async def serve(chain: Chain, options: ServerOptions | None = None) -> AsyncIterator[Server]:
    """
    Serve a chain for as long as the context lasts. Nobody else may use the chain meanwhile; it stays open afterwards.

    Raises:
        CannotListen: the address is in use, not ours, or not allowed.
    """
    options = options or ServerOptions()
    listening = _listen(options.host, options.port)
    with listening:
        async with running_node(chain, block_time_s=options.block_time_s, transaction_timeout_s=options.transaction_timeout_s) as node:
            if options.on_block is not None:
                node.watch.listen(options.on_block)
            runner = web.AppRunner(application(node), access_log=None, shutdown_timeout=_LAST_ANSWERS_S)
            await runner.setup()
            try:
                await web.SockSite(runner, listening, backlog=_BACKLOG).start()
                yield Server(options.host, listening.getsockname()[1])
            finally:
                # First those who wait for a block or a transaction, so that the server need not wait for them.
                node.watch.close()
                await runner.cleanup()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        if number is None or number < 0:  # of getaddrinfo, not of the system
            raise CannotListen(
                f"cannot listen at {host[:100]!r}: no address was found for it; give one of this machine with --host"
            ) from error
        reason = os.strerror(number)
        raise CannotListen(f"cannot listen at port {port} of {host}: {reason}; choose another with --port (0 picks a free one)") from error


class ServerThread:
    """Serves a chain from a thread of its own: `with ServerThread(chain) as server: server.rpc_url`."""

    def __init__(self, chain: Chain, options: ServerOptions | None = None) -> None:
        self._chain, self._options = chain, options
        self._ready: threading.Event = threading.Event()
        self._server: Server | None = None
        self._failure: BaseException | None = None
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, name="localnet-server", daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        self._ready.wait()
        if self._server is None:
            self._thread.join()
            assert self._failure is not None
            raise self._failure
        return self._server

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stop()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 (handed to the thread that started this one)
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        async with serve(self._chain, self._options) as server:
            self._stop = lambda: loop.call_soon_threadsafe(stop.set)
            self._server = server
            self._ready.set()
            await stop.wait()
