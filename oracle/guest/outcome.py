"""From a process' end to a result or to the sentence that goes on chain. Pure: what is known comes in as values."""

import signal
from typing import Final

from oracle.errors import GuestExited, GuestTrapped, InvalidModule, OutputRefused, Trap
from oracle.guest.output import check_output
from oracle.guest.wire import MAX_OUTPUT_BYTES, Ending, How
from oracle.model import Limits, Metrics, OutputFormat
from oracle.ports import GuestResult

NS_A_MS: Final = 1_000_000
MAX_TOLD: Final = 200
"""Characters of a guest's own words in a sentence."""

# wasmtime's trap codes (wasmtime.TrapCode).
_OUT_OF_FUEL: Final = 11
_UNREACHABLE: Final = 9
_TRAPS: Final = {
    0: (Trap.STACK_OVERFLOW, "its call stack overflowed: recursion is too deep or has no end"),
    1: (Trap.OUT_OF_BOUNDS, "it accessed memory out of bounds"),
    3: (Trap.OUT_OF_BOUNDS, "it accessed a table out of bounds"),
    4: (Trap.OTHER, "it called a function pointer that is null"),
    5: (Trap.OTHER, "it called a function pointer of another type"),
    6: (Trap.ARITHMETIC, "an integer operation overflowed"),
    7: (Trap.ARITHMETIC, "it divided an integer by zero"),
    8: (Trap.ARITHMETIC, "it converted a number that fits no integer"),
    _UNREACHABLE: (Trap.UNREACHABLE, "it reached `unreachable`, which is how programs abort or panic"),
}


def result_of(ending: Ending, limits: Limits, output_format: OutputFormat) -> GuestResult:
    """
    What an ending means.

    Raises:
        InvalidModule, GuestTrapped, GuestExited, OutputRefused: in a sentence that names limit, value and mend.
    """
    metrics = metrics_of(ending)
    stderr_tail = ending.stderr.decode(errors="replace")
    match ending.how:
        case How.RETURNED if ending.code == 0:
            check_output(ending.stdout, output_format, metrics)
            return GuestResult(output=ending.stdout, metrics=metrics, stderr_tail=stderr_tail)
        case How.RETURNED:
            said = last_line(stderr_tail)
            sentence = f"The guest ended with exit code {ending.code}" + (f": {said}" if said else " and wrote nothing to stderr.")
            raise GuestExited(ending.code, sentence + _memory_hint(ending, limits), metrics=metrics, stderr_tail=stderr_tail)
        case How.OUTPUT_FULL:
            raise OutputRefused(
                f"The guest wrote more than {MAX_OUTPUT_BYTES} bytes to stdout, the longest answer there is. "
                "Answer less: a digest, a summary, or a pointer to the rest.",
                metrics=metrics,
            )
        case How.INVALID:
            raise InvalidModule(ending.detail or "The code cannot be run.")
        case _:
            raise _trapped(ending, limits, metrics, stderr_tail)


def _trapped(ending: Ending, limits: Limits, metrics: Metrics, stderr_tail: str) -> GuestTrapped:
    match ending.how:
        case How.TRAPPED:
            trap, sentence = _trap(ending, limits, stderr_tail)
        case How.OUT_OF_TIME:
            trap, sentence = Trap.OUT_OF_TIME, out_of_time_sentence(limits)
        case How.NEEDS_MEMORY:
            trap = Trap.OUT_OF_MEMORY
            sentence = (
                f"The guest ran out of memory: it starts with {_mb(ending.peak_memory_bytes)} MB "
                f"and its limit is {limits.max_memory_mb} MB (resource_limits.max_memory_mb). Ask for more."
            )
        case _:
            trap, sentence = Trap.KILLED, "The guest could not be run: the worker failed. Ask again."
    return GuestTrapped(trap, sentence, metrics=metrics, stderr_tail=stderr_tail)


def _trap(ending: Ending, limits: Limits, stderr_tail: str) -> tuple[Trap, str]:
    if ending.code == _OUT_OF_FUEL:
        return Trap.OUT_OF_FUEL, (
            f"The guest ran out of instructions: its limit is {limits.max_instructions} (resource_limits.max_instructions). "
            "Ask for more, or do less."
        )
    trap, why = _TRAPS.get(ending.code, (Trap.OTHER, f"trap {ending.code} of wasmtime"))
    if hint := _memory_hint(ending, limits):
        trap = Trap.OUT_OF_MEMORY if ending.code == _UNREACHABLE else trap
    where = f" (in {ending.detail})" if ending.detail else ""
    said = last_line(stderr_tail)
    return trap, f"The guest trapped: {why}{where}." + (f" Its last words: {said}" if said else "") + hint


def killed(signal_number: int, limits: Limits) -> GuestTrapped:
    """The error for a process that was killed: by its timer, by the kernel, or by its own crash."""
    if signal_number in {signal.SIGALRM, signal.SIGXCPU}:
        metrics = Metrics(time_ms=limits.max_execution_seconds * 1000)
        return GuestTrapped(Trap.OUT_OF_TIME, out_of_time_sentence(limits), metrics=metrics)
    why = signal.strsignal(signal_number) if signal_number else None
    return GuestTrapped(
        Trap.KILLED,
        f"The guest's process died ({why or 'without a signal'}). If asking again does not help, ask with a lower max_memory_mb.",
        metrics=Metrics(),
    )


def out_of_time_sentence(limits: Limits) -> str:
    """For a guest that computed or slept past its deadline."""
    return (
        f"The guest ran out of time: its limit is {limits.max_execution_seconds} s (resource_limits.max_execution_seconds). "
        "Ask for more, or wait for less."
    )


def metrics_of(ending: Ending) -> Metrics:
    """Each millisecond begun counts: a guest that ran has run for at least one."""
    return Metrics(instructions=ending.instructions, time_ms=-(-ending.wall_ns // NS_A_MS), peak_memory_bytes=ending.peak_memory_bytes)


def last_line(text: str) -> str:
    """The last line with something on it, printable and short; Rust's advice on backtraces is none of the guest's words."""
    lines = [line for line in map(str.strip, text[-4 * MAX_TOLD :].splitlines()) if line and not line.startswith("note: run with `RUST_")]
    return "".join(c if c.isprintable() else "?" for c in lines[-1])[-MAX_TOLD:] if lines else ""


def _memory_hint(ending: Ending, limits: Limits) -> str:
    """
    A word on memory where it is likely what went wrong.

    A refused `memory.grow` leaves no trace but what the guest makes of it; two thirds of the limit in use is the best sign there is.
    """
    if ending.peak_memory_bytes * 3 < limits.max_memory_bytes * 2:
        return ""
    return (
        f" It likely ran out of memory: it used {_mb(ending.peak_memory_bytes)} of at most {limits.max_memory_mb} MB "
        "(resource_limits.max_memory_mb)."
    )


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / (1024 * 1024):.1f}".removesuffix(".0")
