"""
The few calls into wasmtime's C interface that every contract call makes.

wasmtime-py's own classes look up all exports and convert each value: 0.7 ms a call where these take 0.02. Everything here
goes through the same wheel's `wasmtime._ffi`, whose version is pinned.
"""

# ruff: noqa: SLF001 - wasmtime-py keeps the way to its C handles private

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import wasmtime
from wasmtime import _ffi as ffi

RawHostFunction = Callable[[int | None, int | None, int, int], int]
"""(environment, caller, address of arguments and results, their number) -> trap, 0 for none."""

_HOST_PROTOTYPE: Final = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
_NO_FINALIZER: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(0)
_I64_KIND = 1
_VALUE_TYPES: Final = {"i": wasmtime.ValType.i32, "I": wasmtime.ValType.i64}


class EngineRefused(Exception):
    """wasmtime would not instantiate a module: `message` says why, `trap_code` is set when a data segment trapped."""

    def __init__(self, message: str, trap_code: wasmtime.TrapCode | None) -> None:
        super().__init__(message)
        self.message, self.trap_code = message, trap_code


def function_type(params: str, results: str) -> wasmtime.FuncType:
    """A type of "i" (i32) and "I" (i64) letters."""
    return wasmtime.FuncType([_VALUE_TYPES[kind]() for kind in params], [_VALUE_TYPES[kind]() for kind in results])


def define(linker: wasmtime.Linker, name: str, kind: wasmtime.FuncType, function: RawHostFunction) -> Any:
    """
    Define `env.NAME` without wasmtime-py's conversions.

    Returns:
        What must be kept alive as long as the linker.
    """
    callback = _HOST_PROTOTYPE(function)
    raw = name.encode()
    error = ffi.wasmtime_linker_define_func_unchecked(
        linker.ptr(),
        ctypes.create_string_buffer(b"env"),
        3,
        ctypes.create_string_buffer(raw),
        len(raw),
        kind.ptr(),
        ctypes.cast(callback, ffi.wasmtime_func_unchecked_callback_t),
        None,
        _NO_FINALIZER,
    )
    if _is_set(error):
        raise wasmtime.WasmtimeError._from_ptr(error)
    return callback


def new_trap() -> int:
    """A trap for a host function to return; the caller of wasm learns the reason elsewhere."""
    message = b"host"
    return ctypes.cast(ffi.wasmtime_trap_new(ctypes.create_string_buffer(message), len(message)), ctypes.c_void_p).value or 0


def _take_trap(pointer: Any) -> wasmtime.TrapCode | None:
    trap = wasmtime.Trap._from_ptr(pointer)
    return trap.trap_code


def _is_set(pointer: Any) -> bool:
    return bool(pointer)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of wasm ended: by itself, by a trap of its own (with a code), or by a host function's (with a message)."""

    is_normal: bool
    trap_code: wasmtime.TrapCode | None = None
    message: str | None = None


class RawInstance:
    """An instance in its store, with the exports the machine needs."""

    __slots__ = ("_context", "_gas", "_instance", "_stack", "_store", "address")

    def __init__(self, engine: wasmtime.Engine, pre: wasmtime.InstancePre, table_elements: int) -> None:
        """
        Instantiate; no wasm runs yet.

        Raises:
            EngineRefused: a segment does not fit, or the engine has no room.
        """
        self._store = wasmtime.Store(engine)
        self._store.set_limits(table_elements=table_elements)
        self._context = self._store._context()
        self._instance = ffi.wasmtime_instance_t()
        trap = ctypes.POINTER(ffi.wasm_trap_t)()
        error = ffi.wasmtime_instance_pre_instantiate(pre.ptr(), self._context, ctypes.byref(self._instance), ctypes.byref(trap))
        if _is_set(trap):
            raise EngineRefused("trap in a segment", _take_trap(trap))
        if _is_set(error):
            raise EngineRefused(str(wasmtime.WasmtimeError._from_ptr(error)), None)
        memory = self._export(b"memory").of.memory
        self.address = ctypes.cast(ffi.wasmtime_memory_data(self._context, ctypes.byref(memory)), ctypes.c_void_p).value or 0
        self._gas, self._stack = self._export(b"gas").of.global_, self._export(b"stack").of.global_

    def _export(self, name: bytes) -> Any:
        item = ffi.wasmtime_extern_t()
        if not ffi.wasmtime_instance_export_get(
            self._context, ctypes.byref(self._instance), ctypes.create_string_buffer(name), len(name), ctypes.byref(item)
        ):
            raise KeyError(name)
        return item

    @property
    def gas(self) -> int:
        """What wasm may still burn; negative after it ran out."""
        return self._read(self._gas)

    @gas.setter
    def gas(self, remaining: int) -> None:
        value = ffi.wasmtime_val_t()
        value.kind = ffi.wasmtime_valkind_t(_I64_KIND)
        value.of.i64 = remaining
        ffi.wasmtime_global_set(self._context, ctypes.byref(self._gas), ctypes.byref(value))

    @property
    def stack(self) -> int:
        """What is left of the modelled stack; negative after an overflow."""
        return self._read(self._stack)

    def _read(self, variable: Any) -> int:
        value = ffi.wasmtime_val_t()
        ffi.wasmtime_global_get(self._context, ctypes.byref(variable), ctypes.byref(value))
        return int(value.of.i64)

    def call(self, export: str) -> "Ended":
        """Run an exported function without parameters and results."""
        function = self._export(export.encode()).of.func
        trap = ctypes.POINTER(ffi.wasm_trap_t)()
        error = ffi.wasmtime_func_call_unchecked(self._context, ctypes.byref(function), None, 0, ctypes.byref(trap))
        if _is_set(trap):
            return Ended(is_normal=False, trap_code=_take_trap(trap))
        if _is_set(error):
            return Ended(is_normal=False, message=str(wasmtime.WasmtimeError._from_ptr(error)))
        return Ended(is_normal=True)

    def close(self) -> None:
        """Give the memory back at once."""
        self._store.close()
