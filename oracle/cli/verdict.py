"""
What the commands that verify share: exit codes of their own, files and moments as options, and the report.

A script has to tell a contradiction from a mistake of its own, so wrong usage is 64 here and not 2.
"""

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from oracle.flows.verify.report import Report
    from oracle.flows.verify.saving import Saved
    from oracle.tee.policy import Policy
    from oracle.tee.root import Root

PROVEN, FAILED, UNPROVEN, USAGE = 0, 1, 3, 64
_EXIT_CODES = {"PROVEN": PROVEN, "FAILED": FAILED, "UNPROVEN": UNPROVEN}
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNIX_TIME = re.compile(r"[0-9]{1,10}")


class WrongUsage(click.UsageError):
    """An option, or a file that it names, is wrong."""

    exit_code = USAGE


class WrongFile(click.ClickException):
    """The same without a hint at the usage."""

    exit_code = USAGE


class VerdictCommand(click.Command):
    """A command whose usage errors, and wrong files of whose own, end with 64."""

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        """Read the arguments."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise WrongUsage(error.format_message(), error.ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run it."""
        from oracle.errors import ConfigurationError  # noqa: PLC0415  --help needs none of ours

        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise WrongUsage(error.format_message(), error.ctx or ctx) from error
        except ConfigurationError as error:
            from oracle.logging import redact  # noqa: PLC0415  structlog is needed only when something went wrong

            raise WrongFile(redact("\n".join(error.problems))) from error


class Moment(click.ParamType[int]):
    """Unix seconds, or a date and time with a zone (RFC 3339)."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the text."""
        if isinstance(value, int):
            return value
        text = str(value)
        if _UNIX_TIME.fullmatch(text):
            return int(text)
        try:
            when: dt.datetime | None = dt.datetime.fromisoformat(text)
        except ValueError:
            when = None
        if when is None or when.tzinfo is None or when < EPOCH:
            self.fail(f"{value!r} is no moment: seconds since 1970, or a date such as 2026-01-31T12:00:00Z", param, ctx)
        return int((when - EPOCH).total_seconds())


FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """A file's first bytes, one more than is allowed where it is longer."""
    with click.open_file(str(path), "rb") as file:
        data: bytes = file.read(max_bytes + 1)
    return data


def trusted(policy_path: Path | None, root_path: Path | None) -> tuple["Policy", "Root"]:
    """
    Whose rules and which root count. Both come by option alone: trust that lies about in an environment is nobody's decision.

    Raises:
        ConfigurationError
    """
    from oracle.tee.policy import Policy  # noqa: PLC0415  --help answers without
    from oracle.tee.root import INTEL, Root  # noqa: PLC0415

    return Policy.from_file(policy_path), INTEL if root_path is None else Root.from_file(root_path)


def show(report: "Report", *, as_json: bool, explain: bool = False, saved: "Saved | None" = None) -> int:
    """Print a report, and what was saved of it; returns the exit code."""
    from oracle.flows.verify.text import report_json, report_lines  # noqa: PLC0415  --help answers without

    if as_json:
        told = report_json(report, explain=explain) | ({} if saved is None else {"saved": saved.as_json()})
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo("\n".join(report_lines(report, explain=explain) + ([] if saved is None else ["", *saved.lines()])))
    return exit_code(report)


def exit_code(report: "Report") -> int:
    """What the verdict is to the shell."""
    return _EXIT_CODES[report.verdict.value]
