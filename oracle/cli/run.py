"""`oracle run`: the worker, until it is told to stop."""

import asyncio
import signal

import click

from oracle.cli.ending_signals import ending_signals
from oracle.cli.environment import start_with
from oracle.settings import Settings
from oracle.wiring.worker import run_worker

OK, INTERRUPTED = 0, 130


@click.command("run")
@click.option("--json", "as_json", is_flag=True, help="Log JSON lines, as LOG_FORMAT=json does.")
def command(*, as_json: bool) -> int:
    """
    Start the worker.

    Follows the chain from where it stopped, runs what the contract asks for and answers. Settings come from the environment and .env;
    `oracle doctor` checks them first. Logs go to stderr; SIGTERM, Ctrl-C and a terminal that closes stop it cleanly, and what is unfinished
    is taken up at the next start. Exit code: 0 stopped, 1 failed, 2 wrong settings, 130 Ctrl-C.

    \b
    Example:
      oracle run --json 2>> worker.log
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    settings = start_with(Settings, quiet=False, log_format="json" if as_json else None)
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    """The first signal stops cleanly; a second one has its usual meaning, for who cannot wait."""
    stop = asyncio.Event()
    received: list[signal.Signals] = []
    loop, ending = asyncio.get_running_loop(), ending_signals()

    def stop_once(number: signal.Signals) -> None:
        received.append(number)
        stop.set()
        for handled in ending:
            loop.remove_signal_handler(handled)

    for number in ending:
        loop.add_signal_handler(number, stop_once, number)
    await run_worker(settings, stop)
    return INTERRUPTED if received == [signal.SIGINT] else OK
