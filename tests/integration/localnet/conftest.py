"""Chains behind HTTP for clients that others wrote, and those clients."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import wasmtime

from localnet import Chain, KeyPair
from localnet.server import ServerThread

CLIENTS = Path(__file__).parents[2] / "clients"
NEAR_VIEWS = CLIENTS / "near_views"
INSTALL_TIMEOUT_S = 300
BUILD_TIMEOUT_S = 2400


@dataclass(frozen=True)
class Served:
    """A fresh chain at a URL, and who holds its money."""

    rpc_url: str
    blocks_url: str
    root_id: str
    root_key: KeyPair


@pytest.fixture(scope="module")
def served():
    chain = Chain()
    with chain, ServerThread(chain) as server:
        yield Served(server.rpc_url, server.blocks_url, chain.root.account_id, chain.root.key)


@pytest.fixture(scope="session")
def greeter_wasm():
    """A small contract: `tell` keeps its arguments, `told` gives them back, `boom` panics."""
    return bytes(wasmtime.wat2wasm((CLIENTS / "greeter.wat").read_text()))


@pytest.fixture(scope="session")
def greeter_file(greeter_wasm, tmp_path_factory):
    path = tmp_path_factory.mktemp("contracts") / "greeter.wasm"
    path.write_bytes(greeter_wasm)
    return path


@pytest.fixture(scope="session")
def node_clients():
    """The directory with near-cli and near-api-js, installed from the lock file without running their scripts."""
    _need(shutil.which("node") is not None and shutil.which("npm") is not None, "node and npm are not installed")
    lock, done = CLIENTS / "package-lock.json", CLIENTS / "node_modules" / ".package-lock.json"
    with (CLIENTS / "package.json").open() as held:
        # Two runs of the tests may share the tree.
        fcntl.flock(held, fcntl.LOCK_EX)
        if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            installed = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
            _need(installed.returncode == 0, f"npm ci failed in tests/clients: {installed.stderr[-500:]}")
    return CLIENTS


def _need(condition, reason):
    if not condition:
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def near_views():
    """
    The program that judges by nearcore's own crates.

    It is built once into `${XDG_CACHE_HOME:-~/.cache}/near-compute-oracle/near-views`, from near-primitives, near-jsonrpc-primitives and
    near-indexer-primitives 0.38; that takes up to ten minutes.
    """
    target = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "near-compute-oracle" / "near-views"
    program, stamp = target / "debug" / "near-views", target / "source.sha256"
    files = [NEAR_VIEWS / "Cargo.toml", NEAR_VIEWS / "Cargo.lock", *sorted((NEAR_VIEWS / "src").rglob("*.rs"))]
    source = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    if program.exists() and stamp.exists() and stamp.read_text() == source:
        return program
    if shutil.which("cargo") is None:
        if os.environ.get("CI"):
            pytest.fail("cargo is missing: CI compares with nearcore's types")
        pytest.skip("cargo is missing; tests/unit/localnet/rpc holds the members of each answer")
    command = ["cargo", "build", "--locked", "--manifest-path", str(NEAR_VIEWS / "Cargo.toml"), "--target-dir", str(target)]
    subprocess.run(command, check=True, timeout=BUILD_TIMEOUT_S)
    stamp.write_text(source)
    return program
