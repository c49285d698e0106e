"""From a contract's bytes to native code: validate, build the meter in, compile."""

from dataclasses import dataclass
from typing import Final

import wasmtime

from localnet.parameters import Parameters
from localnet.vm.engine import check_valid
from localnet.vm.errors import CompilationFailed, LinkError, MethodResolveError, VmError
from localnet.vm.host import TABLE
from localnet.vm.wasm.module import FunctionType, WasmModule, read_module
from localnet.vm.wasm.rewrite import Rewriter

_LETTERS: Final = {0x7F: "i", 0x7E: "I", 0x7D: "f", 0x7C: "F", 0x70: "r"}
_TYPE_NAMES: Final = {"i": "i32", "I": "i64", "f": "f32", "F": "f64", "r": "funcref"}


@dataclass(frozen=True, slots=True)
class PreparedContract:
    """Code that is ready to run, or the error that each call of it ends with."""

    code_hash: bytes
    code_bytes: int
    methods: frozenset[str]
    """Exported functions without parameters and results."""
    other_functions: frozenset[str]
    """Exported functions that are no methods."""
    has_start: bool
    failure: VmError | None
    pre: wasmtime.InstancePre | None

    def resolve(self, method: str) -> None:
        """
        Check that a method can be called.

        Raises:
            MethodResolveError: there is none of that name, or it has parameters.
        """
        if method not in self.methods:
            raise MethodResolveError("MethodInvalidSignature" if method in self.other_functions else "MethodNotFound")


@dataclass(frozen=True, slots=True)
class Metered:
    """A module with its meter, not compiled yet."""

    wasm: bytes
    methods: frozenset[str]
    other_functions: frozenset[str]
    has_start: bool
    link_error: LinkError | None


def meter(validator: wasmtime.Engine, code: bytes, parameters: Parameters) -> Metered:
    """
    Check a contract as a node does and build the meter in.

    Raises:
        CompilationFailed: a node would refuse it.
    """
    check_valid(validator, code)
    try:
        module = read_module(code, parameters.limits)
        wasm = Rewriter(module, parameters).run()
    except (IndexError, KeyError) as error:
        # Only code that wasmtime takes and the reader does not know gets here; it is refused, as by a node.
        raise CompilationFailed("Deserialization", f"{type(error).__name__} in the reader: {error}") from error
    methods = {name for name, index in module.exports.items() if module.function_type(index) == FunctionType(b"", b"")}
    return Metered(
        wasm,
        frozenset(methods),
        frozenset(module.exports.keys() - methods),
        module.start is not None,
        _link_error(module),
    )


def _link_error(module: WasmModule) -> LinkError | None:
    for index, imported in enumerate(module.imports):
        function = TABLE.get(imported.name)
        if function is None:
            return LinkError("unknown or invalid import")
        kind = module.function_type(index)
        found = (_letters(kind.params), _letters(kind.results))
        if found != (function.params, function.result):
            wanted, offered = _type_text(*found), _type_text(function.params, function.result)
            return LinkError(f"types incompatible: expected type `{wanted}`, found type `{offered}`")
    return None


def _letters(kinds: bytes) -> str:
    return "".join(_LETTERS[kind] for kind in kinds)


def _type_text(params: str, results: str) -> str:
    """A function type as wasmtime writes it."""
    parts = ["(func"]
    for word, letters in (("param", params), ("result", results)):
        if letters:
            parts.append(f"({word} {' '.join(_TYPE_NAMES[letter] for letter in letters)})")
    return " ".join(parts) + ")"
