import asyncio
import gzip
import os
import socket
import zlib
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from oracle.errors import SourceRefused, SourceUnavailable
from oracle.net import Fetcher
from oracle.net.fetch import FetchTimes

WASM = b"\0asm\1\0\0\0" + bytes(range(256)) * 8
QUICK = FetchTimes(whole_s=5, connect_s=2, silence_s=0.3, retry_after_s=())


class Names(AbstractResolver):
    """A resolver that knows what it is told, each answer once; the last one for ever."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    async def resolve(self, host, port=0, family=socket.AF_INET):
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


async def no_wait(_seconds: float) -> None:
    pass


class Site:
    """A loopback server whose answers are set by the test."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.answers: dict[str, object] = {}
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        answer = self.answers[request.path]
        if isinstance(answer, list):
            answer = answer.pop(0)
        return await answer(request) if callable(answer) else answer


@asynccontextmanager
async def site():
    it = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", it.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        server = web.TCPSite(runner, "127.0.0.1", 0)
        await server.start()
        it.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield it
    finally:
        await runner.cleanup()


def body(data: bytes, **headers: str) -> web.Response:
    return web.Response(body=data, content_type="application/wasm", headers=headers)


def to(location: str) -> web.Response:
    return web.Response(status=302, headers={"Location": location})


def local(**more) -> Fetcher:
    return Fetcher(local_chain=True, times=QUICK, sleep=no_wait, **more)


async def test_a_module_is_fetched_from_loopback_on_the_local_chain_without_cookies_or_credentials():
    async with site() as it:
        it.answers["/m.wasm"] = body(WASM)
        assert await local().fetch(f"{it.url}/m.wasm", max_bytes=10_000) == WASM
        assert not {"Cookie", "Authorization", "Referer"} & set(it.asked[0].headers)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "127.1", "0x7f.1", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"])
async def test_on_a_real_chain_no_spelling_of_loopback_is_connected_to(host):
    async with site() as it:
        port = it.url.rpartition(":")[2]
        with pytest.raises((SourceRefused, SourceUnavailable)):
            await Fetcher(local_chain=False, times=QUICK).fetch(f"https://{host}:{port}/m.wasm", max_bytes=10_000)
        assert not it.asked


@pytest.mark.parametrize(
    "url", ["http://example.com/m.wasm", "file:///etc/passwd", "ftp://example.com/m", "data:,x", "", "/etc/passwd", "https://"]
)
async def test_on_a_real_chain_only_https_is_taken(url):
    with pytest.raises(SourceRefused):
        await Fetcher(local_chain=False, times=QUICK).fetch(url, max_bytes=10_000)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pw@example.com/",
        "https://user@example.com/",
        "https://example.com:0/",
        "https://e x/",
        "https://[::1/",
        "https://" + "a" * 3_000,
    ],
)
async def test_a_url_with_credentials_or_without_sense_is_refused(url):
    with pytest.raises(SourceRefused):
        await local().fetch(url, max_bytes=10_000)


async def test_a_private_address_is_refused_on_the_local_chain_too():
    with pytest.raises(SourceRefused, match="private"):
        await local().fetch("http://10.0.0.1/m.wasm", max_bytes=10_000)
    with pytest.raises(SourceRefused, match="link-local"):
        await local(resolver=Names("169.254.169.254")).fetch("http://metadata.example/", max_bytes=10_000)


async def test_a_name_that_answers_otherwise_the_second_time_gains_nothing():
    async with site() as it:
        port = it.url.rpartition(":")[2]
        it.answers["/m.wasm"] = body(WASM)
        names = Names("127.0.0.1", "10.0.0.1")
        assert await local(resolver=names).fetch(f"http://rebind.example:{port}/m.wasm", max_bytes=10_000) == WASM
        assert len(it.asked) == 1


