"""The `localnet` command: one file a command, each loaded only when it is called."""

from localnet.cli.group import main

__all__ = ["main"]
