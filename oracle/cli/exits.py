"""
Exit codes for programs that others run by themselves, after BSD's sysexits.h, and the one place where errors become them.

`oracle` has its own, simpler ones (`oracle.cli.group`).
"""

import resource
import sys
import traceback
from typing import NoReturn

import click

from oracle.errors import ChainError, ConfigurationError, OracleError, StoreError, TeeUnavailable
from oracle.logging import redact

OK, REFUSED, USAGE, DEFECT, TROUBLE, CONFIGURATION, INTERRUPTED = 0, 1, 64, 70, 75, 78, 130


def run_program(command: click.Command, name: str) -> NoReturn:
    """Run a command as a program of its own. A crash leaves no core dump: keys lie in this process' memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(exit_code_of(command, name))


def exit_code_of(command: click.Command, name: str, arguments: list[str] | None = None) -> int:
    """Run a command; every error becomes a sentence on stderr, without secrets, and an exit code."""
    try:
        code = command.main(args=arguments, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except OracleError as error:
        for sentence in error.problems if isinstance(error, ConfigurationError) else (str(error),):
            click.echo(f"Error: {redact(sentence)}", err=True)
        return code_of(error)
    except Exception as error:  # noqa: BLE001  the last place before the shell; nothing is swallowed
        click.echo(redact(f"Error: this is a defect of near-compute-oracle:\n{''.join(traceback.format_exception(error))}"), err=True)
        return DEFECT
    return code if isinstance(code, int) else OK


def code_of(error: OracleError) -> int:
    """What is mended by whom: by time, by the settings, or not by doing the same again."""
    if isinstance(error, ConfigurationError):
        return CONFIGURATION
    return TROUBLE if isinstance(error, ChainError | StoreError | TeeUnavailable) else REFUSED
