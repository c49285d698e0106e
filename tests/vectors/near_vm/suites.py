"""The sets of calls that `localnet.vm` and nearcore's own VM must answer alike."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import host_cases
import module_cases
import random_cases
import wasmtime

HERE = Path(__file__).parent
RANDOM_SEEDS = range(1000, 1030)
Ask = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


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


def random_modules(seeds: range) -> dict[str, str]:
    """Random contracts of some seeds, by file name."""
    return {f"random{seed}.wasm": random_cases.Contract(seed).text() for seed in seeds}


def random_suite(seeds: range, name: str, ask: Ask, directory: Path) -> Suite:
    """
    Random contracts, called with plenty of gas and with a little less than that takes.

    Args:
        seeds: one contract each.
        name: of the suite.
        ask: tells what nearcore's VM answers to calls; the shortages follow from it.
        directory: for the modules meanwhile.
    """
    plenty = Suite(name, random_modules(seeds), [call for seed in seeds for call in random_cases.calls(seed)[:1]])
    answers = ask(plenty.write(directory))
    calls = [
        call
        for seed, answer in zip(seeds, answers, strict=True)
        for call in (*random_cases.calls(seed), *random_cases.starved(seed, answer["used_gas"]))
    ]
    return Suite(name, plenty.modules, calls)


def all_suites() -> list[Suite]:
    """Every recorded suite."""
    host = [{"wasm": "host.wasm", "current_account": "host.testnet", **call} for call in host_cases.calls()]
    ops = [{"wasm": "ops.wasm", **call} for call in json.loads((HERE / "ops.calls.json").read_text())]
    return [
        Suite("ops", {"ops.wasm": (HERE / "ops.wat").read_text()}, ops),
        Suite("host", {"host.wasm": host_cases.wat()}, host),
        Suite("modules", {f"{name}.wasm": text for name, text in module_cases.MODULES.items()}, module_cases.calls()),
        Suite("random", random_modules(RANDOM_SEEDS), json.loads((HERE / "random.calls.json").read_text())),
    ]
