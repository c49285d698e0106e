"""
The cache of modules: one file for each wasm, named by its sha256, and a small index from sources to modules.

Rules: a file appears whole or not at all; what is handed out was hashed by this process and has not changed since; a damaged file is thrown
away and counts as absent; the whole is bounded, and what was used longest ago goes first.
"""

import hashlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from oracle.build.builds import BuildIndex, Built
from oracle.build.files import UNFINISHED, oldest_first, write_whole

MAX_WASM_BYTES = 64 * 1024 * 1024
"""The largest module that is fetched, built or kept; the guest room compiles no larger one."""
MAX_CACHE_BYTES = 4 * 1024**3

_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_COPY_BYTES = 1024 * 1024
_MARKED_LATELY_NS = 60 * 10**9
_WRITTEN_LATELY_NS = 3_600 * 10**9


@dataclass(frozen=True, slots=True)
class _Identity:
    """A file as it was when it was hashed; any change shows in one of these."""

    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int


class ArtifactCache:
    """
    Modules under `directory`, by sha256. Methods block on the disk: asyncio callers use a thread.

    `build_key`: what notes of builds are kept under (`BuildIndex`); None believes those of this process alone.
    """

    def __init__(self, directory: Path, *, max_bytes: int = MAX_CACHE_BYTES, build_key: bytes | None = None) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._builds = BuildIndex(directory / "built", build_key)
        self._verified: dict[str, _Identity] = {}
        self._sweep()

    def get(self, sha256_hex: str) -> Path | None:
        """The module's path, verified; None when the cache does not have it."""
        path = self._path(sha256_hex)
        try:
            found = _identity(path)
            if self._verified.get(sha256_hex) != found:
                if _sha256_hex_of(path) != sha256_hex:
                    path.unlink(missing_ok=True)
                    return None
                self._verified[sha256_hex] = found
            self._mark_used(path, sha256_hex, found)
        except FileNotFoundError:
            return None
        return path

    def known(self, sha256_hex: str) -> Path | None:
        """The module's path when this process has verified it already; costs one look at the file, so it may be asked in the event loop."""
        verified = self._verified.get(sha256_hex)
        if verified is None:
            return None
        path = self._path(sha256_hex)
        try:
            found = _identity(path)
            if found != verified:
                return None
            self._mark_used(path, sha256_hex, found)
        except FileNotFoundError:
            return None
        return path

    def put(self, wasm: bytes) -> tuple[str, Path]:
        """Keep a module; returns its sha256 and path."""
        sha256_hex = hashlib.sha256(wasm).hexdigest()
        path = self._path(sha256_hex)
        write_whole(path, wasm)
        self._verified[sha256_hex] = _identity(path)
        self._evict(keep=path)
        return sha256_hex, path

    def built(self, source: str) -> Built | None:
        """Which module a source was built to earlier, and by what; None when unknown or no longer kept."""
        built = self._builds.find(source)
        return built if built is not None and self.get(built.wasm_sha256_hex) is not None else None

    def remember_built(self, source: str, built: Built) -> None:
        """Note which module a source was built to, and by what."""
        self._builds.remember(source, built)

    def _path(self, sha256_hex: str) -> Path:
        if not _SHA256_HEX.fullmatch(sha256_hex):
            raise ValueError(f"not a sha256 in lower-case hex: {sha256_hex[:80]!r}")
        return self._directory / f"{sha256_hex}.wasm"

    def _mark_used(self, path: Path, sha256_hex: str, found: _Identity) -> None:
        """Once in a while only: this lies on the road of every request."""
        if time.time_ns() - found.mtime_ns > _MARKED_LATELY_NS:
            os.utime(path)
            self._verified[sha256_hex] = _identity(path)

    def _evict(self, keep: Path) -> None:
        files = oldest_first(self._directory.glob("*.wasm"))
        total_bytes = sum(size_bytes for _, size_bytes, _ in files)
        for _, size_bytes, entry in files:
            if total_bytes <= self._max_bytes:
                return
            if entry != keep:
                total_bytes -= size_bytes
                entry.unlink(missing_ok=True)
                self._verified.pop(entry.stem, None)

    def _sweep(self) -> None:
        """Remove what a killed process was writing; not the youngest, which another process may be writing now."""
        for mtime_ns, _, half in oldest_first(self._directory.glob(f"**/{UNFINISHED}*")):
            if time.time_ns() - mtime_ns > _WRITTEN_LATELY_NS:
                half.unlink(missing_ok=True)


def _identity(path: Path) -> _Identity:
    about = path.stat()
    return _Identity(about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)


def _sha256_hex_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_COPY_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
