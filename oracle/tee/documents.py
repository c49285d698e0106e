"""
The HTTP client for collateral: `FetchDocument` over aiohttp.

It asks a service the operator named, so addresses are not judged as those of strangers are (`oracle.net`). Everything else is bounded:
size, time, headers; redirects and compressed bodies are not taken. What it brings is signed, and checked by who asked.
"""

import asyncio
from typing import Self

import aiohttp

from oracle.errors import TeeUnavailable
from oracle.settings import redacted_url
from oracle.tee.pcs import Document

TIMEOUT_S = 20.0
_MAX_HEADER_BYTES = 32 * 1024
"""Certificate chains travel in headers, percent-encoded: about 6 KB."""
_CHUNK_BYTES = 65_536


class HttpDocuments:
    """Used as an async context manager, which owns the connections."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": "near-compute-oracle"},
            auto_decompress=False,
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, url: str, *, max_bytes: int) -> Document:
        """See `FetchDocument`."""
        if self._session is None:
            raise RuntimeError("enter the context first")
        place = redacted_url(url)
        try:
            async with asyncio.timeout(self._timeout_s), self._session.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    raise TeeUnavailable(f"{place} answered with status {response.status}")
                if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise TeeUnavailable(f"{place} answered in a compressed form that was not asked for")
                body = await _bounded(response, place, max_bytes)
                return Document(body, {name.lower(): value for name, value in response.headers.items()})
        except TimeoutError as error:
            raise TeeUnavailable(f"{place} did not answer within {self._timeout_s:g} seconds") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TeeUnavailable(f"{place} cannot be reached ({type(error).__name__})") from error


async def _bounded(response: aiohttp.ClientResponse, place: str, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            raise TeeUnavailable(f"{place} answered with more than {max_bytes:,} bytes")
    return bytes(body)
