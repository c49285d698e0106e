import asyncio
import gzip
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from oracle.errors import TeeUnavailable
from oracle.tee.documents import HttpDocuments


@asynccontextmanager
async def service_that(handle):
    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/document"
    finally:
        await runner.cleanup()


async def refusal_of(handle, *, timeout_s=5.0):
    async with service_that(handle) as url, HttpDocuments(timeout_s=timeout_s) as documents:
        with pytest.raises(TeeUnavailable) as refused:
            await documents.fetch(f"{url}?key=secret", max_bytes=1_000)
    assert "secret" not in str(refused.value), "a query may hold an API key"
    assert "document" not in str(refused.value), "and so may a path"
    return str(refused.value)


async def test_a_document_comes_with_its_headers_by_lower_case_name():
    async def handle(_request):
        return web.Response(body=b"body", headers={"TCB-Info-Issuer-Chain": "c" * 20_000})

    async with service_that(handle) as url, HttpDocuments() as documents:
        document = await documents.fetch(url, max_bytes=4)
    assert (document.body, document.headers["tcb-info-issuer-chain"]) == (b"body", "c" * 20_000)


async def test_a_document_that_is_too_long_is_cut_off():
    async def handle(_request):
        return web.Response(body=bytes(1_001))

    assert "more than 1,000 bytes" in await refusal_of(handle)


async def test_a_redirect_is_not_followed():
    async def handle(_request):
        raise web.HTTPFound("/elsewhere")

    assert "status 302" in await refusal_of(handle)


async def test_a_packed_document_is_refused_unread():
    async def handle(_request):
        return web.Response(body=gzip.compress(bytes(10_000_000)), headers={"Content-Encoding": "gzip"})

    assert "compressed" in await refusal_of(handle)


async def test_headers_without_end_are_cut_off():
    async def handle(_request):
        return web.Response(body=b"", headers={"X": "x" * 100_000})

    assert "cannot be reached" in await refusal_of(handle)


async def test_a_service_that_hangs_is_left_after_a_time():
    waits = asyncio.Event()

    async def handle(_request):
        await waits.wait()

    assert "did not answer within 0.05 seconds" in await refusal_of(handle, timeout_s=0.05)
    waits.set()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "no url", "http://", "ftp://127.0.0.1/x"])
async def test_a_service_that_cannot_be_reached_is_told(url):
    async with HttpDocuments() as documents:
        with pytest.raises(TeeUnavailable, match="cannot be reached"):
            await documents.fetch(url, max_bytes=1)
