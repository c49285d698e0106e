"""
What was built of which source, and by what: a small index beside the modules.

An entry counts only under its HMAC, over its source and all that it says. The key is the installation's, or of this process alone: then
what other processes built is built anew, for what a disk tells of them is nothing that an attested worker can say in its own name.
"""

import hashlib
import hmac
import json
import re
import secrets
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from oracle.build.files import oldest_first, write_whole
from oracle.model import Toolchain

MAX_BUILDS_REMEMBERED = 20_000
MAX_ENTRY_BYTES = 4_096

_MAC_BYTES: Final = 32
_DOMAIN: Final = b"nco/build/v1\0"
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Built:
    """A module, and what built it."""

    wasm_sha256_hex: str
    toolchain: Toolchain


class BuildIndex:
    """Entries under `directory`, by source. `key`: 32 bytes; None makes one that ends with this process. Methods block on the disk."""

    def __init__(self, directory: Path, key: bytes | None) -> None:
        self._directory, self._key = directory, key or secrets.token_bytes(_MAC_BYTES)

    def find(self, source: str) -> Built | None:
        """What the source was built to; None where that is not known, or not by an entry that holds."""
        try:
            with self._path(source).open("rb") as file:
                mac, said = file.read(_MAC_BYTES), file.read(MAX_ENTRY_BYTES)
        except FileNotFoundError:
            return None
        if not hmac.compare_digest(mac, self._mac(source, said)):
            return None
        with suppress(ValueError, TypeError):
            wasm_sha256_hex, toolchain = json.loads(said)
            if _SHA256_HEX.fullmatch(wasm_sha256_hex):
                return Built(wasm_sha256_hex, Toolchain(*toolchain))
        return None

    def remember(self, source: str, built: Built) -> None:
        """Note what the source was built to; the oldest notes go when there are too many."""
        said = json.dumps([built.wasm_sha256_hex, astuple(built.toolchain)]).encode()
        write_whole(self._path(source), self._mac(source, said), said)
        entries = oldest_first(self._directory.iterdir())
        if len(entries) > MAX_BUILDS_REMEMBERED:
            for _, _, entry in entries[: len(entries) // 2]:
                entry.unlink(missing_ok=True)

    def _path(self, source: str) -> Path:
        return self._directory / hashlib.sha256(source.encode()).hexdigest()

    def _mac(self, source: str, said: bytes) -> bytes:
        return hmac.digest(self._key, _DOMAIN + hashlib.sha256(source.encode()).digest() + said, "sha256")
