"""
The commands: one file a command, each loaded only when it is called.

The programs `oracle` and `register-worker` begin here, and load even what they always need under their own eyes: Ctrl-C while modules load
is a Ctrl-C, and no traceback.
"""

import sys
from importlib import import_module
from typing import NoReturn

_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> NoReturn:
    """`oracle`."""
    _begin("oracle.cli.group", arguments)


def register_main() -> NoReturn:
    """`register-worker`."""
    _begin("oracle.cli.register_worker")


def _begin(module: str, *arguments: object) -> NoReturn:
    try:
        sys.exit(import_module(module).main(*arguments))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
