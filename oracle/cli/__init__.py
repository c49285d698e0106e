"""The `oracle` command: one file a command, each loaded only when it is called."""

from oracle.cli.group import main

__all__ = ["main"]
