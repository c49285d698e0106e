"""Reading: environment above `.env`, and every problem as one line that names the setting, its value (never a secret's) and the mend."""

import os
from pathlib import Path
from typing import Any, TypeVar

from dotenv.parser import parse_stream
from pydantic import ValidationError

from oracle.errors import ConfigurationError
from oracle.settings.kinds import ENV_FILE, HomeSettings
from oracle.settings.values import shown

AnySettings = TypeVar("AnySettings", bound=HomeSettings)


def read_settings(kind: type[AnySettings], **overrides: object) -> AnySettings:
    """
    Read settings of a kind; an override (a command's option) stands above the environment, and that above `.env`.

    Raises:
        ConfigurationError: one line for each problem.
    """
    given: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
    try:
        if problems := _damaged_lines(Path(ENV_FILE)):
            raise ConfigurationError(problems)
        return kind(**given)
    except ValidationError as error:
        problems = tuple(_line(kind, found) for found in error.errors(include_url=False))
    except UnicodeDecodeError:
        problems = (f"{ENV_FILE} is not UTF-8 text; save it as UTF-8",)
    except OSError as error:
        problems = (f"{ENV_FILE} cannot be read ({error.strerror}); it has to be a file that you may read, or start elsewhere",)
    raise ConfigurationError(problems)  # outside the handlers: a chained ValidationError would carry the values


def _damaged_lines(file: Path) -> tuple[str, ...]:
    """
    What is no setting is passed over by the library, and with an open quote the lines below it: what they say would not count. So is what
    bears the file's name and is none, a directory as container engines make it where a file to mount is missing.
    """
    if not os.path.lexists(file) or file.is_fifo():  # a pipe can be read once, and not here
        return ()
    with file.open(encoding="utf-8") as lines:
        damaged = [found.original.line for found in parse_stream(lines) if found.error]
    return tuple(
        f"{ENV_FILE}, line {number}: is no setting; write NAME=VALUE, and end what begins with a quote with one" for number in damaged
    )


def names_in(file: Path) -> tuple[str, ...]:
    """
    What a settings file sets, in order; lines that are no settings are passed over.

    Raises:
        OSError, UnicodeDecodeError: it cannot be read.
    """
    with file.open(encoding="utf-8") as lines:
        return tuple(dict.fromkeys(found.key for found in parse_stream(lines) if found.key is not None))


def _line(kind: type[HomeSettings], found: Any) -> str:
    """One problem for a person: pydantic's finding, without the value where it may be secret."""
    field = str(found["loc"][0])
    name, wanted = field.upper(), kind.model_fields[field].description
    if found["type"] == "missing":
        return f"{name} is not set; wanted: {wanted}"
    reason = str(found["ctx"]["error"]) if found["type"] == "value_error" else "is not allowed"
    secret = "SecretStr" in str(kind.model_fields[field].annotation)
    value = "" if secret or not isinstance(found["input"], str) else f"={shown(found['input'])}"
    return f"{name}{value}: {reason}; wanted: {wanted}"
