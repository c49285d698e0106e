"""Guests: wasm, input and limits to output and metrics."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from oracle.model import Limits, Metrics, OutputFormat


@dataclass(frozen=True, slots=True)
class GuestRun:
    """One execution: what a guest sees and may use."""

    wasm_path: Path
    wasm_sha256_hex: str
    input_bytes: bytes
    environment: tuple[tuple[str, str], ...]
    limits: Limits
    output_format: OutputFormat = OutputFormat.TEXT
    clock_start_ns: int = 0
    random_seed: bytes | None = None
    """None: the host's random bytes. Given: a deterministic stream, for tests and `oracle exec --seed`."""


@dataclass(frozen=True, slots=True)
class GuestResult:
    """A guest that ended well."""

    output: bytes
    metrics: Metrics
    stderr_tail: str = field(default="", repr=False)


class RunGuests(Protocol):
    """Wasm to output and metrics, behind a wall."""

    async def run(self, run: GuestRun) -> GuestResult:
        """
        Run one guest to its end.

        Raises:
            InvalidModule, GuestTrapped, GuestExited, OutputRefused
        """
        ...
