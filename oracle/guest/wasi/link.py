"""
Offers `Calls` to a wasm module.

wasmtime-py's own way to define a function converts each value through several objects; its C interface's unchecked form hands over the raw
values and is several times faster. The signatures are ours and fixed, so nothing is left to check.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from wasmtime import FuncType, Linker, Memory, Store, Trap, ValType, WasmtimeError, _ffi

from oracle.guest.wasi.calls import Calls
from oracle.guest.wasi.errno import Errno
from oracle.guest.wasi.memory import Fault, GuestMemory, TooManyBuffers
from oracle.guest.wasi.signatures import SIGNATURES
from oracle.guest.wasi.world import World

MODULE_NAME: Final = "wasi_snapshot_preview1"
_NO_RESULT: Final = "proc_exit"
_NO_FINALIZER = ctypes.cast(0, ctypes.CFUNCTYPE(None, ctypes.c_void_p))
_MASK = {"i": 0xFFFFFFFF, "I": 0xFFFFFFFFFFFFFFFF}


@cache
def _type(parameters: str, *, has_result: bool) -> FuncType:
    kinds = {"i": ValType.i32, "I": ValType.i64}
    return FuncType([kinds[kind]() for kind in parameters], [ValType.i32()] if has_result else [])


class Link:
    """
    One world's calls in one linker. Call `attach` when the memory exists; `stopped` tells why a guest was ended by a call.

    Making one needs no engine and takes most of the work, so that it can be done once, before a fork.
    """

    def __init__(self) -> None:
        self.stopped: BaseException | None = None
        self._calls: Calls | None = None
        # Kept here, for wasmtime keeps bare pointers to them.
        self._entries = [
            (
                name.encode(),
                _type(parameters, has_result=name != _NO_RESULT).ptr(),
                _ffi.wasmtime_func_unchecked_callback_t(self._entry(name, parameters)),
            )
            for name, parameters in SIGNATURES
        ]

    def define_all(self, linker: Linker) -> None:
        """Define every function; what they do is decided by `attach`, so that a linker can be made ahead of need."""
        module = MODULE_NAME.encode()
        for name, kind, entry in self._entries:
            error = _ffi.wasmtime_linker_define_func_unchecked(
                linker.ptr(), module, len(module), name, len(name), kind, entry, None, _NO_FINALIZER
            )
            if ctypes.cast(error, ctypes.c_void_p).value:
                raise WasmtimeError._from_ptr(error)  # noqa: SLF001 - the only way from the C interface's error to an exception

    def attach(self, world: World, store: Store, memory: Memory) -> None:
        """Let the calls work on this world and this memory from now on."""
        context, raw_memory = store._context(), ctypes.byref(memory._memory)  # noqa: SLF001 - no public way to an unchecked address

        def locate() -> tuple[int, int]:
            size = _ffi.wasmtime_memory_data_size(context, raw_memory)
            address = ctypes.cast(_ffi.wasmtime_memory_data(context, raw_memory), ctypes.c_void_p).value
            return address or 0, size

        self._calls = Calls(world, GuestMemory(locate))

    def detach(self) -> None:
        """Forget world and memory, and how they ended."""
        self._calls = self.stopped = None

    def _entry(self, name: str, parameters: str) -> Callable[[object, object, Any, int], int]:
        readers = tuple((index, "i32" if kind == "i" else "i64", _MASK[kind]) for index, kind in enumerate(parameters))
        has_result = name != _NO_RESULT

        def entry(_environment: object, _caller: object, values: Any, _count: int) -> int:
            try:
                arguments = [getattr(values[index], field) & mask for index, field, mask in readers]
                errno = self._answer(name, arguments)
                if has_result:
                    values[0].i32 = errno
            except BaseException as stop:  # noqa: BLE001 - nothing may travel through wasmtime's frames; `stopped` carries it past them
                self.stopped = stop
                trap = Trap("stopped by a call")._consume()  # noqa: SLF001 - the callback must give its ownership away
                return ctypes.cast(trap, ctypes.c_void_p).value or 0
            return 0

        return entry

    def _answer(self, name: str, arguments: list[int]) -> int:
        if self._calls is None:  # called by a `start` function, before the memory could be attached
            return Errno.NOTSUP
        try:
            return int(getattr(self._calls, name, self._calls.refuse)(*arguments))
        except Fault:
            return Errno.FAULT
        except TooManyBuffers:
            return Errno.INVAL
