"""What the machine's tests share: one machine, small contracts written as text, and the recorded suites."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import wasmtime

from localnet.vm import CallContext, Vm, VmOutcome

TESTS = Path(__file__).parents[3]


def load(name: str, path: Path) -> ModuleType:
    """Import a file that lies in no package."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


for _name in ("host_imports", "host_cases", "module_cases", "random_cases", "suites"):
    load(_name, TESTS / "vectors" / "near_vm" / f"{_name}.py")
load("replay", TESTS / "realvm" / "replay.py")


class Empty:
    """An account without storage and yields."""

    def __init__(self, storage: dict[bytes, bytes] | None = None) -> None:
        self.storage = storage or {}

    def storage_get(self, key: bytes) -> bytes | None:
        return self.storage.get(key)

    def yield_exists(self, data_id: bytes) -> bool:
        return False


def context(**changes: object) -> CallContext:
    """A call of alice's, with changes."""
    facts: dict[str, object] = {
        "current_account_id": "contract.near",
        "signer_account_id": "alice.near",
        "signer_public_key": bytes(33),
        "predecessor_account_id": "alice.near",
        "refund_to_account_id": "alice.near",
        "input": b"",
        "promise_results": (),
        "block_height": 100,
        "block_timestamp_ns": 1_750_000_000_000_000_000,
        "epoch_height": 1,
        "account_balance_yocto": 10**26,
        "account_locked_yocto": 0,
        "storage_usage_bytes": 1000,
        "attached_deposit_yocto": 0,
        "prepaid_gas": 300 * 10**12,
        "random_seed": bytes(32),
        "action_hash": bytes(32),
        "chain_id": "localnet",
        "output_data_receivers": (),
        "is_view": False,
    }
    return CallContext(**{**facts, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def vm() -> Vm:
    return Vm()


@pytest.fixture
def make_context() -> Callable[..., CallContext]:
    return context


@pytest.fixture
def run(vm: Vm) -> Callable[..., VmOutcome]:
    """Assemble a contract and call it."""

    def call(text: str, method: str = "main", storage: dict[bytes, bytes] | None = None, **changes: object) -> VmOutcome:
        return vm.run(bytes(wasmtime.wat2wasm(text)), method, context(**changes), Empty(storage))

    return call