async def test_redirects_are_followed_and_each_is_checked():
    async with site() as it:
        it.answers |= {
            "/a": to("/b"),
            "/b": to(f"{it.url}/c"),
            "/c": body(WASM),
            "/meta": to("http://169.254.169.254/latest"),
            "/file": to("file:///etc/passwd"),
        }
        assert await local().fetch(f"{it.url}/a", max_bytes=10_000) == WASM
        with pytest.raises(SourceRefused, match="link-local"):
            await local().fetch(f"{it.url}/meta", max_bytes=10_000)
        with pytest.raises(SourceRefused, match="never followed"):
            await local().fetch(f"{it.url}/file", max_bytes=10_000)


async def test_a_redirect_to_credentials_or_to_nonsense_is_refused():
    async with site() as it:
        it.answers |= {"/user": to("http://u:p@127.0.0.1/"), "/junk": to("http://[::1"), "/none": web.Response(status=302)}
        for path in ("/user", "/junk"):
            with pytest.raises(SourceRefused):
                await local().fetch(it.url + path, max_bytes=10_000)
        with pytest.raises(SourceUnavailable, match="no place to go"):
            await local().fetch(f"{it.url}/none", max_bytes=10_000)


@pytest.mark.parametrize("came_from_loopback", [True, False])
async def test_a_redirect_leads_to_this_machine_only_when_it_came_from_there(monkeypatch, came_from_loopback):
    fetcher, asked = local(), []

    async def get(url, _max_bytes, *, loopback_allowed):
        asked.append((str(url), loopback_allowed))
        return ("http://127.0.0.1/m.wasm", b"", came_from_loopback) if len(asked) == 1 else (None, WASM, True)

    monkeypatch.setattr(fetcher, "_get", get)
    await fetcher.fetch("https://first.example/m.wasm", max_bytes=10_000)
    assert asked == [("https://first.example/m.wasm", True), ("http://127.0.0.1/m.wasm", came_from_loopback)]


async def test_an_endless_redirect_ends_after_five():
    async with site() as it:
        it.answers["/loop"] = [to("/loop") for _ in range(100)]
        with pytest.raises(SourceRefused, match="more than 5 times"):
            await local().fetch(f"{it.url}/loop", max_bytes=10_000)
        assert len(it.asked) == 6


async def test_a_web_page_is_refused_by_its_name():
    async with site() as it:
        it.answers["/page"] = web.Response(text="<html>", content_type="text/html")
        with pytest.raises(SourceRefused, match="web page"):
            await local().fetch(f"{it.url}/page", max_bytes=10_000)


