"""A module on this machine as the command line names it: a file, or a guest that ships with the package."""

import contextlib
import hashlib
from pathlib import Path

import click

from oracle.build import MAX_WASM_BYTES
from oracle.guest.shipped import shipped_guests

_CHUNK_BYTES = 1024 * 1024


def find_module(text: str) -> Path | None:
    """The module's path; a file of that name comes before a shipped guest. None: there is neither."""
    path = Path(text)
    with contextlib.suppress(OSError):  # a name that is too long, or a directory that may not be entered
        if path.is_file():
            return path
    return shipped_guests().get(text)


def module_sha256_hex(path: Path) -> str:
    """
    Hash a module, reading no more of it than a module may have.

    Raises:
        click.UsageError: it cannot be read, or is larger than what is fetched or run anywhere.
    """
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                size_bytes += len(chunk)
                if size_bytes > MAX_WASM_BYTES:
                    raise click.UsageError(f"{path} has more than {MAX_WASM_BYTES:,} bytes, the most a module may have")
                digest.update(chunk)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read ({error.strerror})") from error
    return digest.hexdigest()
