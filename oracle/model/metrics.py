"""What an execution really used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metrics:
    """
    Measured use.

    `instructions` is wasmtime fuel, 0 where it cannot be known (the process was killed). `time_ms` is wall time inside the guest's start
    function. `compile_time_ms` is source to wasm only; None where nothing was compiled. `peak_memory_bytes` is the guest's linear memory at
    its largest.
    """

    instructions: int = 0
    time_ms: int = 0
    peak_memory_bytes: int = 0
    compile_time_ms: int | None = None


NOTHING_USED = Metrics()
