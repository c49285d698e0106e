"""
Compiled contracts, kept in memory and, where a directory is given, on disk.

What lies on disk is native code that will be run: the directory belongs to this user alone (0700), entries are written
beside and moved into place, and an entry that is damaged, of another engine or of other settings is compiled anew.
"""

import json
import os
import stat
import struct
import tempfile
from collections import OrderedDict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import wasmtime

from localnet.parameters import Parameters
from localnet.vm.engine import SETTINGS
from localnet.vm.errors import CompilationFailed
from localnet.vm.prepare import Metered, PreparedContract, meter

_METER_VERSION: Final = 1
"""Rises when `localnet.vm.wasm` writes other code for the same contract."""

MOST_ENTRIES: Final = 64
"""A large contract takes 4 MB on disk."""

_HEADER: Final = struct.Struct("<I")


class CacheDirectoryError(Exception):
    """The cache directory cannot be used, or others could put native code into it."""


def default_cache_directory() -> Path:
    """`near-compute-oracle/compiled` in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "near-compute-oracle" / "compiled"


class CodeCache:
    """Prepares each code once. Not for several threads at the same time."""

    def __init__(
        self,
        parameters: Parameters,
        validator: wasmtime.Engine,
        linker: wasmtime.Linker,
        *,
        directory: Path | None = None,
        in_memory: int = 64,
    ) -> None:
        """
        Args:
            parameters: what the meter is built for.
            validator: says which code is valid.
            linker: host functions of the engine that will run the code.
            directory: where compiled code outlives the process.
            in_memory: how many contracts stay loaded.

        Raises:
            CacheDirectoryError: the directory is not this user's alone.
        """
        self._parameters, self._validator, self._linker = parameters, validator, linker
        self._directory, self._in_memory = directory, in_memory
        self._loaded: OrderedDict[bytes, PreparedContract] = OrderedDict()
        if directory is not None:
            _make_private(directory)

    def prepare(self, code: bytes, code_hash: bytes | None = None) -> PreparedContract:
        """Code ready to run; code that a node would refuse comes back with its failure."""
        key = code_hash if code_hash is not None else sha256(code).digest()
        contract = self._loaded.get(key)
        if contract is None:
            contract = self._load(key, len(code)) or self._compile(key, code)
            self._loaded[key] = contract
            if len(self._loaded) > self._in_memory:
                self._loaded.popitem(last=False)
        else:
            self._loaded.move_to_end(key)
        return contract

    def _compile(self, code_hash: bytes, code: bytes) -> PreparedContract:
        try:
            metered = meter(self._validator, code, self._parameters)
            module = None if metered.link_error else self._native(metered)
        except CompilationFailed as failure:
            return PreparedContract(code_hash, len(code), frozenset(), frozenset(), has_start=False, failure=failure, pre=None)
        self._store(code_hash, metered, module)
        return self._contract(code_hash, len(code), metered, module)

    def _native(self, metered: Metered) -> wasmtime.Module:
        try:
            return wasmtime.Module(self._linker.engine, metered.wasm)
        except wasmtime.WasmtimeError as error:
            raise CompilationFailed("Serialization", str(error).splitlines()[0]) from error

    def _contract(self, code_hash: bytes, size: int, metered: Metered, module: wasmtime.Module | None) -> PreparedContract:
        pre = None if module is None else self._linker.instantiate_pre(module)
        return PreparedContract(code_hash, size, metered.methods, metered.other_functions, metered.has_start, metered.link_error, pre)

    def _path(self, code_hash: bytes) -> Path | None:
        if self._directory is None:
            return None
        facts = (code_hash.hex(), version("wasmtime"), SETTINGS, _METER_VERSION, self._parameters.protocol_version)
        return self._directory / sha256(json.dumps(facts).encode()).hexdigest()

    def _store(self, code_hash: bytes, metered: Metered, module: wasmtime.Module | None) -> None:
        path = self._path(code_hash)
        if path is None or self._directory is None or module is None:
            return
        facts = {
            "methods": sorted(metered.methods),
            "other_functions": sorted(metered.other_functions),
            "has_start": metered.has_start,
        }
        text = json.dumps(facts).encode()
        body = _HEADER.pack(len(text)) + text + bytes(module.serialize())
        try:
            _write_whole(path, sha256(body).digest() + body)
            _prune(self._directory)
        except OSError:
            return  # a full or read-only disk makes the next process slower, nothing else

    def _load(self, code_hash: bytes, size: int) -> PreparedContract | None:
        path = self._path(code_hash)
        if path is None:
            return None
        try:
            entry = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        digest, body = entry[:32], entry[32:]
        if len(body) < _HEADER.size or sha256(body).digest() != digest:
            return None
        (length,) = _HEADER.unpack_from(body)
        facts: dict[str, Any] = json.loads(body[_HEADER.size : _HEADER.size + length])
        try:
            module = wasmtime.Module.deserialize(self._linker.engine, body[_HEADER.size + length :])
        except wasmtime.WasmtimeError:
            return None
        methods, others = frozenset(facts["methods"]), frozenset(facts["other_functions"])
        return self._contract(code_hash, size, Metered(b"", methods, others, facts["has_start"], None), module)


def _write_whole(path: Path, entry: bytes) -> None:
    """Write beside and move into place; what could not be written whole does not stay on a full disk."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        beside = Path(file.name)
        try:
            file.write(entry)
            file.flush()
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise


def _prune(directory: Path) -> None:
    """Remove what was used longest ago, and what a killed process left half-written."""
    entries = sorted(directory.iterdir(), key=lambda entry: entry.stat().st_mtime)
    for entry in entries[: max(0, len(entries) - MOST_ENTRIES)]:
        entry.unlink(missing_ok=True)


def _make_private(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = directory.stat()
    except OSError as error:
        raise CacheDirectoryError(
            f"{directory} cannot hold compiled code: {error.strerror}; set XDG_CACHE_HOME to another place"
        ) from error
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CacheDirectoryError(
            f"{directory} holds compiled code and must be writable by its owner alone: chmod 700 {directory}, as its owner"
        )
