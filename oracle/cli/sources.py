"""What a user names on the command line, turned into the `source` of a request."""

import re
import sys
from pathlib import Path

import click

from oracle.cli.modules import find_module, module_sha256_hex
from oracle.guest.shipped import shipped_guests

MAX_INPUT_BYTES = 1024 * 1024
"""A call's arguments may have 4 MiB (NEAR `max_arguments_length`), and quoting can make an input four times as long."""

_SHA256_HEX = re.compile(r"[0-9a-fA-F]{64}")
_COMMIT = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")  # SHA-1, or SHA-256 in a repository of that format


def source_of(text: str, *, sha256_hex: str | None, commit: str | None, is_project: bool, local_chain: bool) -> dict[str, object]:
    """
    `source` for `request_execution`: a project, a repository at a commit, a URL with its hash, or a file of this machine.

    Raises:
        click.UsageError: something is missing or does not fit together.
    """
    if sum((is_project, commit is not None, sha256_hex is not None)) > 1:
        raise click.UsageError("--project, --commit and --hash exclude each other: they say what kind of source SOURCE is")
    if is_project:
        return {"Project": {"project_id": text}}
    if commit is not None:
        if not _COMMIT.fullmatch(commit):
            raise click.UsageError(
                f"--commit {commit[:80]}: give all 40 hex digits (git rev-parse HEAD); a branch moves, a commit does not"
            )
        return {"GitHub": {"repo": text, "commit": commit.lower()}}
    if "://" in text:
        if sha256_hex is None or not _SHA256_HEX.fullmatch(sha256_hex):
            raise click.UsageError(
                "a URL needs --hash, the sha256 of the module in 64 hex digits (sha256sum module.wasm); a repository --commit"
            )
        return {"WasmUrl": {"url": text, "hash": sha256_hex.lower()}}
    if sha256_hex is not None:
        raise click.UsageError("--hash goes with a URL; the hash of a file is taken from the file")
    return _of_file(text, local_chain=local_chain)


def _of_file(text: str, *, local_chain: bool) -> dict[str, object]:
    path = find_module(text)
    if path is None:
        if Path(text).is_dir():
            raise click.UsageError(f"{text} is a directory; name the wasm file in it")
        names = ", ".join(shipped_guests())
        raise click.UsageError(f"{text} is no URL, no file, and no guest that ships with the package; those are: {names}")
    if not local_chain:
        raise click.UsageError(
            "a file of this machine can be used on the local chain only; put the module behind an https:// URL and give --hash"
        )
    return {"WasmUrl": {"url": path.resolve().as_uri(), "hash": module_sha256_hex(path)}}


def input_of(text: str) -> str:
    """
    `input_data`: the text itself, a file's (`@FILE`) or stdin's (`-`); it must be UTF-8, because it travels in JSON.

    Raises:
        click.UsageError: unreadable, too long or not text.
    """
    try:
        if text == "-":
            data = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
        elif text.startswith("@"):
            with Path(text[1:]).open("rb") as file:
                data = file.read(MAX_INPUT_BYTES + 1)
        else:
            data = text.encode()
    except (OSError, UnicodeEncodeError) as error:
        raise click.UsageError(f"--input cannot be read: {error}") from error
    if len(data) > MAX_INPUT_BYTES:
        raise click.UsageError(f"--input is longer than {MAX_INPUT_BYTES:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise click.UsageError("--input is not UTF-8 text; encode binary data, for example as base64") from error
