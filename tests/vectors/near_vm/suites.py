"""The sets of calls that `localnet.vm` and nearcore's own VM must answer alike."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import host_cases
import module_cases
import random_cases
import wasmtime

HERE = Path(__file__).parent
RANDOM_SEEDS = range(1000, 1030)


@dataclass(frozen=True)
class Suite:
    """Modules by file name, as text, and calls of them in realvm's format (`wasm` is a file name)."""

    name: str
    modules: dict[str, str]
    calls: list[dict[str, Any]]

    @property
    def expected_file(self) -> Path:
        return HERE / f"{self.name}.expected.jsonl"

    def write(self, directory: Path) -> list[dict[str, Any]]:
        """Assemble the modules into a directory; gives the calls with full paths."""
        for name, text in self.modules.items():
            (directory / name).write_bytes(bytes(wasmtime.wat2wasm(text)))
        return [{**call, "wasm": str(directory / call["wasm"])} for call in self.calls]


def random_suite(seeds: range, name: str = "random") -> Suite:
    """Random contracts of some seeds."""
    modules = {f"random{seed}.wasm": random_cases.Contract(seed).text() for seed in seeds}
    return Suite(name, modules, [call for seed in seeds for call in random_cases.calls(seed)])


def all_suites() -> list[Suite]:
    """Every recorded suite."""
    host = [{"wasm": "host.wasm", "current_account": "host.testnet", **call} for call in host_cases.calls()]
    ops = [{"wasm": "ops.wasm", **call} for call in json.loads((HERE / "ops.calls.json").read_text())]
    return [
        Suite("ops", {"ops.wasm": (HERE / "ops.wat").read_text()}, ops),
        Suite("host", {"host.wasm": host_cases.wat()}, host),
        Suite("modules", {f"{name}.wasm": text for name, text in module_cases.MODULES.items()}, module_cases.calls()),
        random_suite(RANDOM_SEEDS),
    ]