async def test_a_body_above_the_limit_is_refused_whether_its_length_is_told_or_not():
    async def chunked(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(10_000):
                await response.write(bytes(1_000))
        except ConnectionError:
            pass  # the client has heard enough
        return response

    async with site() as it:
        it.answers |= {"/told": body(bytes(2_001)), "/untold": chunked, "/exact": body(bytes(2_000))}
        for path in ("/told", "/untold"):
            with pytest.raises(SourceRefused, match="2,000 bytes"):
                await local().fetch(it.url + path, max_bytes=2_000)
        assert len(await local().fetch(f"{it.url}/exact", max_bytes=2_000)) == 2_000


async def test_packed_bodies_are_unpacked_within_the_limit_and_bombs_are_refused():
    async with site() as it:
        it.answers |= {
            "/gzip": body(gzip.compress(WASM), **{"Content-Encoding": "gzip"}),
            "/deflate": body(zlib.compress(WASM), **{"Content-Encoding": "deflate"}),
            "/bomb": body(gzip.compress(bytes(50_000_000)), **{"Content-Encoding": "gzip"}),
            "/half": body(gzip.compress(WASM)[:-20], **{"Content-Encoding": "gzip"}),
            "/junk": body(b"no gzip at all", **{"Content-Encoding": "gzip"}),
            "/br": body(b"xx", **{"Content-Encoding": "br"}),
        }
        assert await local().fetch(f"{it.url}/gzip", max_bytes=10_000) == WASM
        assert await local().fetch(f"{it.url}/deflate", max_bytes=10_000) == WASM
        with pytest.raises(SourceRefused, match="100,000 bytes"):
            await local().fetch(f"{it.url}/bomb", max_bytes=100_000)
        for path, reason in (("/half", "incomplete"), ("/junk", "damaged")):
            with pytest.raises(SourceUnavailable, match=reason):
                await local().fetch(it.url + path, max_bytes=10_000)
        with pytest.raises(SourceRefused, match="content encoding"):
            await local().fetch(f"{it.url}/br", max_bytes=10_000)


@pytest.mark.parametrize("status", [204, 206, 304, 401, 403, 404, 410])
async def test_a_status_other_than_200_is_told_and_not_asked_for_again(status):
    async with site() as it:
        it.answers["/m"] = web.Response(status=status)
        with pytest.raises(SourceUnavailable, match=f"status {status}"):
            await Fetcher(local_chain=True, sleep=no_wait).fetch(f"{it.url}/m", max_bytes=10_000)
        assert len(it.asked) == 1


async def test_a_busy_server_is_asked_again_and_a_dead_one_given_up():
    async with site() as it:
        it.answers["/m"] = [web.Response(status=503), web.Response(status=429), body(WASM)]
        assert await Fetcher(local_chain=True, sleep=no_wait).fetch(f"{it.url}/m", max_bytes=10_000) == WASM
        it.answers["/dead"] = [web.Response(status=500) for _ in range(9)]
        with pytest.raises(SourceUnavailable, match="status 500"):
            await Fetcher(local_chain=True, sleep=no_wait).fetch(f"{it.url}/dead", max_bytes=10_000)
        assert len(it.asked) == 6
        dead = it.url
    with pytest.raises(SourceUnavailable, match=r"no connection to its server \(Connection refused\)"):
        await Fetcher(local_chain=True, sleep=no_wait).fetch(f"{dead}/m", max_bytes=10_000)


async def test_a_host_that_nobody_knows_is_told_as_such():
    with pytest.raises(SourceUnavailable, match="no address was found for its host"):
        await local().fetch("https://no-such-name.invalid/m", max_bytes=10_000)


async def test_a_server_that_keeps_silent_is_given_up_in_time():
    async def silent(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with site() as it:
        it.answers["/m"] = silent
        with pytest.raises(SourceUnavailable, match="silent"):
            await local().fetch(f"{it.url}/m", max_bytes=10_000)
        with pytest.raises(SourceUnavailable, match=r"within 0\.2 seconds"):
            await Fetcher(local_chain=True, times=FetchTimes(whole_s=0.2)).fetch(f"{it.url}/m", max_bytes=10_000)


async def test_a_connection_cut_in_the_middle_is_told():
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "5000"})
        await response.prepare(request)
        await response.write(b"x")
        request.transport.close()
        return response

    async with site() as it:
        it.answers["/m"] = cut
        with pytest.raises(SourceUnavailable, match="broke off in the middle"):
            await local().fetch(f"{it.url}/m", max_bytes=10_000)


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted():
    async with site() as it:
        with pytest.raises(SourceUnavailable):
            await local().fetch(it.url.replace("http://", "https://") + "/m", max_bytes=10_000)


async def test_a_file_is_read_on_the_local_chain_only_when_it_is_a_regular_one_of_allowed_size(tmp_path):
    module = tmp_path / "module one.wasm"
    module.write_bytes(WASM)
    assert await local().fetch(module.as_uri(), max_bytes=len(WASM)) == WASM
    with pytest.raises(SourceRefused, match="bytes"):
        await local().fetch(module.as_uri(), max_bytes=len(WASM) - 1)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(SourceRefused, match="regular"):
            await local().fetch(path.as_uri(), max_bytes=10)
    with pytest.raises(SourceRefused, match="regular"):
        await local().fetch("file:///dev/zero", max_bytes=10)
    with pytest.raises(SourceUnavailable, match="No such file"):
        await local().fetch((tmp_path / "missing").as_uri(), max_bytes=10)
    with pytest.raises(SourceRefused, match="no host"):
        await local().fetch("file://server/share", max_bytes=10)
