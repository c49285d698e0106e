"""
The functions a contract imports from `env`: what they do, what they charge, in which order, and how they refuse.

Each theme is a module that puts its functions into the table of `localnet.vm.host.table`. Order of charges and checks is
nearcore's, because at exhaustion it shows.

Source of all: near-vm-runner 0.38 `logic::host`, protocol 88.
"""

from typing import Final

from localnet.vm.host import actions, composition, context, crypto, output, refused, storage
from localnet.vm.host.call import HostCall
from localnet.vm.host.table import TABLE, HostFunction

__all__ = ["NOT_OFFERED", "OFFERED", "TABLE", "HostCall", "HostFunction"]

THEMES: Final = (actions, composition, context, crypto, output, refused, storage)
"""Importing them fills the table."""

NOT_OFFERED: Final[tuple[str, ...]] = refused.NAMES
"""Host functions of nearcore that link here and trap when they are called."""

OFFERED: Final[tuple[str, ...]] = tuple(sorted(set(TABLE) - set(NOT_OFFERED)))
"""Host functions that work; three deprecated ones refuse in nearcore's own words."""
