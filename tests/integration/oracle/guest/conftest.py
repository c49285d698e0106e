"""A pool for each module of tests, and guests from text or from the package."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from wasmtime import wat2wasm

from oracle.guest import GuestPool
from oracle.guest.shipped import shipped_guest
from oracle.model import Limits
from oracle.ports import GuestRun


class Proc:
    """What the kernel says of processes; of one that is gone, nothing."""

    def read(self, pid: int, name: str) -> str:
        try:
            return Path(f"/proc/{pid}/{name}").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return ""

    def children(self, pid: int) -> list[int]:
        return [int(child) for child in self.read(pid, f"task/{pid}/children").split()]

    def lives(self, pid: int) -> bool:
        """Neither gone nor a zombie."""
        return self.read(pid, "stat").rpartition(")")[2].split()[:1] not in ([], ["Z"])

    def has_its_job(self, pid: int) -> bool:
        """With the job come the limits: 8 open files."""
        return self.limit(pid, "Max open files") == "8"

    def limit(self, pid: int, name: str) -> str:
        """The soft limit."""
        lines = [line for line in self.read(pid, "limits").splitlines() if line.startswith(name)]
        return lines[0][26:47].strip() if lines else ""

    def status(self, pid: int) -> dict[str, str]:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in self.read(pid, "status").splitlines())}

    def descriptors(self, pid: int) -> dict[int, str]:
        return {int(path.name): str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}

    def open_descriptors(self, pid: int) -> int:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())

    async def until(self, condition: Callable[[], object]) -> None:
        """Look until it holds; the test fails when it does not come true."""
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.001)


@pytest.fixture(scope="session")
def proc() -> Proc:
    return Proc()


SMALL = Limits(max_instructions=50_000_000, max_memory_mb=16, max_execution_seconds=30)


def guest_run(path: Path, **changes: Any) -> GuestRun:
    values = {"input_bytes": b"", "environment": (), "limits": SMALL, **changes}
    return GuestRun(wasm_path=path, wasm_sha256_hex=hashlib.sha256(path.read_bytes()).hexdigest(), **values)


@pytest.fixture(scope="session")
def shipped() -> Callable[..., GuestRun]:
    """A run of a shipped guest."""
    return lambda name, **changes: guest_run(shipped_guest(name), **changes)


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., GuestRun]:
    """A run of a guest given as text or as bytes."""

    def write(code: str | bytes, **changes: Any) -> GuestRun:
        content = bytes(wat2wasm(code)) if isinstance(code, str) else code
        path = tmp_path / f"{hashlib.sha256(content).hexdigest()}.wasm"
        path.write_bytes(content)
        return guest_run(path, **changes)

    return write


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return tmp_path_factory.mktemp("home")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(home: Path) -> AsyncIterator[GuestPool]:
    async with GuestPool(home, concurrency=2) as pool:
        yield pool
