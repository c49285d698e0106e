"""`oracle demo`: the whole road on a chain of its own, step by step."""

import asyncio
import tempfile
from pathlib import Path

import click

from oracle.cli.demo_lines import JsonLines, Lines, TextLines
from oracle.cli.demo_stage import set_the_stage
from oracle.cli.ending_signals import ending_signals
from oracle.flows.demo import QUESTIONS, Step, demonstrate
from oracle.flows.verify.report import Overall, Report
from oracle.logging import configure_logging

OK, FAILED, INTERRUPTED = 0, 1, 130


@click.command("demo")
@click.option("--keep", is_flag=True, help="Leave chain and worker running afterwards, until Ctrl-C.")
@click.option("--tee", is_flag=True, help="On a simulated trusted machine: register, execute, and verify each answer's receipt.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; the last is the summary.")
def command(*, keep: bool, tee: bool, as_json: bool) -> int:
    """
    See it work, with nothing but this machine.

    Starts a local chain, deploys the contracts, starts a worker, and lets the example client contract ask: two questions with an answer,
    and three that cannot have one (an endless loop, a memory bomb, a wrong hash). Shows for each the answer, what it used, its price and
    the refund. Afterwards nothing is left behind, unless --keep leaves it running and tells how to ask more of it.

    With --tee the worker runs on a simulated TDX machine: its key comes on chain by a quote, nobody else has a key of its account, and
    every answer's receipt is verified from the quote up to the chain. Quotes are signed under a test root made for the occasion, and every
    verdict says so.

    \b
    Examples:
      oracle demo
      oracle demo --tee
      oracle demo --keep
      oracle demo --json | tail -1
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    configure_logging("console", "error")
    lines: Lines = JsonLines() if as_json else TextLines()
    with tempfile.TemporaryDirectory(prefix="near-compute-oracle-demo-") as home:
        return asyncio.run(_demo(Path(home), lines, keep=keep, tee=tee))


async def _demo(home: Path, lines: Lines, *, keep: bool, tee: bool) -> int:
    """Ctrl-C, SIGTERM and a closed terminal end it through the contexts, so that nothing stays behind."""
    showing = asyncio.create_task(_show(home, lines, keep=keep, tee=tee))
    for number in ending_signals():
        asyncio.get_running_loop().add_signal_handler(number, showing.cancel)
    await asyncio.wait({showing})
    return INTERRUPTED if showing.cancelled() else showing.result()


async def _show(home: Path, lines: Lines, *, keep: bool, tee: bool) -> int:
    answered: list[Step] = []
    verified: list[Report] = []
    lines.begin(len(QUESTIONS))
    async with set_the_stage(home, lines.ready, attested=tee) as stage:
        async for step in demonstrate(stage):
            lines.step(step)
            if step.report is None:
                continue
            answered.append(step)
            report = await stage.verify(step.report.request_id)
            if report is not None:
                lines.verified(report, whole=not verified)
                verified.append(report)
        ok = all(step.as_expected for step in answered) and all(report.verdict is Overall.PROVEN for report in verified)
        lines.summary(answered, verified, ok=ok)
        if keep:
            lines.kept(stage.environment_file, tee=tee)
            await asyncio.Event().wait()
    return OK if ok else FAILED
