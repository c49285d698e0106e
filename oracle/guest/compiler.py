"""Wasm to native code: from memory, from disk, or made in a process that never runs a guest."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog

from oracle.errors import GuestTrapped, InvalidModule, Trap
from oracle.guest import warmup
from oracle.guest.checks import header_complaint
from oracle.guest.native import NativeCache, memory_file
from oracle.guest.processes import Died
from oracle.guest.supply import ProcessSupply
from oracle.guest.wire import MAX_WASM_BYTES, Ending, How, Job, Task
from oracle.model import Metrics

log = structlog.get_logger()

COMPILE_TIMEOUT_S: Final = 120.0


class Compiler:
    """One compilation at a time: it uses all cores by itself."""

    def __init__(self, processes: ProcessSupply, cache: NativeCache) -> None:
        self._processes, self._cache = processes, cache
        self._turn = asyncio.Lock()

    async def native_code(self, wasm_path: Path, wasm_sha256_hex: str) -> int:
        """
        A sealed file with the native code of a module; the descriptor is the caller's to close.

        Raises:
            InvalidModule: the module cannot be run, or is not what its hash says.
            GuestTrapped: the worker has no process for it.
        """
        return await self._get(wasm_sha256_hex, lambda: asyncio.to_thread(_read_module, wasm_path, wasm_sha256_hex))

    async def warm_up_code(self) -> int:
        """The same for the warm-up program (`oracle.guest.warmup`)."""

        async def wasm() -> bytes:
            return warmup.WASM

        return await self._get(warmup.SHA256_HEX, wasm)

    async def _get(self, wasm_sha256_hex: str, wasm: Callable[[], Awaitable[bytes]]) -> int:
        if (at_hand := self._cache.in_memory(wasm_sha256_hex)) is not None:
            return at_hand
        if (native := await asyncio.to_thread(self._cache.read, wasm_sha256_hex)) is not None:
            return self._cache.keep(wasm_sha256_hex, native)
        async with self._turn:
            # Somebody before us in the queue may have asked for the same module.
            if (at_hand := self._cache.in_memory(wasm_sha256_hex)) is not None:
                return at_hand
            native = await self._compile(await wasm())
            fd = self._cache.keep(wasm_sha256_hex, native)
        try:
            await asyncio.to_thread(self._cache.write, wasm_sha256_hex, native)
        except BaseException:  # a cancelled caller never gets the descriptor to close
            os.close(fd)
            raise
        return fd

    async def _compile(self, wasm: bytes) -> bytes:
        wasm_fd = memory_file(wasm)
        try:
            native_fd = memory_file()
            # The file closes its descriptor.
            with os.fdopen(native_fd, "rb") as native:
                ending = await self._outcome([wasm_fd, native_fd])
                if ending.how is How.COMPILED:
                    native.seek(0)
                    return native.read()
        finally:
            os.close(wasm_fd)
        if ending.how is How.INVALID:
            raise InvalidModule(ending.detail)
        log.error("compile_defect", detail=ending.detail)
        raise GuestTrapped(Trap.KILLED, "The worker could not compile the module. Ask again.", metrics=Metrics())

    async def _outcome(self, files: list[int]) -> Ending:
        try:
            return await self._processes.do(Job(task=Task.COMPILE), files, COMPILE_TIMEOUT_S)
        except TimeoutError as late:
            raise InvalidModule(
                f"Compiling the module to native code took longer than {COMPILE_TIMEOUT_S:.0f} s. Make it smaller."
            ) from late
        except Died as death:
            raise InvalidModule(f"Compiling the module to native code needs too much memory or time ({death}). Make it smaller.") from death


def _read_module(path: Path, wasm_sha256_hex: str) -> bytes:
    try:
        with path.open("rb") as file:
            wasm = file.read(MAX_WASM_BYTES + 1)
    except OSError as error:
        raise InvalidModule(f"The code cannot be read: {error.strerror}.") from error
    if sentence := header_complaint(wasm):
        raise InvalidModule(sentence)
    if hashlib.sha256(wasm).hexdigest() != wasm_sha256_hex:
        raise InvalidModule(f"The code is not what its hash says: {wasm_sha256_hex} was promised.")
    return wasm
