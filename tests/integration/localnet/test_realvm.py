"""
The machine beside nearcore's own VM, live: suites with fresh random contracts, and the shipped contracts.

realvm is built once into `${XDG_CACHE_HOME:-~/.cache}/near-compute-oracle/realvm`; the first build takes 5 to 20 minutes.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from localnet.vm import Vm

pytestmark = pytest.mark.rust

TESTS = Path(__file__).parents[2]
REALVM = TESTS / "realvm"
CONTRACTS = TESTS.parent / "localnet" / "contracts"
CALLS = TESTS / "vectors" / "near_vm" / "contracts"
FRESH_SEEDS = range(5000, 5040)
BUILD_TIMEOUT_S = 2400
ACCOUNT = "vectors.near"
IN_CI = os.environ.get("CI") == "true"


def load(name: str, path: Path) -> ModuleType:
    """Import a file that lies in no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def source_hash() -> str:
    """What the program is built from; the build is repeated when it changes."""
    files = (REALVM / "Cargo.lock", REALVM / "Cargo.toml", REALVM / "src" / "main.rs")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


@pytest.fixture(scope="session")
def realvm() -> Path:
    target = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "near-compute-oracle" / "realvm"
    program, stamp = target / "release" / "realvm", target / "source.sha256"
    if program.exists() and stamp.exists() and stamp.read_text() == source_hash():
        return program
    if shutil.which("cargo") is None:
        if IN_CI:
            pytest.fail("cargo is missing: CI compares with nearcore's VM")
        pytest.skip("cargo is missing; the recorded answers in tests/vectors/near_vm were compared instead")
    if not IN_CI and "NEAR_VM_BUILD" not in os.environ:
        pytest.skip("nearcore's VM is not built yet, which takes up to 20 minutes: set NEAR_VM_BUILD=1 to build it once")
    command = ["cargo", "build", "--release", "--locked", "--manifest-path", str(REALVM / "Cargo.toml"), "--target-dir", str(target)]
    subprocess.run(command, check=True, timeout=BUILD_TIMEOUT_S)
    stamp.write_text(source_hash())
    return program


@pytest.fixture(scope="session")
def vm() -> Vm:
    return Vm()


def ask(realvm: Path, calls: list[dict[str, Any]], account: str = ACCOUNT) -> list[dict[str, Any]]:
    """realvm's answers."""
    done = subprocess.run([realvm, "--account", account], input=json.dumps(calls), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(realvm: Path, vm: Vm, calls: list[dict[str, Any]], account: str = ACCOUNT) -> list[str]:
    """What the two answer differently."""
    replay = load("replay", REALVM / "replay.py")
    differences: list[str] = replay.differences(ask(realvm, calls, account), replay.replay(vm, calls, account))
    return differences


@pytest.fixture(scope="session")
def suites() -> ModuleType:
    for name in ("host_imports", "host_cases", "module_cases", "random_cases"):
        load(name, TESTS / "vectors" / "near_vm" / f"{name}.py")
    return load("suites", TESTS / "vectors" / "near_vm" / "suites.py")


@pytest.mark.parametrize("name", ["ops", "host", "modules", "random"])
def test_every_recorded_call_ends_alike_in_both_machines(name: str, realvm: Path, vm: Vm, suites: ModuleType, tmp_path: Path) -> None:
    suite = next(each for each in suites.all_suites() if each.name == name)

    assert compare(realvm, vm, suite.write(tmp_path)) == []


def test_random_contracts_never_recorded_end_alike_in_both_machines(realvm: Path, vm: Vm, suites: ModuleType, tmp_path: Path) -> None:
    suite = suites.random_suite(FRESH_SEEDS, "fresh", lambda calls: ask(realvm, calls), tmp_path)

    assert compare(realvm, vm, suite.write(tmp_path)) == []


@pytest.mark.parametrize("calls_file", sorted(CALLS.glob("*.calls.json")), ids=lambda path: path.name.split(".")[0])
def test_every_call_of_a_shipped_contract_ends_alike_in_both_machines(calls_file: Path, realvm: Path, vm: Vm) -> None:
    name = calls_file.name.split(".")[0]
    wasm = CONTRACTS / f"{name}.wasm"
    calls = [{**call, "wasm": str(wasm)} for call in json.loads(calls_file.read_text())]

    assert compare(realvm, vm, calls, f"{name.replace('_', '-')}.near") == []
