"""
The group of all commands, and the one place where their errors become sentences and exit codes.

Exit codes: 0 it went well · 1 it failed · 2 wrong usage or configuration · 130 Ctrl-C. Answers go to stdout, everything else to stderr.
"""

import errno
import importlib
import io
import os
import resource
import sys
import traceback
from typing import NoReturn

import click

COMMANDS = {
    "demo": "See it work: a local chain, the contracts, a worker, and the answers.",
    "exec": "Run a guest on this machine, without a chain.",
    "run": "Start the worker.",
    "request": "Ask the contract to run code, and wait for the answer.",
    "show": "Show one request: the worker's job and what the contract says.",
    "verify": "Verify what an execution's bundle proves.",
    "cost": "Say what a request costs.",
    "tee": "Quotes of trusted hardware, and a simulator of it.",
    "doctor": "Check what is configured, reachable and missing.",
}
"""Every command and its short help; the modules are `oracle.cli.NAME` and are loaded when they are called."""

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LazyGroup(click.Group):
    """Knows its commands by name, so that `oracle --help` loads none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command's module."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"oracle.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version  # noqa: PLC0415  needed for this answer only

        click.echo(f"near-compute-oracle {version('near-compute-oracle')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit.")
def group() -> None:
    """
    Off-chain compute for NEAR smart contracts.

    \b
    See the whole road on this machine:   oracle demo
    Try code of your own, no chain:       oracle exec echo --input hello
    Answer requests of a contract:        oracle doctor && oracle run

    Settings come from the environment and from a .env file in the working directory; .env.example lists them.
    """  # noqa: D301  \b is click's mark for lines that stay as they are


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command and end the process with its exit code. A crash leaves no core dump: keys lie in this process' memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(run_command(arguments))


def run_command(arguments: list[str] | None = None) -> int:
    """Run a command; every error becomes a sentence on stderr, without secrets, and an exit code."""
    _let_any_text_out()
    try:
        code = group.main(args=arguments, prog_name="oracle", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        _mute_stdout()
        return FAILED
    except Exception as error:  # noqa: BLE001  the last place before the shell; nothing is swallowed
        return _explain(error)
    return code if isinstance(code, int) else OK


def _explain(error: Exception) -> int:
    """Ours become sentences, also out of a group of tasks; anything else is a defect and shows its traceback."""
    from oracle.errors import ChainError, ConfigurationError, OracleError, StoreError  # noqa: PLC0415  only after click answered --help

    reasons = _leaves(error)
    if all(isinstance(reason, OSError) and reason.errno in _NO_ROOM for reason in reasons):
        _mute_stdout()
        _complain(f"there is no room left to write ({reasons[0]}); make some where the output goes, or where ORACLE_HOME lies")
        return FAILED
    if not all(isinstance(reason, OracleError) for reason in reasons):
        trace = "".join(traceback.format_exception(error))
        _complain(f"this is a defect of near-compute-oracle; please report it with these lines:\n{trace}")
        return FAILED
    for reason in reasons:
        for sentence in reason.problems if isinstance(reason, ConfigurationError) else (str(reason),):
            _complain(sentence)
    if any(isinstance(reason, ChainError | StoreError) for reason in reasons):
        click.echo("oracle doctor looks for what is missing and names the mend.", err=True)
    return USAGE if any(isinstance(reason, ConfigurationError) for reason in reasons) else FAILED


def _leaves(error: Exception) -> list[Exception]:
    if isinstance(error, ExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]


def _complain(sentence: str) -> None:
    from oracle.cli.plain import plain_lines  # noqa: PLC0415  this and structlog are needed only when something went wrong
    from oracle.logging import redact  # noqa: PLC0415

    click.echo(f"Error: {plain_lines(redact(sentence))}", err=True)


def _let_any_text_out() -> None:
    """Half a surrogate pair, which JSON can hold, has no UTF-8: it is written as JSON escapes it, so that an answer stays one."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _mute_stdout() -> None:
    """The reader went away (`oracle … | head`): what is still buffered goes nowhere, without a word at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
