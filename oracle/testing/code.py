"""The twin of `oracle.build`: sources that are there at once, later, or never."""

from dataclasses import dataclass, field
from pathlib import Path

from oracle.errors import RequestError, SourceRefused
from oracle.model import Source, Toolchain, WasmUrl
from oracle.ports import Code

TOOLCHAIN = Toolchain("fake cc", "1.2.3", "wasm32-wasi", "-O2", "7c" * 32)


@dataclass(slots=True)
class FakeCode:
    """
    `ProvideCode` without network or compiler: a URL's wasm has the hash that is asked for, a repository's is its commit's.

    `refusals` says what is raised for a source, once for each error in its list; `asked` remembers every question.
    """

    refusals: dict[Source, list[RequestError]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    """Hashes that the cache has forgotten."""
    asked: list[Source] = field(default_factory=list)
    cached: set[str] = field(default_factory=set)

    async def get(self, source: Source, *, force_rebuild: bool = False) -> Code:
        """See `ProvideCode`."""
        self.asked.append(source)
        if self.refusals.get(source):
            raise self.refusals[source].pop(0)
        sha256_hex = source.sha256_hex if isinstance(source, WasmUrl) else source.commit.ljust(64, "0")[:64]
        if len(sha256_hex) != 64:
            raise SourceRefused("The hash of the code must be 64 hex digits.")
        self.cached.add(sha256_hex)
        self.missing.discard(sha256_hex)
        if isinstance(source, WasmUrl):
            return Code(sha256_hex, _path(sha256_hex))
        return Code(sha256_hex, _path(sha256_hex), 7, toolchain=TOOLCHAIN)

    def path_of(self, wasm_sha256_hex: str) -> Path | None:
        """See `ProvideCode`."""
        if len(wasm_sha256_hex) != 64:
            raise ValueError(f"not a sha256 in hex: {wasm_sha256_hex!r}")
        known = wasm_sha256_hex in self.cached and wasm_sha256_hex not in self.missing
        return _path(wasm_sha256_hex) if known else None


def _path(sha256_hex: str) -> Path:
    return Path("/artifacts") / f"{sha256_hex}.wasm"
