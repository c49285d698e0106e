"""
Host functions as wasm calls them.

A trampoline (`wasm.rewrite`) appends to each call the gas that remains and the memory's size in pages, and takes the gas
that remains afterwards as the last result.
"""

import ctypes
import struct
from typing import Any, Final

import wasmtime

from localnet.parameters import HostCosts
from localnet.vm import native
from localnet.vm.engine import WASM_PAGE
from localnet.vm.errors import prohibited_in_view
from localnet.vm.host import TABLE, HostCall, HostFunction

_VALUE_BYTES: Final = 16
"""Each argument and result lies in a cell of that size."""

_CELLS: Final = {"i": "I12x", "I": "Q8x"}


class Host:
    """A linker with all host functions, and the call they work for."""

    def __init__(self, engine: wasmtime.Engine, costs: HostCosts) -> None:
        self.linker = wasmtime.Linker(engine)
        self.call: HostCall | None = None
        self._kept_alive: list[Any] = []
        for function in TABLE.values():
            kind = native.function_type(function.params + "Ii", function.result + "I")
            callback = self._callback(function, costs)
            self._kept_alive.append(native.define(self.linker, function.name, kind, callback))

    def _callback(self, function: HostFunction, costs: HostCosts) -> native.RawHostFunction:
        unpack = struct.Struct("<" + "".join(_CELLS[kind] for kind in function.params) + "q8xI12x").unpack
        arguments_bytes = (len(function.params) + 2) * _VALUE_BYTES
        pack = struct.Struct("<" + (_CELLS[function.result] if function.result else "") + "q").pack
        results_bytes = _VALUE_BYTES + 8 if function.result else 8
        charges = tuple(getattr(costs, name) for name in function.charges)
        refused, body, has_result = function.prohibited_in_view, function.body, bool(function.result)
        string_at, memmove = ctypes.string_at, ctypes.memmove

        def enter(call: HostCall, remaining: int, pages: int) -> None:
            call.gas.burnt = call.gas.limit - remaining
            call.memory.size = pages * WASM_PAGE
            for charge in charges:
                call.gas.burn(charge)
            if refused is not None and call.context.is_view:
                raise prohibited_in_view(refused)

        def callback(_environment: int | None, _caller: int | None, cells: int, _count: int) -> int:
            call = self.call
            if call is None:
                return native.new_trap()
            try:
                *arguments, remaining, pages = unpack(string_at(cells, arguments_bytes))
                enter(call, remaining, pages)
                result = body(call, *arguments)
                remaining = call.gas.limit - call.gas.burnt
                memmove(cells, pack(result, remaining) if has_result else pack(remaining), results_bytes)
            except BaseException as failure:  # noqa: BLE001 - nothing may unwind through wasm; the machine raises it behind it
                call.failure = failure
                return native.new_trap()
            return 0

        return callback
