"""`localnet run`: a chain and its server until Ctrl-C."""

import asyncio
import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from localnet.chain import Chain
from localnet.cli.group import Refused, json_option, print_json
from localnet.cli.key_file import write_key_file
from localnet.cli.logs import configure_logs
from localnet.server import CannotListen, Server, ServerOptions, serve
from localnet.state.home import KEY_FILE
from localnet.state.store import StateError
from localnet.values.block import Block
from localnet.values.hashes import hash_to_text

_LONGEST_BLOCK_TIME_S = 3600.0
_SWITCH_INTERVAL_S = 0.0005
"""How long the thread that makes a block keeps the interpreter from the one that answers. Each answer gives it up a few times, so that the
usual 5 ms would let a busy chain answer a hundred times a second."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")
_TGAS = 10**12


class BlockTime(click.ParamType[float | None]):
    """`instant`, or a period like `600ms` or `1s`; seconds, None for instant."""

    name = "instant|PERIOD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Read the text."""
        if value is None or value == "instant":
            return None
        match = _DURATION.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is neither `instant` nor a period like 600ms or 1s", param, ctx)
        seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
        if not 0.001 <= seconds <= _LONGEST_BLOCK_TIME_S:
            self.fail(f"{value!r}: a block takes from 1ms to {_LONGEST_BLOCK_TIME_S:g}s", param, ctx)
        return seconds


_EXAMPLES = """\b
Examples:
  localnet run                                        in memory, at http://127.0.0.1:3030
  localnet run --home ./chain --block-time 1s         kept in a directory, a block each second
  localnet run --port 0 --json                        for programs: the first line names the address
"""


@click.command("run", epilog=_EXAMPLES)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at. Whoever reaches it can use the chain.")
@click.option("--port", type=click.IntRange(0, 65535), default=3030, show_default=True, help="Port to listen at; 0 picks a free one.")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory that keeps the chain and its root key; without it the chain is in memory and ends with the process.",
)
@click.option(
    "--block-time",
    metavar="instant|PERIOD",
    type=BlockTime(),
    default="instant",
    show_default=True,
    help="When blocks come: as soon as there is something to do, or one each period.",
)
@click.option("--verbose", is_flag=True, help="Print a line for each block.")
@json_option("Print one JSON object a line; the first says where the chain is served.")
def command(*, host: str, port: int, home: Path | None, block_time: float | None, verbose: bool, as_json: bool) -> None:
    """Start a local NEAR chain, and serve JSON-RPC and blocks until Ctrl-C."""
    configure_logs()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    options = ServerOptions(host=host, port=port, block_time_s=block_time, on_block=_block_printer(as_json=as_json) if verbose else None)
    try:
        with Chain(home=home) as chain, _key_file(chain, home) as key_file:
            asyncio.run(_run(chain, options, _greeting(chain, home, key_file, block_time, as_json=as_json)))
            _say_goodbye(chain, as_json=as_json)
    except (StateError, CannotListen) as error:
        raise Refused(str(error)) from error


async def _run(chain: Chain, options: ServerOptions, greet: Callable[[Server], None]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in _ending_signals():
        loop.add_signal_handler(name, stop.set)
    async with serve(chain, options) as server:
        greet(server)
        await stop.wait()


def _ending_signals() -> Iterator[signal.Signals]:
    """Ctrl-C, SIGTERM, and a terminal that closes, unless the chain was told to outlive it (nohup)."""
    yield from (signal.SIGINT, signal.SIGTERM)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP


@contextmanager
def _key_file(chain: Chain, home: Path | None) -> Iterator[Path]:
    """Where the root key lies: in the chain's directory, or for a chain in memory in one that goes with it."""
    if home is not None:
        yield (home / KEY_FILE).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="localnet-") as directory:
        path = Path(directory, KEY_FILE)
        write_key_file(path, chain.root.account_id, chain.root.key)
        yield path


def _greeting(chain: Chain, home: Path | None, key_file: Path, block_time_s: float | None, *, as_json: bool) -> Callable[[Server], None]:
    height = chain.head.height

    def greet(server: Server) -> None:
        if as_json:
            print_json(
                {
                    "event": "listening",
                    "rpc_url": server.rpc_url,
                    "blocks_url": server.blocks_url,
                    "chain_id": chain.chain_id,
                    "root_account_id": chain.root.account_id,
                    "key_file": str(key_file),
                    "home": None if home is None else str(home.resolve()),
                    "block_time_s": block_time_s,
                    "height": height,
                    "pid": os.getpid(),
                }
            )
            return
        click.echo(f"NEAR chain {json.dumps(chain.chain_id)} at block {height}")
        click.echo(f"  JSON-RPC      {server.rpc_url}")
        click.echo(f"  blocks        {server.blocks_url}/v0/last_block/final")
        click.echo(f"  root account  {chain.root.account_id}")
        click.echo(f"  its key       {key_file}")
        click.echo(f"  state         {'in memory, gone when it stops (--home keeps it)' if home is None else home.resolve()}")
        click.echo(f"  blocks come   {'on demand' if block_time_s is None else f'every {block_time_s:g} s'}")
        click.echo("Ctrl-C stops it.")

    return greet


def _say_goodbye(chain: Chain, *, as_json: bool) -> None:
    height = chain.head.height
    if as_json:
        print_json({"event": "stopped", "height": height})
    else:
        click.echo(f"Stopped after block {height}.")


def _block_printer(*, as_json: bool) -> Callable[[Block], None]:
    def show(block: Block) -> None:
        transactions, receipts = len(block.transactions), len(block.executed)
        gas = sum(each.outcome.gas_burnt for each in block.transactions) + sum(each.outcome.gas_burnt for each in block.executed)
        if as_json:
            facts = {"height": block.header.height, "hash": hash_to_text(block.header.hash)}
            print_json({"event": "block", **facts, "transactions": transactions, "receipts": receipts, "gas_burnt": gas})
        else:
            click.echo(f"block {block.header.height}  {transactions} transactions  {receipts} receipts  {gas / _TGAS:.2f} Tgas")

    return show
