"""Code: from its source to the artifact cache."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from oracle.model import GitHub, Source, Toolchain


@dataclass(frozen=True, slots=True)
class Code:
    """Wasm in the artifact cache. `compile_time_ms`: None where it was there already; `toolchain`: None where it was not built here."""

    wasm_sha256_hex: str
    path: Path
    compile_time_ms: int | None = None
    note: str | None = None
    toolchain: Toolchain | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compilation that went well: the milliseconds between source and wasm, and what did it."""

    time_ms: int
    toolchain: Toolchain


class ProvideCode(Protocol):
    """Source to wasm: fetched or built, verified and cached."""

    async def get(self, source: Source, *, force_rebuild: bool = False) -> Code:
        """
        Make the wasm of a source available.

        Raises:
            SourceRefused, SourceUnavailable, BuildFailed
        """
        ...

    def path_of(self, wasm_sha256_hex: str) -> Path | None:
        """Where a module lies that was provided before; None when the cache has it no more."""
        ...


class CompileSource(Protocol):
    """A repository to wasm."""

    async def compile(self, source: GitHub, into: Path) -> Compiled:
        """
        Write the module to `into`.

        Raises:
            SourceRefused, SourceUnavailable, BuildFailed
        """
        ...


class FetchBytes(Protocol):
    """HTTP out, with addresses, sizes and times bounded."""

    async def fetch(self, url: str, *, max_bytes: int) -> bytes:
        """
        The body behind a URL.

        Raises:
            SourceRefused: the address is not allowed, or the body is too long or of the wrong kind.
            SourceUnavailable: nobody answered in time, or with an error status.
        """
        ...
