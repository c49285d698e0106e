"""
C to wasm: a repository with one `main.c` at its root, built by the C compiler that ships with zig.

The compiler runs on this machine as it is, without a sandbox (`BUILD_BACKEND=none`): an `#include` can read what the worker can read.
That is why the wiring offers it on the local chain only.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from oracle.build.git import check_out, checked_source
from oracle.build.process import Bounds, Finished, run_program
from oracle.errors import BuildFailed
from oracle.model import BuildTarget, GitHub, Toolchain
from oracle.ports import Compiled

BUILD_BOUNDS = Bounds(
    timeout_s=300.0, max_file_bytes=512 * 1024 * 1024
)  # contract: MAX_COMPILATION_SECONDS; zig builds libc the first time
MAX_COMPLAINT_CHARS = 600  # with the sentence around it, an answer stays inside the 1,024 bytes of one resume

_UNFINISHED = "build-"
_BUILT_LATELY_S = 3_600.0

STACK_BYTES = 1024 * 1024
"""Of a guest's linear memory. zig's own default of 16 MiB is more than a request for 16 MB of memory has room for."""


_TARGET, _FLAGS = "wasm32-wasi", ("-O2", "-s", f"-Wl,-z,stack-size={STACK_BYTES}")
_ARGUMENTS = (f"--target={_TARGET}", *_FLAGS, "main.c")
_MODULE = "module.wasm"
_SAID_ENVIRONMENT = {"LC_ALL": "C"}
"""Of the environment, what does not only name places of this machine."""


def zig_toolchain() -> Toolchain:
    """What builds here, by the version of the package that the compiler comes in (docs/receipts.md, "Recipes")."""
    name, found = "zig cc", version("ziglang")
    arguments = [*_ARGUMENTS, "-o", _MODULE]
    recipe = {"schema": "nco/recipe/v1", "name": name, "version": found, "arguments": arguments, "environment": _SAID_ENVIRONMENT}
    # Of ASCII texts alone, so this is RFC 8785 too.
    exact = json.dumps(recipe, sort_keys=True, separators=(",", ":")).encode()
    return Toolchain(name, found, _TARGET, " ".join(_FLAGS), hashlib.sha256(exact).hexdigest())


def has_ziglang() -> bool:
    """Whether the extra with the compiler is installed."""
    return importlib.util.find_spec("ziglang") is not None


class ZigCompiler:
    """`CompileSource` with `zig cc`; keeps zig's cache (libc, once) under `directory`."""

    def __init__(self, directory: Path, *, local_chain: bool) -> None:
        self._directory = directory
        self._local_chain = local_chain
        self._sweep()

    async def compile(self, source: GitHub, into: Path) -> Compiled:
        """See `oracle.ports.CompileSource`."""
        if source.build_target is not BuildTarget.WASIP1:
            raise BuildFailed(f"This worker builds for {BuildTarget.WASIP1.value} only; ask for that build_target.")
        if not has_ziglang():
            raise BuildFailed("This worker has no C compiler; its operator can add one with: pip install near-compute-oracle[build]")
        checkout = checked_source(source.repo, source.commit, local_chain=self._local_chain)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=self._directory, prefix=_UNFINISHED))
        try:
            code = work / "source"
            code.mkdir()
            await check_out(checkout, code)
            return await self._compile(code, work, into)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what killed builds left; not the youngest, which another process may be at."""
        for work in self._directory.glob(f"{_UNFINISHED}*"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - work.stat().st_mtime > _BUILT_LATELY_S:
                    shutil.rmtree(work, ignore_errors=True)

    async def _compile(self, code: Path, work: Path, into: Path) -> Compiled:
        if not (code / "main.c").is_file():
            raise BuildFailed(
                "The repository has no main.c at its root; that is the one shape this worker builds. Or give a WasmUrl instead."
            )
        built = work / _MODULE
        # -I: a ziglang.py in the repository must not be taken for the compiler
        command = [sys.executable, "-I", "-m", "ziglang", "cc", *_ARGUMENTS, "-o", str(built)]
        started_ns = time.monotonic_ns()
        finished = await run_program(command, cwd=code, environment=self._environment(work), bounds=BUILD_BOUNDS)
        elapsed_ms = (time.monotonic_ns() - started_ns) // 1_000_000
        if not finished.succeeded or not built.is_file():
            raise BuildFailed(_complaint(finished, work))
        shutil.move(built, into)  # they may lie on different file systems
        return Compiled(elapsed_ms, zig_toolchain())

    def _environment(self, work: Path) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "HOME": str(work),
            **_SAID_ENVIRONMENT,
            "TMPDIR": str(work),
            "ZIG_GLOBAL_CACHE_DIR": str(self._directory / "zig"),
            "ZIG_LOCAL_CACHE_DIR": str(work / "zig"),
        }


def _complaint(finished: Finished, work: Path) -> str:
    """What the compiler said, without this machine's paths; the first of it names the fault."""
    if finished.timed_out:
        return f"The compiler was stopped after {BUILD_BOUNDS.timeout_s:g} seconds."
    said = finished.output.replace(f"{work / 'source'}/", "").replace(f"{work}/", "").strip()
    first = said if len(said) <= MAX_COMPLAINT_CHARS else f"{said[:MAX_COMPLAINT_CHARS]} …"
    return f"The compiler refused main.c (exit code {finished.exit_code}): {first}"
