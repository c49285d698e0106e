import asyncio
import errno
import hashlib

import pytest

from oracle.build import ArtifactCache, CodeProvider
from oracle.errors import BuildFailed, SourceRefused, SourceUnavailable, StoreError
from oracle.model import GitHub, WasmUrl
from oracle.ports import Compiled
from oracle.testing.code import TOOLCHAIN

WASM = b"\0asm\1\0\0\0"
KEY = bytes(32)
SHA = hashlib.sha256(WASM).hexdigest()
SOURCE = GitHub("github.com/o/r", "0" * 40)


class Web:
    def __init__(self, body: bytes | Exception = WASM) -> None:
        self.body, self.asked = body, []

    async def fetch(self, url, *, max_bytes):
        self.asked.append(url)
        await asyncio.sleep(0)
        if isinstance(self.body, Exception):
            raise self.body
        return self.body


class Compiler:
    def __init__(self, wasm: bytes = WASM) -> None:
        self.wasm, self.times = wasm, 0

    async def compile(self, source, into):
        self.times += 1
        await asyncio.sleep(0)
        into.write_bytes(self.wasm)
        return Compiled(42, TOOLCHAIN)


async def test_a_module_is_fetched_once_however_many_ask_for_it(tmp_path):
    web = Web()
    provider = CodeProvider(ArtifactCache(tmp_path), web, None)
    codes = await asyncio.gather(*(provider.get(WasmUrl("https://x/m", SHA), force_rebuild=i > 5) for i in range(10)))
    assert {code.wasm_sha256_hex for code in codes} == {SHA}
    assert codes[0].path.read_bytes() == WASM
    assert codes[0].compile_time_ms is None
    assert web.asked == ["https://x/m"]
    assert provider.path_of(SHA) == codes[0].path


async def test_bytes_with_another_hash_are_refused_and_not_kept(tmp_path):
    provider = CodeProvider(ArtifactCache(tmp_path), Web(WASM + b"x"), None)
    with pytest.raises(SourceRefused, match=f"promises {SHA}"):
        await provider.get(WasmUrl("https://x/m", SHA))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SourceRefused, match="not wasm either"):
        await CodeProvider(ArtifactCache(tmp_path), Web(b"<html>"), None).get(WasmUrl("https://x/m", SHA))


@pytest.mark.parametrize("sha256_hex", ["", "../x", SHA.upper(), SHA + "0"])
async def test_a_hash_that_is_none_is_refused_before_anything_is_fetched(tmp_path, sha256_hex):
    web = Web()
    with pytest.raises(SourceRefused, match="hex digits"):
        await CodeProvider(ArtifactCache(tmp_path), web, None).get(WasmUrl("https://x/m", sha256_hex))
    assert web.asked == []


async def test_a_dead_place_fails_only_those_who_named_it(tmp_path):
    class TwoPlaces(Web):
        async def fetch(self, url, *, max_bytes):
            if "dead" in url:
                raise SourceUnavailable("dead")
            return await super().fetch(url, max_bytes=max_bytes)

    provider = CodeProvider(ArtifactCache(tmp_path), TwoPlaces(), None)
    ends = await asyncio.gather(
        *(provider.get(WasmUrl(f"https://{host}/m", SHA)) for host in ("dead", "good", "dead")), return_exceptions=True
    )
    assert isinstance(ends[0], SourceUnavailable)
    assert ends[1].wasm_sha256_hex == SHA


async def test_a_source_is_built_once_and_remembered_by_the_next_process(tmp_path):
    compiler = Compiler()
    provider = CodeProvider(ArtifactCache(tmp_path, build_key=KEY), Web(), compiler)
    first = await asyncio.gather(*(provider.get(SOURCE) for _ in range(4)))
    assert (first[0].wasm_sha256_hex, first[0].compile_time_ms, first[0].toolchain, compiler.times) == (SHA, 42, TOOLCHAIN, 1)
    again = await CodeProvider(ArtifactCache(tmp_path, build_key=KEY), Web(), compiler).get(SOURCE)
    assert (again.wasm_sha256_hex, again.compile_time_ms, again.toolchain, compiler.times) == (SHA, None, TOOLCHAIN, 1)
    forced = await provider.get(SOURCE, force_rebuild=True)
    assert (forced.compile_time_ms, compiler.times) == (42, 2)


async def test_a_process_that_believes_itself_alone_builds_anew_and_does_not_disturb_others(tmp_path):
    compiler = Compiler()
    for build_key, times in ((KEY, 1), (None, 2), (None, 3)):
        assert (await CodeProvider(ArtifactCache(tmp_path, build_key=build_key), Web(), compiler).get(SOURCE)).toolchain == TOOLCHAIN
        assert compiler.times == times


async def test_a_module_that_came_built_has_no_toolchain(tmp_path):
    provider = CodeProvider(ArtifactCache(tmp_path), Web(), Compiler())
    assert (await provider.get(SOURCE)).toolchain == TOOLCHAIN
    assert (await provider.get(WasmUrl("https://x/m", SHA))).toolchain is None


async def test_another_commit_is_another_build(tmp_path):
    compiler = Compiler()
    provider = CodeProvider(ArtifactCache(tmp_path), Web(), compiler)
    await provider.get(SOURCE)
    await provider.get(GitHub(SOURCE.repo, "1" * 40))
    assert compiler.times == 2


async def test_without_a_compiler_the_answer_names_the_mend(tmp_path):
    with pytest.raises(BuildFailed, match="WasmUrl"):
        await CodeProvider(ArtifactCache(tmp_path), Web(), None).get(SOURCE)


async def test_a_full_disk_is_not_the_requests_fault(tmp_path, monkeypatch):
    cache = ArtifactCache(tmp_path)
    monkeypatch.setattr(cache, "put", lambda _wasm: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(StoreError, match="No space left"):
        await CodeProvider(cache, Web(), None).get(WasmUrl("https://x/m", SHA))


async def test_after_a_start_a_module_is_hashed_by_get_and_never_where_its_path_is_asked_for(tmp_path):
    await CodeProvider(ArtifactCache(tmp_path), Web(), None).get(WasmUrl("https://x/m", SHA))
    provider = CodeProvider(ArtifactCache(tmp_path), Web(SourceUnavailable("away")), None)
    assert provider.path_of(SHA) is None
    code = await provider.get(WasmUrl("https://x/m", SHA))
    assert provider.path_of(SHA) == code.path
