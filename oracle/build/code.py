"""Source to wasm in the cache: fetched and verified, or built; several requests for one source share one effort."""

import asyncio
import hashlib
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from oracle.build.artifacts import MAX_WASM_BYTES, ArtifactCache
from oracle.build.builds import Built
from oracle.build.flights import Flights
from oracle.errors import BuildFailed, SourceRefused, StoreError
from oracle.model import GitHub, Source, WasmUrl
from oracle.ports import Code, Compiled, CompileSource, FetchBytes

_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_WASM_MAGIC = b"\0asm"


class CodeProvider:
    """
    `ProvideCode` over a cache, a client and perhaps a compiler.

    A `WasmUrl` is its hash: once cached it is never fetched again, `force_rebuild` or not.
    """

    def __init__(self, cache: ArtifactCache, fetch: FetchBytes, compiler: CompileSource | None) -> None:
        self._cache, self._fetch, self._compiler = cache, fetch, compiler
        self._flights: Flights[Code] = Flights()

    async def get(self, source: Source, *, force_rebuild: bool = False) -> Code:
        """See `oracle.ports.ProvideCode`; StoreError when the disk takes no more."""
        try:
            match source:
                case WasmUrl():
                    return await self._fetched(source)
                case GitHub():
                    return await self._built(source, force_rebuild=force_rebuild)
        except OSError as error:
            raise StoreError(f"the module cache cannot be written or read: {error.strerror or error}") from error

    def path_of(self, wasm_sha256_hex: str) -> Path | None:
        """See `oracle.ports.ProvideCode`; after a start only what `get` was asked for again: hashing would hold up the event loop."""
        return self._cache.known(wasm_sha256_hex)

    async def _fetched(self, source: WasmUrl) -> Code:
        if not _SHA256_HEX.fullmatch(source.sha256_hex):
            raise SourceRefused(f"The hash {source.sha256_hex[:80]!r} is not a sha256 in 64 lower-case hex digits.")
        path = self._cache.known(source.sha256_hex) or await asyncio.to_thread(self._cache.get, source.sha256_hex)
        if path is not None:
            return Code(source.sha256_hex, path)

        async def work() -> Code:
            wasm = await self._fetch.fetch(source.url, max_bytes=MAX_WASM_BYTES)
            return await asyncio.to_thread(self._keep_verified, source, wasm)

        # the URL is part of the key: a dead or lying place must not fail those who named a good one
        return await self._flights.share(f"url {source.sha256_hex} {source.url}", work)

    def _keep_verified(self, source: WasmUrl, wasm: bytes) -> Code:
        found_hex = hashlib.sha256(wasm).hexdigest()
        if found_hex != source.sha256_hex:
            hint = "" if wasm.startswith(_WASM_MAGIC) else " It is not wasm either."
            raise SourceRefused(
                f"{source.url[:200]} has the sha256 {found_hex}, and the request promises {source.sha256_hex}: "
                f"the file was changed, or the hash is of another one.{hint}"
            )
        return Code(*self._cache.put(wasm))

    async def _built(self, source: GitHub, *, force_rebuild: bool) -> Code:
        key = f"git {source.repo} {source.commit} {source.build_target.value}"
        if self._compiler is None:
            raise BuildFailed(
                "This worker builds no sources (its operator has not set BUILD_BACKEND); "
                "give the compiled module as a WasmUrl with its hash."
            )
        if not force_rebuild:
            built = await asyncio.to_thread(self._cache.built, key)
            path = None if built is None else self._cache.get(built.wasm_sha256_hex)
            if built is not None and path is not None:
                return Code(built.wasm_sha256_hex, path, toolchain=built.toolchain)
        return await self._flights.share(key, self._build(self._compiler, source, key))

    def _build(self, compiler: CompileSource, source: GitHub, key: str) -> Callable[[], Awaitable[Code]]:
        async def work() -> Code:
            with tempfile.TemporaryDirectory(prefix="nco-build-") as directory:
                into = Path(directory) / "module.wasm"
                compiled = await compiler.compile(source, into)
                return await asyncio.to_thread(self._keep_built, into, key, compiled)

        return work

    def _keep_built(self, into: Path, key: str, compiled: Compiled) -> Code:
        size_bytes = into.stat().st_size
        if size_bytes > MAX_WASM_BYTES:
            raise BuildFailed(f"The module built has {size_bytes:,} bytes; {MAX_WASM_BYTES:,} is the most that is run.")
        sha256_hex, path = self._cache.put(into.read_bytes())
        self._cache.remember_built(key, Built(sha256_hex, compiled.toolchain))
        return Code(sha256_hex, path, compile_time_ms=compiled.time_ms, toolchain=compiled.toolchain)
