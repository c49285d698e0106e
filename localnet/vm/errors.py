"""
Why a contract call failed, in nearcore's own words.

VmError
├── CompilationFailed     a node would refuse the code
├── MethodResolveError    no such method, or one with parameters
├── LinkError             the code imports what no node offers
├── WasmTrap              the code trapped
└── HostError             a host function refused; leaves differ by `variant`, as in nearcore's enum

They are values that outcomes carry, and exceptions inside the machine. Each knows how it looks in an execution outcome
(`kind`) and in the text of a failed view (`view_text`, Rust's Debug form).

Source: near-vm-runner 0.38 `logic::errors`, nearcore `FunctionCallError` conversions.
"""

from typing import Final, TypeAlias

ErrorKind: TypeAlias = dict[str, object]
"""The JSON of a FunctionCallError: one variant and what it holds."""

_DEBUG_ESCAPES = {"\t": "\\t", "\r": "\\r", "\n": "\\n", "'": "'", '"': '\\"', "\\": "\\\\", "\0": "\\0"}


def rust_debug(value: str | int) -> str:
    """Write a value as Rust's `{:?}` does."""
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(_debug_character(character) for character in value) + '"'


def _debug_character(character: str) -> str:
    if character in _DEBUG_ESCAPES:
        return _DEBUG_ESCAPES[character]
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"


class VmError(Exception):
    """A call failed; the chain records it, and nothing of the node is at fault."""

    def __init__(self, text: str, *, kind: ErrorKind, view_text: str) -> None:
        """
        Args:
            text: what a node's log would say.
            kind: the JSON under `FunctionCallError` in an execution outcome.
            view_text: what follows "wasm execution failed with error: " when a view fails.
        """
        super().__init__(text)
        self.text, self.kind, self.view_text = text, kind, view_text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VmError) and (self.kind, self.view_text) == (other.kind, other.view_text)

    def __hash__(self) -> int:
        return hash(self.view_text)


class CompilationFailed(VmError):
    """The code is no wasm that a node accepts; `reason` is nearcore's PrepareError, `detail` what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        kind: ErrorKind = {"CompilationError": {"PrepareError": reason}}
        super().__init__(f"{reason}: {detail}", kind=kind, view_text=f"CompilationError(PrepareError({reason}))")
        self.reason, self.detail = reason, detail


class CodeDoesNotExist(VmError):
    """The account has no contract."""

    def __init__(self, account_id: str) -> None:
        super().__init__(
            f"cannot find contract code for account {account_id}",
            kind={"CompilationError": {"CodeDoesNotExist": {"account_id": account_id}}},
            view_text=f"CompilationError(CodeDoesNotExist {{ account_id: {rust_debug(account_id)} }})",
        )
        self.account_id = account_id


class MethodResolveError(VmError):
    """`reason`: MethodEmptyName, MethodNotFound or MethodInvalidSignature."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, kind={"MethodResolveError": reason}, view_text=f"MethodResolveError({reason})")
        self.reason = reason


class LinkError(VmError):
    """An import that no node offers, or with another type."""

    def __init__(self, message: str) -> None:
        kind: ErrorKind = {"ExecutionError": f"Link Error: {message}"}
        super().__init__(message, kind=kind, view_text=f"LinkError {{ msg: {rust_debug(message)} }}")


_TRAP_TEXTS: Final = {
    "Unreachable": "An `unreachable` opcode was executed.",
    "IncorrectCallIndirectSignature": "Call indirect incorrect signature trap.",
    "MemoryOutOfBounds": "Memory out of bounds trap.",
    "IllegalArithmetic": "An arithmetic exception, e.g. divided by zero.",
    "StackOverflow": "Stack overflow.",
    "IndirectCallToNull": "Indirect call to null.",
    "GenericTrap": "Generic trap.",
}


class WasmTrap(VmError):
    """The code itself trapped; `variant` as in nearcore's enum."""

    def __init__(self, variant: str) -> None:
        text = f"WebAssembly trap: {_TRAP_TEXTS[variant]}"
        super().__init__(text, kind={"ExecutionError": text}, view_text=f"WasmTrap({variant})")
        self.variant = variant


class HostError(VmError):
    """A host function refused; the text is nearcore's, `variant` and `facts` its enum's name and fields."""

    def __init__(self, variant: str, text: str, **facts: str | int) -> None:
        inner = ", ".join(f"{name}: {rust_debug(value)}" for name, value in facts.items())
        debug = f"{variant} {{ {inner} }}" if facts else variant
        super().__init__(text, kind={"ExecutionError": text}, view_text=f"HostError({debug})")
        self.variant, self.facts = variant, facts


class NotOffered(HostError):
    """The contract called a host function that nearcore has and this chain has not; ours, not nearcore's."""

    def __init__(self, name: str) -> None:
        super().__init__("NotOffered", f"{name} is not offered by localnet", method_name=name)


def gas_exceeded() -> HostError:
    """All attached gas is used."""
    return HostError("GasExceeded", "Exceeded the prepaid gas.")


def gas_limit_exceeded() -> HostError:
    """The most that a single call may burn is burnt."""
    return HostError("GasLimitExceeded", "Exceeded the maximum amount of gas allowed to burn per contract.")


def integer_overflow() -> HostError:
    """A figure outgrew its type."""
    return HostError("IntegerOverflow", "Integer overflow.")


def memory_access_violation() -> HostError:
    """A pointer outside the memory, a register over its limits, or the contract's stack exhausted."""
    return HostError("MemoryAccessViolation", "Accessed memory outside the bounds.")


def prohibited_in_view(name: str) -> HostError:
    """The function needs a transaction."""
    return HostError("ProhibitedInView", f"{name} is not allowed in view calls", method_name=name)


def guest_panic(message: str) -> HostError:
    """The contract gave up and said why."""
    return HostError("GuestPanic", f"Smart contract panicked: {message}", panic_msg=message)
