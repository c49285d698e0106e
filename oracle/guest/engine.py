"""
The engine settings every guest runs under: the only such table.

Fuel is what is billed, so whatever moves it is settled here and told by a digest. A change of any line changes the digest, and with it
every cached piece of native code and every receipt.
"""

import hashlib
import json
import platform
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

from wasmtime import Config, Engine

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Each field is an attribute of `wasmtime.Config` of the same name."""

    consume_fuel: bool = True
    epoch_interruption: bool = False
    """Costs 1.1 to 1.7 times by kernel; the parent's kill does what it would do."""
    memory_init_cow: bool = False
    """With it data segments are free of fuel on one platform and not on another."""
    cranelift_nan_canonicalization: bool = False
    """Costs 6.7 times on float kernels; NaN bits are then the same within one CPU architecture."""
    cranelift_opt_level: str = "speed"
    strategy: str = "cranelift"
    max_wasm_stack: int = 1 * MIB
    memory_reservation: int = 4096 * MIB
    """Address space for a whole 32-bit memory: loads and stores then need no bounds checks."""
    memory_guard_size: int = 32 * MIB
    memory_may_move: bool = False
    signals_based_traps: bool = True
    native_unwind_info: bool = True
    """Needed for the function names in the report of a trap."""
    shared_memory: bool = False
    gc_support: bool = False
    wasm_bulk_memory: bool = True
    wasm_multi_value: bool = True
    wasm_reference_types: bool = True
    wasm_simd: bool = True
    wasm_relaxed_simd: bool = True
    wasm_relaxed_simd_deterministic: bool = True
    wasm_tail_call: bool = True
    wasm_threads: bool = False
    wasm_memory64: bool = False
    wasm_multi_memory: bool = False
    wasm_component_model: bool = False
    wasm_exceptions: bool = False
    wasm_function_references: bool = False
    wasm_gc: bool = False
    wasm_wide_arithmetic: bool = False
    wasm_custom_page_sizes: bool = False
    wasm_stack_switching: bool = False

    def config(self) -> Config:
        """A fresh wasmtime configuration; an engine consumes it."""
        config = Config()
        for field in fields(self):
            setattr(config, field.name, getattr(self, field.name))
        return config

    @property
    def sha256_hex(self) -> str:
        """Digest of wasmtime's version and of every line of the table."""
        table = {"wasmtime": wasmtime_version(), **asdict(self)}
        return hashlib.sha256(json.dumps(table, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


METERED = EngineSettings()
"""What guests run under."""


def new_engine(settings: EngineSettings = METERED) -> Engine:
    """Make an engine; never before a fork, for what it holds does not survive one."""
    return Engine(settings.config())


@cache
def wasmtime_version() -> str:
    """Of the installed package; it sets the price of each instruction in fuel."""
    from importlib.metadata import version  # noqa: PLC0415 - slow to load, and no process of a guest needs it

    return version("wasmtime")


@cache
def cpu_sha256_hex() -> str:
    """
    Digest of the CPU's architecture and features: native code made for one set may not run on another.

    Source: the `flags` (x86) or `Features` (arm) line of /proc/cpuinfo; without either the machine's name has to do, and wasmtime itself
    refuses code whose features it does not find.
    """
    features = ""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in {"flags", "Features"}:
                features = " ".join(sorted(value.split()))
                break
    except OSError:
        features = platform.processor()
    return hashlib.sha256(f"{platform.machine()}\n{features}".encode()).hexdigest()
