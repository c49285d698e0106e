"""
The `localnet` command: one file a command, each loaded only when it is called.

The program begins here, and loads even what it always needs under its own eyes: Ctrl-C while modules load is a Ctrl-C, and no traceback.
"""

import sys
from typing import NoReturn

_INTERRUPTED = 130


def main() -> NoReturn:
    """Run a command and end the process with its exit code."""
    try:
        from localnet.cli.group import main as run  # noqa: PLC0415  this takes a tenth of a second, in which people change their mind

        sys.exit(run())
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
