"""`oracle exec`: one guest on this machine, in the same process walls and under the same limits as for a request on chain."""

import asyncio
import base64
import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from oracle.cli.environment import start_with
from oracle.cli.modules import find_module, module_sha256_hex
from oracle.errors import GuestExited, GuestTrapped, RequestError
from oracle.guest import MAX_INPUT_BYTES, GuestPool
from oracle.guest.shipped import shipped_guests
from oracle.model import Limits, Metrics, OutputFormat, YoctoNear, format_near
from oracle.model.limits import BYTES_A_MB
from oracle.model.money import DEFAULT_PRICING
from oracle.ports import GuestRun
from oracle.settings import HomeSettings
from oracle.wiring.home import prepare_home

DEFAULTS = Limits()
SEEDED_CLOCK_START_NS = 1_735_689_600_000_000_000
"""2025-01-01T00:00:00Z: a seeded run sees the same time whenever it is made."""
OK, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is shown of a run."""

    output: bytes | None
    exit_code: int | None
    """None where the guest did not get as far as ending by itself."""
    error: str | None
    metrics: Metrics
    stderr_tail: str

    @property
    def price(self) -> YoctoNear:
        """By the fees of a new contract; a failed run costs the base fee."""
        return DEFAULT_PRICING.base_fee if self.error else DEFAULT_PRICING.charge(self.metrics)


@click.command("exec")
@click.argument("module")
@click.option(
    "--input", "input_text", metavar="TEXT|@FILE|-", default="", help="What the guest reads from stdin; - takes this command's own."
)
@click.option("--env", "variables", metavar="K=V", multiple=True, help="A variable of the guest's environment; may be repeated.")
@click.option("--format", "format_name", type=click.Choice([f.value for f in OutputFormat], case_sensitive=False), default="Text",
              show_default=True, help="What the output must be, as response_format of a request.")  # fmt: skip
@click.option("--max-instructions", type=click.IntRange(1, 2**63 - 1), default=DEFAULTS.max_instructions, show_default=True)
@click.option("--max-memory-mb", type=click.IntRange(1, 4096), default=DEFAULTS.max_memory_mb, show_default=True)
@click.option("--max-seconds", type=click.IntRange(1, 86_400), default=DEFAULTS.max_execution_seconds, show_default=True)
@click.option("--seed", metavar="TEXT", help="Make random bytes and clock the same in every run with this seed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with output and figures.")
def command(  # noqa: PLR0917 - click hands every option over as an argument
    module: str,
    input_text: str,
    variables: tuple[str, ...],
    format_name: str,
    max_instructions: int,
    max_memory_mb: int,
    max_seconds: int,
    seed: str | None,
    as_json: bool,
) -> int:
    """
    Run a guest on this machine, without a chain.

    MODULE is a wasm file, or the name of a guest that ships with the package (an unknown name lists them). The output goes to stdout, the
    guest's stderr and the figures to stderr. The price is by the fees of a new contract. Exit code: 0 it ended well, 1 it failed, 2 wrong
    usage.

    \b
    Examples:
      oracle exec echo --input hello
      oracle exec ./my_guest.wasm --input @request.json --env API_KEY=abc --json
      oracle exec random --seed 7
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    path = _module_path(module)
    run = GuestRun(
        wasm_path=path,
        wasm_sha256_hex=module_sha256_hex(path),
        input_bytes=_input(input_text),
        environment=tuple(_variable(text) for text in variables),
        limits=Limits(max_instructions, max_memory_mb, max_seconds),
        output_format=OutputFormat(format_name),
        clock_start_ns=time.time_ns() if seed is None else SEEDED_CLOCK_START_NS,
        random_seed=None if seed is None else hashlib.sha256(seed.encode(errors="surrogateescape")).digest(),
    )
    outcome = asyncio.run(_run(run, prepare_home(start_with(HomeSettings).oracle_home)))
    _show_json(outcome, run.output_format) if as_json else _show(outcome)
    return FAILED if outcome.error else OK


async def _run(run: GuestRun, home: Path) -> Outcome:
    async with GuestPool(home, concurrency=1) as pool:
        try:
            result = await pool.run(run)
        except RequestError as error:
            exit_code = error.exit_code if isinstance(error, GuestExited) else None
            stderr_tail = error.stderr_tail if isinstance(error, GuestExited | GuestTrapped) else ""
            return Outcome(None, exit_code, str(error), error.metrics, stderr_tail)
        return Outcome(result.output, 0, None, result.metrics, result.stderr_tail)


def _module_path(module: str) -> Path:
    path = find_module(module)
    if path is None:
        if Path(module).is_dir():
            raise click.UsageError(f"{module} is a directory; name the wasm file in it")
        names = ", ".join(shipped_guests())
        raise click.UsageError(f"{module} is neither a file nor a guest that ships with the package; those are: {names}")
    return path


def _input(text: str) -> bytes:
    try:
        if text == "-":
            content = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
        elif text.startswith("@"):
            with Path(text[1:]).open("rb") as file:
                content = file.read(MAX_INPUT_BYTES + 1)
        else:
            content = text.encode(errors="surrogateescape")
    except OSError as error:
        raise click.UsageError(f"--input {text}: the file cannot be read ({error.strerror})") from error
    if len(content) > MAX_INPUT_BYTES:
        raise click.UsageError(f"--input has more than {MAX_INPUT_BYTES} bytes, the most a guest is given")
    return content


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.UsageError(f"--env {text}: write it as NAME=VALUE")
    return name, value


def _show(outcome: Outcome) -> None:
    if outcome.output is not None:
        sys.stdout.buffer.write(outcome.output)
        sys.stdout.buffer.flush()
        if sys.stdout.isatty() and not outcome.output.endswith(b"\n"):
            click.echo()
    if outcome.stderr_tail:
        click.echo(outcome.stderr_tail, err=True, nl=not outcome.stderr_tail.endswith("\n"))
    if outcome.error:
        click.echo(f"Error: {outcome.error}", err=True)
    used = outcome.metrics
    peak_mb = used.peak_memory_bytes / BYTES_A_MB
    click.echo(f"{used.instructions:,} instructions · {used.time_ms:,} ms · {peak_mb:.1f} MB · {format_near(outcome.price)}", err=True)


def _show_json(outcome: Outcome, output_format: OutputFormat) -> None:
    click.echo(
        json.dumps(
            {
                "output": _as_caller_sees_it(outcome.output, output_format),
                "exit_code": outcome.exit_code,
                "error": outcome.error,
                "instructions": outcome.metrics.instructions,
                "time_ms": outcome.metrics.time_ms,
                "peak_memory_bytes": outcome.metrics.peak_memory_bytes,
                "price_yocto": str(outcome.price),
            },
            ensure_ascii=False,
        )
    )


def _as_caller_sees_it(output: bytes | None, output_format: OutputFormat) -> Any:
    """Text as a string, Json as the value, Bytes as base64: what the callback of a contract receives."""
    if output is None:
        return None
    match output_format:
        case OutputFormat.TEXT:
            return output.decode()
        case OutputFormat.JSON:
            return json.loads(output)
        case OutputFormat.BYTES:
            return base64.b64encode(output).decode()
