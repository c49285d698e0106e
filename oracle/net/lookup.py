"""
Names to addresses by the system's resolver, in threads of its own.

The name may be a stranger's and its server may never answer: the resolver then holds its thread for half a minute, and nothing ends it
sooner. In the event loop's own pool of threads a few such names would hold up all other work there is, our nodes' names among it. And the
threads are daemons: a stop does not wait for them.
"""

import asyncio
import socket
from contextlib import suppress
from functools import partial
from threading import Thread

from aiohttp.abc import AbstractResolver, ResolveResult

MAX_LOOKUPS = 16
"""At once; each is a thread."""

_Found = list[ResolveResult]


class Lookup(AbstractResolver):
    """`getaddrinfo` as a resolver for aiohttp."""

    def __init__(self, max_lookups: int = MAX_LOOKUPS) -> None:
        self._turns = asyncio.Semaphore(max_lookups)

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> _Found:
        """
        All addresses of a name.

        Raises:
            OSError: nobody knows the name, or nobody answers.
            UnicodeError: it is no name.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Found] = loop.create_future()
        await self._turns.acquire()
        try:
            Thread(target=self._look, args=(loop, answer, host, port, family), name="name-lookup", daemon=True).start()
        except RuntimeError as error:
            self._turns.release()
            raise OSError("no thread can be started") from error
        return await answer

    def _look(self, loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[_Found]", host: str, port: int, family: int) -> None:
        try:
            tell = partial(answer.set_result, _addresses(host, port, family))
        except (OSError, UnicodeError) as error:
            tell = partial(answer.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._tell, answer, tell)

    def _tell(self, answer: "asyncio.Future[_Found]", tell: "partial[None]") -> None:
        # Only now: a caller that has gone does not end the thread.
        self._turns.release()
        if not answer.done():
            tell()

    async def close(self) -> None:
        """Nothing is held."""


def _addresses(host: str, port: int, family: int) -> _Found:
    found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    # A scope (fe80::1%2) is kept in sight: no such address is a public one.
    return [
        ResolveResult(
            hostname=host,
            host=f"{address[0]}%{address[3]}" if len(address) == 4 and address[3] else str(address[0]),
            port=port,
            family=kind,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for kind, _, protocol, _, address in found
    ]
