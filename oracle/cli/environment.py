"""What every command does first: read its settings, keep their secrets out of sight, and set up logs."""

from typing import TypeVar

from oracle.logging import configure_logging, keep_secret
from oracle.settings import ChainSettings, HomeSettings, read_settings

AnySettings = TypeVar("AnySettings", bound=HomeSettings)


def start_with(kind: type[AnySettings], *, quiet: bool = True, **overrides: object) -> AnySettings:
    """
    The settings of a kind; `quiet`: a command that answers and ends, so only warnings are logged unless LOG_LEVEL asks for more.

    Raises:
        ConfigurationError: settings are wrong.
    """
    settings = read_settings(kind, **overrides)
    if isinstance(settings, ChainSettings):
        keep_secret(settings.secrets())
    asked_for_more = "log_level" in settings.model_fields_set and settings.log_level == "debug"
    configure_logging(settings.log_format, "warning" if quiet and not asked_for_more else settings.log_level)
    return settings
