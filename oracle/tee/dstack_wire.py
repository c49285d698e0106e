"""
The dstack SDK's client, with what it lacks: a bound on what a socket may send.

Imported when a socket is first spoken to, because the SDK takes half a second to load. Compressed answers are refused: they were not asked
for, and unpacked they could pass any bound.
"""

import binascii
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from dstack_sdk import AsyncDstackClient

from oracle.errors import TeeUnavailable

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""An answer with a quote has 20 KB, most of it the event log."""
_MAX_SHOWN_CHARS = 200


class NoSuchMethod(TeeUnavailable):
    """The socket does not know the method; it may speak the other interface."""


class Agent(AsyncDstackClient):
    """dstack 0.5 and later."""

    QUOTE = "GetQuote"

    def __init__(self, endpoint: str, timeout_s: float) -> None:
        super().__init__(endpoint, timeout=timeout_s)
        self.async_transport = _Bounded(self.async_transport)  # type: ignore[assignment] # the SDK names the one it makes

    async def quote(self, report_data: bytes) -> dict[str, Any]:
        """What the machine answers when asked for a quote over 64 bytes."""
        return await self._ask(self.QUOTE, {"report_data": binascii.hexlify(report_data).decode()})

    async def machine(self) -> dict[str, Any]:
        """What the machine answers when asked who it is."""
        return await self._ask("Info", {})

    async def aclose(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _ask(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: object = await self._send_rpc_request(method, arguments)
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.NOT_FOUND:
                raise NoSuchMethod(f"it knows no {self.PATH_PREFIX}{method}") from error
            raise TeeUnavailable(f"it answered {method} with status {error.response.status_code}: {_reason(error.response)}") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise TeeUnavailable(f"{method} was not answered ({type(error).__name__}: {str(error)[:_MAX_SHOWN_CHARS]})") from error
        except (ValueError, RecursionError) as error:
            raise TeeUnavailable(f"it answered {method} with what is no JSON") from error
        if not isinstance(answer, dict):
            raise TeeUnavailable(f"it answered {method} with what is no JSON object")
        return answer


class Tappd(Agent):
    """dstack 0.3."""

    PATH_PREFIX = "/prpc/Tappd."
    QUOTE = "RawQuote"


class _Bounded(httpx.AsyncBaseTransport):
    """Ends an exchange that is longer than any honest one."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise TeeUnavailable("it answered in a compressed form that was not asked for")
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _BoundedStream(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._inner:
            received += len(chunk)
            if received > MAX_ANSWER_BYTES:
                raise TeeUnavailable(f"its answer has more than {MAX_ANSWER_BYTES:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def _reason(response: httpx.Response) -> str:
    """Why, as dstack tells it: `{"error": …}`."""
    try:
        answer = json.loads(response.text)
    except (ValueError, RecursionError):
        answer = None
    return str(answer["error"] if isinstance(answer, dict) and "error" in answer else response.text)[:_MAX_SHOWN_CHARS]
