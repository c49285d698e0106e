"""Whether a module is one this worker can run, told in sentences for its author."""

from wasmtime import FuncType, MemoryType, Module

from oracle.guest.wasi import MODULE_NAME, SIGNATURES
from oracle.guest.wire import MAX_WASM_BYTES

WASM_MAGIC = b"\0asm"
MODULE_LAYER = b"\x01\x00\x00\x00"
COMPONENT_LAYER = 1
MAX_NAMED_IMPORTS = 5

_KINDS = {"i32": "i", "i64": "I"}
_OFFERED = dict(SIGNATURES)


def header_complaint(wasm: bytes) -> str | None:
    """What the size and the first eight bytes tell; None if they are a module's."""
    if len(wasm) > MAX_WASM_BYTES:
        return f"The code has {len(wasm)} bytes; a module may have at most {MAX_WASM_BYTES}. Strip it, or optimise it for size."
    if not wasm.startswith(WASM_MAGIC):
        kind = "an HTML page" if wasm.lstrip()[:15].lower().startswith((b"<!doctype", b"<html")) else "something else"
        return f"The code is not WebAssembly: it must begin with the bytes 00 61 73 6d, and this is {kind}."
    if len(wasm) < len(WASM_MAGIC) + len(MODULE_LAYER):
        return "The code is not WebAssembly: it ends within its header."
    if int.from_bytes(wasm[6:8], "little") == COMPONENT_LAYER:
        return "WASI P2 components are not run by this worker version; build for wasm32-wasip1."
    if wasm[4:8] != MODULE_LAYER:
        return f"The code is of WebAssembly version {int.from_bytes(wasm[4:8], 'little')}; this worker runs version 1."
    return None


def complaint(module: Module) -> str | None:
    """Why a compiled module cannot be run as a WASI P1 command; None if it can."""
    unknown = [f"{item.module}.{item.name or ''}" for item in module.imports if not _is_offered(item.module, item.name or "", item.type)]
    if unknown:
        more = f" and {len(unknown) - MAX_NAMED_IMPORTS} more" if len(unknown) > MAX_NAMED_IMPORTS else ""
        named = ", ".join("".join(c if c.isprintable() else "?" for c in name)[:100] for name in unknown[:MAX_NAMED_IMPORTS])
        return f"The module imports what this worker does not offer: {named}{more}. It offers {MODULE_NAME} as in WASI preview 1."
    exports = {export.name: export.type for export in module.exports}
    start = exports.get("_start")
    if not isinstance(start, FuncType):
        return "The module exports no function `_start`: build it as a command (a program with `main`), not as a library."
    if start.params or start.results:
        return "The module's `_start` takes or returns values; a command's does neither."
    if not isinstance(exports.get("memory"), MemoryType):
        return "The module exports no memory named `memory`, which WASI asks of every command."
    return None


def _is_offered(module: str, name: str, kind: object) -> bool:
    if module != MODULE_NAME or not isinstance(kind, FuncType):
        return False
    parameters = "".join(_KINDS.get(str(parameter), "?") for parameter in kind.params)
    results = [str(result) for result in kind.results]
    return _OFFERED.get(name) == parameters and results == ([] if name == "proc_exit" else ["i32"])
