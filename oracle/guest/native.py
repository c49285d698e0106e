"""
Native code on disk and in memory: made once for each module, engine and CPU, and loaded only if this installation made it.

Native code is run without further checks, so each entry stands under an HMAC with the installation's key, over its name and its bytes. Once
checked it is kept in a sealed memory file, which is what processes get.
"""

import fcntl
import hashlib
import hmac
import os
import secrets
import tempfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Final

from oracle.errors import ConfigurationError
from oracle.guest.engine import METERED, cpu_sha256_hex
from oracle.guest.wasi import SIGNATURES
from oracle.guest.wire import MAX_NATIVE_BYTES

MIB = 1024 * 1024
KEY_BYTES: Final = 32
MAC_BYTES: Final = 32
MAX_DISK_BYTES: Final = 1024 * MIB
MAX_MEMORY_BYTES: Final = 64 * MIB
_DOMAIN: Final = b"nco/native/v1\0"
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class NativeCache:
    """
    Entries by the sha256 of the wasm. The memory side belongs to one thread; reading and writing the disk may be done in others.

    Making one raises ConfigurationError where the home cannot be used.
    """

    def __init__(self, home: Path, *, max_disk_bytes: int = MAX_DISK_BYTES, max_memory_bytes: int = MAX_MEMORY_BYTES) -> None:
        self._directory = home / "cache" / "native"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._key = key_of_installation(home / "keys" / "native-cache.key")
        except OSError as error:
            where = error.filename or home
            problem = f"ORACLE_HOME={home}: {where} cannot be used ({error.strerror}); set it to a directory of your own"
            raise ConfigurationError((problem,)) from error
        self._max_disk_bytes, self._max_memory_bytes = max_disk_bytes, max_memory_bytes
        self._in_memory: OrderedDict[str, tuple[int, int]] = OrderedDict()  # wasm sha256 -> descriptor, size; least recently used first
        self._made_for = "\0".join((METERED.sha256_hex, cpu_sha256_hex(), repr(SIGNATURES))).encode()

    def close(self) -> None:
        """Give back the memory."""
        while self._in_memory:
            os.close(self._in_memory.popitem()[1][0])

    def path_of(self, wasm_sha256_hex: str) -> Path:
        """Where the entry lies, or would."""
        return self._directory / f"{self._name_of(wasm_sha256_hex)}.native"

    def in_memory(self, wasm_sha256_hex: str) -> int | None:
        """A descriptor of the caller's own, if the code is at hand; never touches the disk."""
        entry = self._in_memory.get(wasm_sha256_hex)
        if entry is None:
            return None
        self._in_memory.move_to_end(wasm_sha256_hex)
        return os.dup(entry[0])

    def read(self, wasm_sha256_hex: str) -> bytes | None:
        """From disk; None where there is no entry, or none that holds. May be called in any thread."""
        path = self.path_of(wasm_sha256_hex)
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size > MAC_BYTES + MAX_NATIVE_BYTES:
                    return None
                mac, native = file.read(MAC_BYTES), file.read()
        except OSError:
            return None
        if not native or not hmac.compare_digest(mac, self._mac(wasm_sha256_hex, native)):
            return None
        with suppress(OSError):
            os.utime(path)
        return native

    def write(self, wasm_sha256_hex: str, native: bytes) -> None:
        """
        To disk. May be called in any thread.

        A disk that will not take it costs only the next start another compilation.
        """
        with suppress(OSError):
            self._replace(self.path_of(wasm_sha256_hex), self._mac(wasm_sha256_hex, native), native)
            self._evict()

    def keep(self, wasm_sha256_hex: str, native: bytes) -> int:
        """Into memory; returns a descriptor of the caller's own."""
        fd = memory_file(native)
        try:
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
            own = os.dup(fd)
        except OSError:
            os.close(fd)
            raise
        if (old := self._in_memory.pop(wasm_sha256_hex, None)) is not None:
            os.close(old[0])
        self._in_memory[wasm_sha256_hex] = (fd, len(native))
        while len(self._in_memory) > 1 and sum(size for _, size in self._in_memory.values()) > self._max_memory_bytes:
            os.close(self._in_memory.popitem(last=False)[1][0])
        return own

    def _name_of(self, wasm_sha256_hex: str) -> str:
        return hashlib.sha256(wasm_sha256_hex.encode() + b"\0" + self._made_for).hexdigest()

    def _mac(self, wasm_sha256_hex: str, native: bytes) -> bytes:
        mac = hmac.new(self._key, _DOMAIN + self._name_of(wasm_sha256_hex).encode(), hashlib.sha256)
        mac.update(native)
        return mac.digest()

    def _replace(self, path: Path, *contents: bytes) -> None:
        fd, name = tempfile.mkstemp(dir=self._directory, prefix="new-")  # mode 0600
        try:
            with os.fdopen(fd, "wb") as file:
                file.writelines(contents)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def _evict(self) -> None:
        entries = sorted((file.stat().st_mtime_ns, file.stat().st_size, file.path) for file in os.scandir(self._directory))
        total = sum(size for _, size, _ in entries)
        for _, size, path in entries[:-1]:
            if total <= self._max_disk_bytes:
                return
            Path(path).unlink(missing_ok=True)
            total -= size


def memory_file(content: bytes = b"") -> int:
    """A descriptor of a file that has no name and may be sealed; the caller's to close."""
    fd = os.memfd_create("guest", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(fd, view) :]
    except OSError:
        os.close(fd)
        raise
    return fd


def key_of_installation(path: Path) -> bytes:
    """
    Read a key of 32 bytes, or make it. One that others may read, or of another length, is replaced: what stands under it is then made anew.

    Two processes may start at once: the key is linked into place whole, and the first link wins.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        status = path.stat()
        if status.st_mode & 0o077 == 0 and status.st_size == KEY_BYTES:
            return path.read_bytes()
        path.unlink(missing_ok=True)
    fd, name = tempfile.mkstemp(dir=path.parent, prefix="new-")  # mode 0600
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path.read_bytes()
