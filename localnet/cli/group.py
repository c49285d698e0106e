"""
The group of all commands, and what they share.

Exit codes: 0 it went well · 1 it failed · 2 wrong usage, or something the caller must mend first · 130 Ctrl-C before it was under way.
Answers go to stdout, errors to stderr.
"""

import importlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

COMMANDS = {
    "run": "Start a local NEAR chain.",
    "account": "Create an account on a running chain.",
    "key": "Show the root account and its key.",
    "fast-forward": "Move a running chain's height and time forward.",
    "reset": "Let a chain begin anew.",
}
"""Every command and its short help; the modules are `localnet.cli.NAME` with `_` for `-`."""

INTERRUPTED = 130
DEFAULT_RPC_URL = "http://127.0.0.1:3030"


class Refused(click.ClickException):
    """The caller must mend something first; the text says what."""

    exit_code = 2


class Failed(click.ClickException):
    """It was tried and failed."""

    exit_code = 1


class LazyGroup(click.Group):
    """Knows its commands by name, so that `--help` loads none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command's module."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"localnet.cli.{cmd_name.replace('-', '_')}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Ctrl-C where no command minds it ends as a shell expects it, without click's word for it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def print_json(value: dict[str, Any]) -> None:
    """One object on one line."""
    click.echo(json.dumps(value, separators=(",", ":")))


def json_option(help_text: str = "Print one JSON object a line.") -> Callable[[Command], Command]:
    """`--json`, the same everywhere."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)


def rpc_url_option() -> Callable[[Command], Command]:
    """`--rpc-url` of the commands that speak to a running chain."""
    return click.option("--rpc-url", default=DEFAULT_RPC_URL, show_default=True, metavar="URL", help="Where the chain is served.")


_EXAMPLES = """\b
Example:
  localnet run --home ./chain
  localnet account create alice --home ./chain
"""


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}, epilog=_EXAMPLES)
@click.version_option(package_name="near-compute-oracle")
def main() -> None:
    """A NEAR chain in one process: real contracts, JSON-RPC for every NEAR client, and blocks over HTTP."""
