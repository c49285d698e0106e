"""
Configuration, read once from the environment and a `.env` file beside it, into frozen objects that are handed down by argument.

A command asks for the smallest class it needs: `HomeSettings`, `ChainSettings`, `RequesterSettings`, `TeeSettings`, or the worker's
`Settings`.
"""

from oracle.settings.kinds import (
    ENV_FILE,
    LOCAL_CHAIN,
    ChainSettings,
    HomeSettings,
    RequesterSettings,
)
from oracle.settings.read import names_in, read_settings
from oracle.settings.tee import TeeSettings
from oracle.settings.values import Listen, private_key, redacted_url
from oracle.settings.worker import GivenSettings, Settings

__all__ = [
    "ENV_FILE",
    "LOCAL_CHAIN",
    "ChainSettings",
    "GivenSettings",
    "HomeSettings",
    "Listen",
    "RequesterSettings",
    "Settings",
    "TeeSettings",
    "names_in",
    "private_key",
    "read_settings",
    "redacted_url",
]
