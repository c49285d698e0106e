"""
The compose file with its values written in: what a machine measures.

A variable that is left to the machine is not measured, so that whoever runs the machine chooses its value; only a secret may be left. Read
is what the Compose specification calls interpolation: `${NAME}`, `${NAME:-default}`, `${NAME:?what it is}`, and `$$` for a dollar sign.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from phala.refused import Refused

SECRETS = frozenset({"INIT_ACCOUNT_PRIVATE_KEY"})
"""What the platform hands over encrypted; never part of the text."""
MAX_FILE_BYTES = 256 * 1024
MAX_VALUE_CHARS = 2_000

_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Z][A-Z0-9_]*)(?::(?P<how>[-?])(?P<rest>[^{}$]*))?\})?")
_LINE = re.compile(r"(?P<name>[A-Z][A-Z0-9_]{0,99})=(?P<value>.*?)\s*")
_VALUE = re.compile(r"[!#%-\[\]-~]*")
"""Printable ASCII that is nothing special between YAML's double quotes or to Compose: no space, no `"`, `$` or backslash."""
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Filled:
    """A compose text without variables but secret ones."""

    text: str
    secrets: tuple[str, ...]
    """Names of the variables it leaves to the platform, sorted: what `allowed_envs` has to list."""


def read_text(path: Path) -> str:
    """
    A text file of bounded size.

    Raises:
        Refused: it cannot be read, is too large or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise Refused(f"{path} has more than {MAX_FILE_BYTES:,} bytes; name the right file")
        return data.decode()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is not UTF-8; save it as UTF-8") from error


def read_values(path: Path) -> dict[str, str]:
    """
    NAME=VALUE lines, empty ones, and comments that begin with `#`; an empty value counts as unset.

    Raises:
        Refused: as `read_text`, or one line for each that is something else, or names a value twice.
    """
    values: dict[str, str] = {}
    problems = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            problems.append(f"{path}, line {number}: wanted: NAME=VALUE, as in NEAR_NETWORK_ID=testnet")
        elif found["name"] in values:
            problems.append(f"{path}, line {number}: {found['name']} is set a second time; keep one")
        else:
            values[found["name"]] = found["value"]
    if problems:
        raise Refused("\n".join(problems))
    return {name: value for name, value in values.items() if value}


def fill(template: str, values: Mapping[str, str]) -> Filled:
    """
    Write the values in.

    Raises:
        Refused: one line for each value that is missing, not asked for, secret, or could be read as more than a value.
    """
    problems = [problem for name, value in sorted(values.items()) if (problem := _unfit(name, value))]
    asked: set[str] = set()
    left: set[str] = set()

    def written(found: re.Match[str]) -> str:
        if found["dollar"]:
            return found[0]
        name = found["name"]
        if name is None:
            problems.append(f"the compose file has a lone '$' at character {found.start():,}; write $$")
            return found[0]
        asked.add(name)
        if name in SECRETS:
            left.add(name)
            return found[0]
        if values.get(name):
            return values[name]
        if found["how"] == "-":
            return str(found["rest"])
        problem = f"{name} is not set; wanted: {found['rest'] or 'a value'}"
        if problem not in problems:
            problems.append(problem)
        return ""

    text = _VARIABLE.sub(written, template)
    problems += [f"{name}: the compose file does not use it; it uses {', '.join(sorted(asked))}" for name in sorted(values.keys() - asked)]
    if problems:
        raise Refused("\n".join(problems))
    return Filled(text, tuple(sorted(left)))


def _unfit(name: str, value: str) -> str | None:
    if name in SECRETS:
        return f"{name} is secret, and what is measured is public; give it to the platform as an encrypted environment variable"
    if len(value) > MAX_VALUE_CHARS or not _VALUE.fullmatch(value):
        return f"{name}: a value has up to {MAX_VALUE_CHARS:,} printable ASCII characters without space, double quote, dollar or backslash"
    if name == "WORKER_IMAGE" and not _IMAGE.fullmatch(value):
        return f"WORKER_IMAGE={value[:200]}: wanted: registry/name@sha256: and 64 hex digits; a tag may be another image tomorrow"
    return None
