"""
The cache of modules: one file for each wasm, named by its sha256, and a small index from sources to modules.

Rules: a file appears whole or not at all; what is handed out was hashed by this process and has not changed since; a damaged file is thrown
away and counts as absent; the whole is bounded, and what was used longest ago goes first.
"""

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MAX_WASM_BYTES = 64 * 1024 * 1024
"""The largest module that is fetched, built or kept; the guest room compiles no larger one."""
MAX_CACHE_BYTES = 4 * 1024**3
MAX_BUILDS_REMEMBERED = 20_000

_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_COPY_BYTES = 1024 * 1024
_MARKED_LATELY_NS = 60 * 10**9
_WRITTEN_LATELY_NS = 3_600 * 10**9
_UNFINISHED = ".new-"


@dataclass(frozen=True, slots=True)
class _Identity:
    """A file as it was when it was hashed; any change shows in one of these."""

    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int


class ArtifactCache:
    """Modules under `directory`, by sha256. Methods block on the disk: asyncio callers use a thread."""

    def __init__(self, directory: Path, *, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
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
        _write_whole(path, wasm)
        self._verified[sha256_hex] = _identity(path)
        self._evict(keep=path)
        return sha256_hex, path

    def built(self, key: str) -> str | None:
        """Which module a source was built to earlier; None when unknown or no longer kept."""
        try:
            sha256_hex = self._index_path(key).read_text("ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        return sha256_hex if _SHA256_HEX.fullmatch(sha256_hex) and self.get(sha256_hex) is not None else None

    def remember_built(self, key: str, sha256_hex: str) -> None:
        """Note which module a source was built to."""
        _write_whole(self._index_path(key), sha256_hex.encode())
        self._forget_oldest_builds()

    def _path(self, sha256_hex: str) -> Path:
        if not _SHA256_HEX.fullmatch(sha256_hex):
            raise ValueError(f"not a sha256 in lower-case hex: {sha256_hex[:80]!r}")
        return self._directory / f"{sha256_hex}.wasm"

    def _index_path(self, key: str) -> Path:
        return self._directory / "built" / hashlib.sha256(key.encode()).hexdigest()

    def _mark_used(self, path: Path, sha256_hex: str, found: _Identity) -> None:
        """Once in a while only: this lies on the road of every request."""
        if time.time_ns() - found.mtime_ns > _MARKED_LATELY_NS:
            os.utime(path)
            self._verified[sha256_hex] = _identity(path)

    def _evict(self, keep: Path) -> None:
        files = _oldest_first(self._directory.glob("*.wasm"))
        total_bytes = sum(size_bytes for _, size_bytes, _ in files)
        for _, size_bytes, entry in files:
            if total_bytes <= self._max_bytes:
                return
            if entry != keep:
                total_bytes -= size_bytes
                entry.unlink(missing_ok=True)
                self._verified.pop(entry.stem, None)

    def _forget_oldest_builds(self) -> None:
        entries = _oldest_first((self._directory / "built").iterdir())
        if len(entries) > MAX_BUILDS_REMEMBERED:
            for _, _, entry in entries[: len(entries) // 2]:
                entry.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what a killed process was writing; not the youngest, which another process may be writing now."""
        for mtime_ns, _, half in _oldest_first(self._directory.glob(f"**/{_UNFINISHED}*")):
            if time.time_ns() - mtime_ns > _WRITTEN_LATELY_NS:
                half.unlink(missing_ok=True)


def _identity(path: Path) -> _Identity:
    about = path.stat()
    return _Identity(about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)


def _oldest_first(paths: Iterable[Path]) -> list[tuple[int, int, Path]]:
    """Time of last use in ns, size in bytes and path; without those that another thread or process takes away meanwhile."""
    found = []
    for path in paths:
        with suppress(FileNotFoundError):
            about = _identity(path)
            found.append((about.mtime_ns, about.size_bytes, path))
    return sorted(found)


def _sha256_hex_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_COPY_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _write_whole(path: Path, data: bytes) -> None:
    """Write beside, flush to the disk, then rename: a crash leaves the old file or the new one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
