"""
The engine's settings: one engine for validation with a node's features, one to run metered modules.

Instances come from a pool: their memory is mapped once and reset by the kernel (copy on write), which makes a call of a
contract of 700 KB several times faster than mapping 4 GiB anew for each.
"""

from typing import Final

import wasmtime
from wasmtime import _ffi as ffi

from localnet.parameters import Limits
from localnet.vm.errors import CompilationFailed

WASM_PAGE: Final = 65_536
NATIVE_STACK_BYTES: Final = 4 << 20
"""For 4,096 frames at most (the modelled stack / 64 bytes); Linux gives the main thread and Python's threads 8 MiB."""

INSTANCES: Final = 16
_INSTANCE_BYTES = 1 << 20

SETTINGS: Final = "cranelift none, nan-canonicalization, cow, pooling"
"""Part of the key under which compiled code is kept."""


def validating_engine() -> wasmtime.Engine:
    """Accepts what a node accepts, but for extended constants, which `wasm.module` refuses."""
    config = wasmtime.Config()
    config.wasm_multi_value = False
    config.wasm_simd = False
    config.wasm_relaxed_simd = False
    config.wasm_threads = False
    config.wasm_tail_call = False
    config.wasm_multi_memory = False
    config.wasm_memory64 = False
    config.wasm_function_references = False
    config.wasm_gc = False
    config.wasm_exceptions = False
    config.wasm_wide_arithmetic = False
    config.wasm_custom_page_sizes = False
    config.wasm_stack_switching = False
    config.gc_support = False
    return wasmtime.Engine(config)


def check_valid(engine: wasmtime.Engine, code: bytes) -> None:
    """
    Validate a module.

    Raises:
        CompilationFailed: it is none, or uses what NEAR has not.
    """
    try:
        wasmtime.Module.validate(engine, code)
    except wasmtime.WasmtimeError as error:
        raise CompilationFailed("Deserialization", str(error).splitlines()[0]) from error


def running_engine(limits: Limits) -> wasmtime.Engine:
    """Runs what `wasm.rewrite` wrote."""
    config = wasmtime.Config()
    config.cranelift_opt_level = "none"  # compiles in half the time; loops run 1.0 to 1.3 x as long
    config.cranelift_nan_canonicalization = True
    config.memory_init_cow = True
    ffi.wasmtime_config_async_stack_size_set(config.ptr(), 2 * NATIVE_STACK_BYTES)  # unused, but must be larger
    config.max_wasm_stack = NATIVE_STACK_BYTES
    config.memory_may_move = False
    config.gc_support = False
    memory_bytes = limits.max_memory_pages * WASM_PAGE
    pool = ffi.wasmtime_pooling_allocation_config_new()
    try:
        ffi.wasmtime_pooling_allocation_config_total_core_instances_set(pool, INSTANCES)
        ffi.wasmtime_pooling_allocation_config_total_memories_set(pool, INSTANCES)
        ffi.wasmtime_pooling_allocation_config_total_tables_set(pool, INSTANCES)
        ffi.wasmtime_pooling_allocation_config_max_memory_size_set(pool, memory_bytes)
        ffi.wasmtime_pooling_allocation_config_table_elements_set(pool, limits.max_elements_per_contract_table)
        ffi.wasmtime_pooling_allocation_config_max_core_instance_size_set(pool, _INSTANCE_BYTES)
        ffi.wasmtime_pooling_allocation_strategy_set(config.ptr(), pool)
    finally:
        ffi.wasmtime_pooling_allocation_config_delete(pool)
    return wasmtime.Engine(config)
