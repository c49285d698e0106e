"""Wasm to output and metrics, behind walls: `GuestPool` runs guests, each in a process of its own."""

from oracle.guest.engine import METERED, WASMTIME_VERSION
from oracle.guest.pool import GuestPool
from oracle.guest.wire import MAX_INPUT_BYTES, MAX_OUTPUT_BYTES, MAX_STDERR_BYTES, MAX_WASM_BYTES

__all__ = ["MAX_INPUT_BYTES", "MAX_OUTPUT_BYTES", "MAX_STDERR_BYTES", "MAX_WASM_BYTES", "METERED", "WASMTIME_VERSION", "GuestPool"]
