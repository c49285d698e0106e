"""
The one client that follows URLs named by strangers.

Rules: https only, and public addresses only, checked after resolving and again at every redirect; the connection goes to exactly the
address that was checked. On the local chain http://, loopback addresses and file:// are taken too, but no redirect leads there from
outside. Size, time, redirects and unpacking are bounded. No cookies, no proxies, no credentials.
"""

import asyncio
import ipaddress
import os
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from yarl import URL

from oracle.errors import SourceRefused, SourceUnavailable
from oracle.net.addresses import CheckedResolver, check_address, is_loopback
from oracle.net.body import read_body
from oracle.net.files import read_file
from oracle.net.lookup import Lookup

MAX_URL_CHARS = 2_048
MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_SHOWN_URL_CHARS = 200
_HOST = re.compile(r"[\w.:%-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class FetchTimes:
    """How long a fetch may take, in seconds; the whole stays well inside the chain's yield window of two minutes."""

    whole_s: float = 60.0
    connect_s: float = 10.0
    silence_s: float = 15.0
    retry_after_s: tuple[float, ...] = (0.3, 1.5)
    """Waits before each further attempt when nobody answers or the server is busy."""


class _TryAgain(SourceUnavailable):
    """Trouble that may pass."""


class Fetcher:
    """`FetchBytes` over aiohttp."""

    def __init__(
        self,
        *,
        local_chain: bool,
        times: FetchTimes | None = None,
        resolver: AbstractResolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._local_chain = local_chain
        self._times = FetchTimes() if times is None else times
        self._resolver = Lookup() if resolver is None else resolver
        self._ssl, self._sleep = ssl_context, sleep

    async def fetch(self, url: str, *, max_bytes: int) -> bytes:
        """See `oracle.ports.FetchBytes`."""
        start = self._checked(url)
        if start.scheme == "file":
            return await asyncio.to_thread(read_file, start.path, max_bytes)
        try:
            async with asyncio.timeout(self._times.whole_s):
                return await self._attempts(start, max_bytes)
        except TimeoutError as error:
            raise SourceUnavailable(f"{_shown(start)} did not arrive within {self._times.whole_s:g} seconds.") from error

    async def _attempts(self, start: URL, max_bytes: int) -> bytes:
        for wait_s in self._times.retry_after_s:
            try:
                return await self._follow(start, max_bytes)
            except _TryAgain:
                await self._sleep(wait_s)
        return await self._follow(start, max_bytes)

    async def _follow(self, start: URL, max_bytes: int) -> bytes:
        """From redirect to redirect; each is checked like a first URL, and loopback may be reached only while we never left it."""
        url, loopback_allowed = start, self._local_chain
        for _ in range(MAX_REDIRECTS + 1):
            location, body, came_from_loopback = await self._get(url, max_bytes, loopback_allowed=loopback_allowed)
            if location is None:
                return body
            url = self._redirected(url, location)
            loopback_allowed = loopback_allowed and came_from_loopback
        raise SourceRefused(f"{_shown(start)} redirects more than {MAX_REDIRECTS} times; name the final URL.")

    async def _get(self, url: URL, max_bytes: int, *, loopback_allowed: bool) -> tuple[str | None, bytes, bool]:
        """One exchange: where it redirects to, or its body; and whether the peer was this machine."""
        literal = _literal(url)
        if literal is not None:  # aiohttp resolves names only
            check_address(literal, literal, loopback_allowed=loopback_allowed)
        resolver = CheckedResolver(loopback_allowed=loopback_allowed, inner=self._resolver)
        connector = TCPConnector(resolver=resolver, use_dns_cache=False, ssl=True if self._ssl is None else self._ssl, force_close=True)
        timeout = ClientTimeout(total=None, sock_connect=self._times.connect_s, sock_read=self._times.silence_s)
        headers = {"Accept-Encoding": "identity", "User-Agent": "near-compute-oracle"}
        try:
            async with (
                ClientSession(
                    connector=connector, cookie_jar=DummyCookieJar(), timeout=timeout, headers=headers, auto_decompress=False
                ) as session,
                session.get(url, allow_redirects=False) as response,
            ):
                from_loopback = resolver.led_to_loopback if literal is None else is_loopback(literal)
                if response.status in _REDIRECTS:
                    return _location(url, response), b"", from_loopback
                _check_answer(url, response)
                return None, await read_body(response, _shown(url), max_bytes), from_loopback
        except ClientSSLError as error:
            raise SourceUnavailable(f"{_shown(url)}: no trusted TLS connection could be made ({type(error).__name__}).") from error
        except TimeoutError as error:
            raise _TryAgain(f"{_shown(url)}: the server kept silent for too long.") from error
        except (ClientError, OSError) as error:
            raise _TryAgain(f"{_shown(url)} could not be fetched: {_reason(error)}.") from error
        except ValueError as error:
            raise SourceRefused(f"{_shown(url)} cannot be asked for: its host is not a valid name.") from error

    def _redirected(self, url: URL, location: str) -> URL:
        try:
            target = url.join(URL(location))
        except ValueError as error:
            raise SourceRefused(f"{_shown(url)} redirects to something that is not a URL.") from error
        if target.scheme == "file":
            raise SourceRefused(f"{_shown(url)} redirects to a file; that is never followed.")
        return self._checked(str(target))

    def _checked(self, text: str) -> URL:
        """Parse once; the same parser names the host that is connected to."""
        if len(text) > MAX_URL_CHARS:
            raise SourceRefused(f"The URL is longer than {MAX_URL_CHARS:,} characters.")
        try:
            url = URL(text)
            scheme, host, port = url.scheme, url.raw_host, url.port
        except ValueError as error:
            raise SourceRefused(f"{text[:_SHOWN_URL_CHARS]!r} is not a URL.") from error
        if scheme not in ({"https", "http", "file"} if self._local_chain else {"https"}):
            wanted = "https://, http:// or file://" if self._local_chain else "https://"
            raise SourceRefused(f"{text[:_SHOWN_URL_CHARS]!r}: code is fetched from {wanted} URLs only.")
        if url.user is not None or url.password is not None:
            raise SourceRefused("The URL holds a user name or password; everything in a request is public, so no credentials are sent.")
        if scheme == "file":
            if host or not url.path.startswith("/"):
                raise SourceRefused("A file:// URL has no host and an absolute path: file:///path/to/module.wasm.")
        elif not host or not _HOST.fullmatch(host) or port == 0:
            raise SourceRefused(f"{text[:_SHOWN_URL_CHARS]!r} names no host to fetch from.")
        return url


def _literal(url: URL) -> str | None:
    """The address that a URL names instead of a host."""
    host = url.host or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return host


def _location(url: URL, response: ClientResponse) -> str:
    location = response.headers.get("Location")
    if location is None:
        raise SourceUnavailable(f"{_shown(url)} answered with status {response.status} and no place to go to.")
    return location


def _check_answer(url: URL, response: ClientResponse) -> None:
    if response.status in _BUSY:
        raise _TryAgain(f"{_shown(url)} answered with status {response.status}.")
    if response.status != 200:
        raise SourceUnavailable(f"{_shown(url)} answered with status {response.status}.")
    if response.content_type in {"text/html", "application/xhtml+xml"}:
        raise SourceRefused(f"{_shown(url)} answered with a web page (text/html) instead of the file; name the URL of the raw file.")


def _reason(error: Exception) -> str:
    """For who asked, on chain; aiohttp's own texts name classes, and the addresses that were tried."""
    match error:
        case ClientConnectorDNSError():
            return "no address was found for its host; look at the spelling"
        case ClientConnectorError() if error.os_error.errno:
            return f"no connection to its server ({os.strerror(error.os_error.errno)})"
        case ServerDisconnectedError() | ClientPayloadError() | ConnectionResetError():
            return "its server broke off in the middle"
    return type(error).__name__


def _shown(url: URL) -> str:
    return str(url)[:_SHOWN_URL_CHARS]
