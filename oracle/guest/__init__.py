"""Wasm to output and metrics, behind walls: `GuestPool` runs guests, each in a process of its own."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oracle.guest.engine import METERED, wasmtime_version
    from oracle.guest.pool import GuestPool
    from oracle.guest.shipped import shipped_guest, shipped_guests
    from oracle.guest.wire import MAX_INPUT_BYTES, MAX_OUTPUT_BYTES, MAX_STDERR_BYTES, MAX_WASM_BYTES

__all__ = [
    "MAX_INPUT_BYTES",
    "MAX_OUTPUT_BYTES",
    "MAX_STDERR_BYTES",
    "MAX_WASM_BYTES",
    "METERED",
    "GuestPool",
    "shipped_guest",
    "shipped_guests",
    "wasmtime_version",
]

_HOMES = {
    "METERED": "engine",
    "wasmtime_version": "engine",
    "GuestPool": "pool",
    "shipped_guest": "shipped",
    "shipped_guests": "shipped",
}


def __getattr__(name: str) -> object:
    # Loaded when asked for: a guest's process imports this package too, and what it does not load it does not copy at its fork.
    from importlib import import_module  # noqa: PLC0415

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'wire')}"), name)
