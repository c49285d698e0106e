"""`oracle demo`: the whole road on a chain of its own, step by step."""

import asyncio
import signal
import tempfile
from pathlib import Path

import click

from oracle.cli.demo_lines import JsonLines, Lines, TextLines
from oracle.cli.demo_stage import set_the_stage
from oracle.flows.demo import QUESTIONS, Step, demonstrate
from oracle.logging import configure_logging

OK, FAILED, INTERRUPTED = 0, 1, 130


@click.command("demo")
@click.option("--keep", is_flag=True, help="Leave chain and worker running afterwards, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; the last is the summary.")
def command(*, keep: bool, as_json: bool) -> int:
    """
    See it work, with nothing but this machine.

    Starts a local chain, deploys the contracts, starts a worker, and lets the example client contract ask: two questions with an answer,
    and three that cannot have one (an endless loop, a memory bomb, a wrong hash). Shows for each the answer, what it used, its price and
    the refund. Afterwards nothing is left behind, unless --keep leaves it running and tells how to ask more of it.

    \b
    Examples:
      oracle demo
      oracle demo --keep
      oracle demo --json | tail -1
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    configure_logging("console", "error")
    lines: Lines = JsonLines() if as_json else TextLines()
    with tempfile.TemporaryDirectory(prefix="near-compute-oracle-demo-") as home:
        return asyncio.run(_demo(Path(home), lines, keep=keep))


async def _demo(home: Path, lines: Lines, *, keep: bool) -> int:
    """Ctrl-C and SIGTERM end it through the contexts, so that nothing stays behind."""
    showing = asyncio.create_task(_show(home, lines, keep=keep))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, showing.cancel)
    await asyncio.wait({showing})
    return INTERRUPTED if showing.cancelled() else showing.result()


async def _show(home: Path, lines: Lines, *, keep: bool) -> int:
    answered: list[Step] = []
    lines.begin(len(QUESTIONS))
    async with set_the_stage(home, lines.ready) as stage:
        async for step in demonstrate(stage):
            lines.step(step)
            if step.report is not None:
                answered.append(step)
        ok = all(step.as_expected for step in answered)
        lines.summary(answered, ok=ok)
        if keep:
            lines.kept(stage.environment_file)
            await asyncio.Event().wait()
    return OK if ok else FAILED
