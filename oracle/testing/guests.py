"""The honest twin of `oracle.guest.GuestPool`: guests that are Python functions, under the same rules for output and errors."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from oracle.errors import InvalidModule, OutputRefused
from oracle.model import Metrics, OutputFormat
from oracle.ports import GuestResult, GuestRun

MAX_OUTPUT_BYTES = 64 * 1024
"""The longest answer the contract takes (`submit_execution_output`, PROTOCOL §1)."""

Program = Callable[[GuestRun], bytes]
"""What a guest does: its output, or one of `RunGuests`' errors raised."""


def echo(run: GuestRun) -> bytes:
    """Answer with the input."""
    return run.input_bytes


@dataclass(slots=True)
class FakeGuests:
    """
    `oracle.ports.RunGuests` without wasm.

    `programs` are found by the module's sha256; `otherwise` runs for all others, and None makes them invalid modules. Each run uses one
    instruction a byte of input, and a hundred besides.
    """

    programs: dict[str, Program] = field(default_factory=dict)
    otherwise: Program | None = echo
    runs: list[GuestRun] = field(default_factory=list)

    async def run(self, run: GuestRun) -> GuestResult:
        """See `RunGuests`."""
        self.runs.append(run)
        program = self.programs.get(run.wasm_sha256_hex, self.otherwise)
        if program is None:
            raise InvalidModule("The code is not WebAssembly.")
        metrics = Metrics(instructions=100 + len(run.input_bytes), time_ms=1, peak_memory_bytes=64 * 1024)
        output = program(run)
        if len(output) > MAX_OUTPUT_BYTES:
            raise OutputRefused(f"The guest wrote more than {MAX_OUTPUT_BYTES} bytes to stdout.", metrics=metrics)
        if run.output_format is not OutputFormat.BYTES:
            try:
                text = output.decode()
                if run.output_format is OutputFormat.JSON:
                    json.loads(text)
            except ValueError as error:
                raise OutputRefused(f"The output is not {run.output_format.value}: {error}.", metrics=metrics) from error
        return GuestResult(output=output, metrics=metrics)
