"""`oracle tee simulate`: a simulated dstack machine until Ctrl-C."""

import asyncio
import json
import shlex
import signal
from pathlib import Path
from typing import Any

import click

from oracle.cli.ending_signals import ending_signals
from oracle.cli.environment import start_with
from oracle.cli.group import INTERRUPTED, OK
from oracle.settings import HomeSettings, Listen
from oracle.tee.simulator import AppCompose, MachineOptions, Simulator, SimulatorOptions, TdQuoteVersion

_WARNING = "TEST ONLY: these quotes prove nothing about any hardware. Trust this root nowhere but in tests."


class _ListenAt(click.ParamType[Listen]):
    """HOST:PORT."""

    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Listen:
        """Read the text."""
        if isinstance(value, Listen):
            return value
        host, colon, port = str(value).rpartition(":")
        if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65_535):
            self.fail(f"{value!r} is not HOST:PORT, such as 127.0.0.1:8090 (port 0 takes a free one)", param, ctx)
        return Listen(host.removeprefix("[").removesuffix("]"), int(port))


@click.command("simulate")
@click.option(
    "--socket", "socket_path", type=click.Path(path_type=Path), help="Unix socket to make; without it one in a directory of its own."
)
@click.option("--listen", type=_ListenAt(), help="Port that answers as the socket does.")
@click.option("--pccs", type=_ListenAt(), default="127.0.0.1:0", show_default=True, help="Port of the collateral service.")
@click.option(
    "--app-compose", type=click.Path(path_type=Path), help="dstack's app-compose JSON of the app; its sha256 is the compose hash."
)
@click.option("--root-out", type=click.Path(path_type=Path), help="File for the test root (PEM); without it one in a directory of its own.")
@click.option("--quote-version", type=click.Choice(["4", "5"]), default="4", show_default=True, help="Format of the quotes.")
@click.option("--seed", help="Make the same keys again for the same text. Whoever knows it can sign these quotes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line; the first says where everything is.")
def command(
    *,
    socket_path: Path | None,
    listen: Listen | None,
    pccs: Listen,
    app_compose: Path | None,
    root_out: Path | None,
    quote_version: str,
    seed: str | None,
    as_json: bool,
) -> int:
    """
    Run a simulated dstack machine and its collateral service until Ctrl-C.

    Quotes, event log and collateral have the form of real ones; a test PKI, made at start, signs them. They prove nothing: whoever verifies
    them has to be told to trust the test root.

    \b
    Examples:
      oracle tee simulate
      oracle tee simulate --socket ./dstack.sock --root-out ./test-root.crt --app-compose app-compose.json
      oracle tee simulate --json                          for programs: the first line names what to set
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    start_with(HomeSettings)
    version = TdQuoteVersion(int(quote_version))
    machine = MachineOptions(quote_version=version)
    if app_compose is not None:
        machine = MachineOptions(compose=AppCompose.from_file(app_compose), quote_version=version)
    options = SimulatorOptions(seed=seed, machine=machine, socket_path=socket_path, listen=listen, pccs=pccs, root_out=root_out)
    return asyncio.run(_run(options, as_json=as_json))


async def _run(options: SimulatorOptions, *, as_json: bool) -> int:
    loop, ending = asyncio.get_running_loop(), ending_signals()
    stopped_by: asyncio.Future[signal.Signals] = loop.create_future()

    def stop(number: signal.Signals) -> None:
        """The first signal stops cleanly; a second one has its usual meaning, for who cannot wait."""
        stopped_by.set_result(number)
        for handled in ending:
            loop.remove_signal_handler(handled)

    for number in ending:
        loop.add_signal_handler(number, stop, number)
    async with Simulator(options) as simulator:
        click.echo(json.dumps(_as_json(simulator)) if as_json else "\n".join(_lines(simulator)))
        click.echo(_WARNING, err=True)
        received = await stopped_by
    click.echo(json.dumps({"event": "stopped"}) if as_json else "Stopped.")
    return INTERRUPTED if received is signal.SIGINT else OK


def _environment(simulator: Simulator) -> dict[str, str]:
    """What to set so that clients, verifiers and the worker find the simulator."""
    endpoint = str(simulator.socket_path.absolute())
    return {
        "DSTACK_SIMULATOR_ENDPOINT": endpoint,
        "TAPPD_SIMULATOR_ENDPOINT": endpoint,
        "PCCS_URL": simulator.pccs_url,
        "TEE_ROOT_CA": str(simulator.root_path.absolute()),
    }


def _measurements(simulator: Simulator) -> dict[str, str]:
    of = simulator.machine.measurements
    return {
        "mrtd": of.mr_td.hex(),
        "rtmr0": of.rt_mr0.hex(),
        "rtmr1": of.rt_mr1.hex(),
        "rtmr2": of.rt_mr2.hex(),
        "rtmr3": of.rt_mr3.hex(),
    }


def _as_json(simulator: Simulator) -> dict[str, object]:
    machine = simulator.machine
    return {
        "event": "listening",
        "test_only": True,
        "environment": _environment(simulator),
        "url": simulator.url,
        "app_id": machine.app_id.hex(),
        "instance_id": machine.instance_id.hex(),
        "compose_hash": machine.options.compose.sha256.hex(),
        "measurements": _measurements(simulator),
        "root_ca_der_hex": simulator.root_der.hex(),
    }


def _lines(simulator: Simulator) -> list[str]:
    machine = simulator.machine
    beside = [] if simulator.url is None else [f"  also at       {simulator.url}"]
    return [
        f"Simulated dstack machine of app {machine.options.compose.name or '(no name)'}",
        f"  app id        {machine.app_id.hex()}",
        f"  instance id   {machine.instance_id.hex() or '(none: no_instance_id is set)'}",
        f"  compose hash  {machine.options.compose.sha256.hex()}",
        *(f"  {name:<13} {value}" for name, value in _measurements(simulator).items()),
        *beside,
        "Set these where it shall be used:",
        *(f"  export {name}={shlex.quote(value)}" for name, value in _environment(simulator).items()),
        "Ctrl-C stops it.",
    ]
