"""`localnet reset`: forget what happened, keep the root key."""

import fcntl
from pathlib import Path

import click

from localnet.cli.group import Refused, json_option, print_json
from localnet.state.home import INTAKE_LOG, KEY_FILE

_LOCK = "lock"
_STATE = ("chain.sqlite", "chain.sqlite-wal", "chain.sqlite-shm", INTAKE_LOG)
"""What `localnet.state.home` keeps in a directory, besides the key."""


_EXAMPLES = """\b
Example:
  localnet reset --home ./chain
"""


@click.command("reset", epilog=_EXAMPLES)
@click.option("--home", required=True, type=click.Path(file_okay=False, path_type=Path), help="The chain's directory.")
@json_option()
def command(home: Path, *, as_json: bool) -> None:
    """Remove a stopped chain's state, so that it begins anew with the same root key."""
    if not (home / KEY_FILE).is_file():
        raise Refused(f"{home} is no chain's directory: it has no {KEY_FILE}")
    try:
        with (home / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            removed = [name for name in _STATE if (home / name).exists()]
            for name in removed:
                (home / name).unlink()
    except BlockingIOError as error:
        raise Refused(f"a process has {home} open; stop it first") from error
    except OSError as error:
        raise Refused(f"{home} cannot be reset ({error.strerror})") from error
    if as_json:
        print_json({"home": str(home.resolve()), "removed": removed})
    else:
        click.echo(f"{home} begins anew at the next start." if removed else f"{home} had no state to remove.")
