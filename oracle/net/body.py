"""A response's body, read within bounds: what is sent and what it unpacks to."""

import zlib

from aiohttp import ClientResponse

from oracle.errors import SourceRefused, SourceUnavailable

_CHUNK_BYTES = 64 * 1024
_GZIP_OR_ZLIB = 47  # zlib: 32 (find out which) + 15 (the largest window)


def too_long(what: str, max_bytes: int) -> SourceRefused:
    """The refusal of a body, naming the limit."""
    return SourceRefused(f"{what} is longer than {max_bytes:,} bytes, the most that is fetched; make it smaller.")


class _Unpacker:
    """gzip and deflate, never more than a bound at a time: a bomb is stopped while it unfolds."""

    def __init__(self, max_bytes: int) -> None:
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._max_bytes = max_bytes

    def feed(self, data: bytes, have_bytes: int) -> bytes:
        """Unpack; at most one byte more than the bound comes out in all."""
        return self._inflate.decompress(data, self._max_bytes + 1 - have_bytes)

    @property
    def is_complete(self) -> bool:
        return self._inflate.eof


async def read_body(response: ClientResponse, what: str, max_bytes: int) -> bytes:
    """
    The whole body, unpacked.

    Raises:
        SourceRefused: too long, or packed in a way nobody asked for.
        SourceUnavailable: it ended too early or is damaged.
    """
    if response.content_length is not None and response.content_length > max_bytes:
        raise too_long(what, max_bytes)
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise SourceRefused(f"{what} came in the content encoding {encoding[:30]!r}, which was not asked for; serve it plain or as gzip.")
    unpacker = None if encoding in {"", "identity"} else _Unpacker(max_bytes)
    body = bytearray()
    received_bytes = 0
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        received_bytes += len(chunk)
        try:
            body += chunk if unpacker is None else unpacker.feed(chunk, len(body))
        except zlib.error as error:
            raise SourceUnavailable(f"{what} came damaged: its content encoding {encoding} cannot be unpacked.") from error
        if max(len(body), received_bytes) > max_bytes:
            raise too_long(what, max_bytes)
    if unpacker is not None and not unpacker.is_complete:
        raise SourceUnavailable(f"{what} came incomplete: its content encoding {encoding} has no end.")
    return bytes(body)
