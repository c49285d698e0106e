"""This machine: the settings file, the state directory, the disk, the engine, compilers."""

import difflib
import hashlib
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from oracle.build import has_ziglang
from oracle.cli.checks.check import Check, fail, ok, warn
from oracle.cli.interface import contract_of_worker
from oracle.errors import ConfigurationError, OracleError, StoreError
from oracle.guest import GuestPool
from oracle.guest.shipped import shipped_guest
from oracle.model import Limits
from oracle.ports import GuestRun
from oracle.settings import ENV_FILE, HomeSettings, RequesterSettings, Settings, names_in
from oracle.store import SqliteJobs
from oracle.wiring.home import prepare_home

_WASMTIME_VERSION = version("wasmtime")
_LEAST_FREE_BYTES = 100 * 1024**2
_GOOD_FREE_BYTES = 2 * 1024**3
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO


def check_env_file(directory: Path) -> Iterator[Check]:
    """Names that nothing reads are mostly misspelt; keys that others can read are no secrets."""
    path = directory / ENV_FILE
    if not os.path.lexists(path):
        yield ok("settings file", f"no {ENV_FILE} in {directory}; the environment alone counts")
        return
    known = {name.upper() for kind in (Settings, RequesterSettings) for name in kind.model_fields}
    try:
        names = [name for name in names_in(path) if name.upper() not in known]
        mode = stat.S_IMODE(path.stat().st_mode)
    except (OSError, UnicodeDecodeError):
        return  # reading the settings has said it
    for name in names:
        near = difflib.get_close_matches(name.upper(), known, n=1)
        yield warn(
            "settings file", f"{path}: nothing reads {name[:60]}", f"did you mean {near[0]}?" if near else "remove it, or see .env.example"
        )
    if mode & _OTHERS_MAY:
        yield warn("settings file", f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}")
    elif not names:
        yield ok("settings file", str(path))


def check_home(settings: HomeSettings) -> Iterator[Check]:
    """The state directory, and room on its disk."""
    home = settings.oracle_home
    existing = next(path for path in (home, *home.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield fail("state directory", f"{home}: {existing} cannot be written", "set ORACLE_HOME to a directory of your own")
        return
    if existing != home:
        yield ok("state directory", f"{home} (will be made at the first start)")
    elif (about := home.stat()).st_uid != os.geteuid():
        yield warn("state directory", f"{home} belongs to another user", "set ORACLE_HOME to a directory of your own")
    elif stat.S_IMODE(about.st_mode) & _OTHERS_MAY:
        yield warn("state directory", f"{home} is open to others (mode {stat.S_IMODE(about.st_mode):04o})", f"chmod 700 {home}")
    else:
        yield ok("state directory", str(home))
    free_bytes = shutil.disk_usage(existing).free
    room = f"{free_bytes / 1024**3:.1f} GiB free on the disk of {existing}"
    if free_bytes < _LEAST_FREE_BYTES:
        yield fail("disk", room, "make room; jobs and modules cannot be kept")
    elif free_bytes < _GOOD_FREE_BYTES:
        yield warn("disk", room, "make room; the module cache may take up to 4 GiB")
    else:
        yield ok("disk", room)


async def check_database(settings: HomeSettings) -> Check:
    """Whether the jobs can be read."""
    path = settings.database_path
    if not path.exists():
        return ok("database", f"{path} (will be made at the first start)")
    try:
        async with SqliteJobs(path, read_only=True) as store:
            counts, cursor = await store.counts(), await store.cursor()
    except (StoreError, ConfigurationError) as error:
        return fail("database", f"{path}: {error}", "restore it, or set DATABASE_URL to another place")
    jobs = ", ".join(f"{number} {stage}" for stage, number in sorted(counts.items()) if number) or "no jobs"
    return ok("database", f"{path}: {jobs}; " + ("no block read yet" if cursor is None else f"read up to block {cursor.height}"))


async def check_engine(settings: HomeSettings) -> Check:
    """A guest that ships with the package, run as a request's would be."""
    path = shipped_guest("echo")
    run = GuestRun(path, hashlib.sha256(path.read_bytes()).hexdigest(), b"hello", (), Limits(10_000_000, 16, 10))
    try:
        prepare_home(settings.oracle_home)
        async with GuestPool(settings.oracle_home, concurrency=1) as pool:
            result = await pool.run(run)
    except (OracleError, OSError) as error:
        return fail("guests", f"wasmtime {_WASMTIME_VERSION}: {error}", "guests need Linux processes and ORACLE_HOME; see docs/guests.md")
    if result.output != b"hello":
        return fail("guests", f"wasmtime {_WASMTIME_VERSION} ran echo and got {result.output[:40]!r}", "install the package anew")
    return ok("guests", f"wasmtime {_WASMTIME_VERSION} ran echo: {result.metrics.instructions:,} instructions, {result.metrics.time_ms} ms")


def check_build(settings: Settings) -> Iterator[Check]:
    """What BUILD_BACKEND=none needs."""
    if settings.build_backend is None:
        yield ok("sources", "BUILD_BACKEND is not set: GitHub sources are answered with a failure")
        return
    if shutil.which("git") is None:
        yield fail("sources", "git is not installed", "install git, or leave BUILD_BACKEND unset")
    elif not has_ziglang():
        yield fail("sources", "the C compiler is not installed", "pip install near-compute-oracle[build], or leave BUILD_BACKEND unset")
    else:
        yield ok("sources", "git and ziglang are here; builds are not sandboxed (local chain only)")


async def check_listen(settings: Settings) -> Check:
    """Whether the worker's own interface can be served, or is, and to whom."""
    listen = settings.api_listen
    try:
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((listen.host, listen.port))
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        contract_id = await contract_of_worker(str(listen))
        if contract_id is None:
            return warn("interface", f"{listen}: {reason}", "set another API_LISTEN")
        if contract_id != settings.offchainvm_contract_id:
            return warn("interface", f"{listen} is the interface of a worker for {contract_id[:64]}", "set another API_LISTEN")
        return ok("interface", f"http://{listen}: a worker for {contract_id} runs there")
    if listen.host not in _LOOPBACK_HOSTS:
        return warn(
            "interface",
            f"{listen} can be reached by others, and has no password",
            "set API_LISTEN to 127.0.0.1:PORT, or put it behind a proxy",
        )
    return ok("interface", f"http://{listen}")
