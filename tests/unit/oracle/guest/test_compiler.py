import asyncio
import hashlib
import os
import threading
from pathlib import Path

import pytest

from oracle.guest.compiler import Compiler
from oracle.guest.native import NativeCache
from oracle.guest.wire import Ending, How

WASM = b"\0asm\1\0\0\0"
SHA256_HEX = hashlib.sha256(WASM).hexdigest()


class WritesNativeCode:
    """A supply whose process compiles everything to the same bytes."""

    async def do(self, _job, files, _timeout_s):
        os.write(files[1], b"native code")
        return Ending(How.COMPILED)


@pytest.fixture
def cache(tmp_path):
    cache = NativeCache(tmp_path / "home")
    yield cache
    cache.close()


def count_descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_a_run_cancelled_while_its_native_code_is_written_to_disk_leaves_no_descriptor(tmp_path, cache, monkeypatch):
    module = tmp_path / "module.wasm"
    module.write_bytes(WASM)
    writes, may_end = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow_write(_sha256_hex, _native):
        loop.call_soon_threadsafe(writes.set)
        assert may_end.wait(20)

    monkeypatch.setattr(cache, "write", slow_write)
    compiler = Compiler(WritesNativeCode(), cache)
    asking = asyncio.create_task(compiler.native_code(module, SHA256_HEX))
    await writes.wait()
    held = cache._in_memory[SHA256_HEX][0]
    before = count_descriptors()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    may_end.set()
    assert count_descriptors() == before - 1  # the caller's own; the cache keeps the other
    assert os.fstat(held).st_size == len(b"native code")
