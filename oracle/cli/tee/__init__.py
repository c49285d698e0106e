"""`oracle tee`: the group of commands about trusted hardware; a file a command, loaded when it is called."""

import importlib
from importlib.util import find_spec

import click

_COMMANDS = {
    "simulate": "Run a simulated dstack machine and its collateral service.",
    "info": "Say what the machine's dstack socket tells of it.",
    "quote": "Have the machine quote some report data.",
    "collateral": "Fetch Intel's collateral of a quote's platform.",
    "verify-quote": "Verify a quote against collateral and a root.",
}


def _module(name: str) -> str:
    return f"{__name__}.{name.replace('-', '_')}"


class _TeeGroup(click.Group):
    """Knows its commands by name; one whose module is not installed is not listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which people meet them."""
        return [name for name in _COMMANDS if find_spec(_module(name)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command's module."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(_module(cmd_name)).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group("tee", cls=_TeeGroup)
def command() -> None:
    """
    Quotes of trusted hardware, and a simulator of it.

    \b
    Example:
      oracle tee simulate --json
    """  # noqa: D301  \b is click's mark for lines that stay as they are
