"""
The directory a chain is kept in: `chain.sqlite`, `intake.log` (transactions that are not judged yet), `validator_key.json` (0600, the
layout of NEAR's own sandbox), and a lock.

One process at a time may have it open.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from localnet.state.intake_log import IntakeLogFile
from localnet.state.sqlite import SqliteStore
from localnet.state.store import HomeLocked, StateError
from localnet.values.keys import KeyPair

KEY_FILE = "validator_key.json"
INTAKE_LOG = "intake.log"
_DATABASE = "chain.sqlite"
_LOCK = "lock"
_ROOT_ACCOUNT_ID = "test.near"


@dataclass(frozen=True, slots=True)
class Home:
    """What an open directory holds."""

    store: SqliteStore
    intake_log: IntakeLogFile
    root_key: KeyPair


def open_home(home: Path, key: KeyPair | None) -> Home:
    """
    Open or make the directory.

    Raises:
        HomeLocked: another process has it open.
        StateError: it cannot be used as it is.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (home / _LOCK).open("w")
    except OSError as error:
        raise StateError(f"{home} cannot be used as a chain's directory ({error.strerror}); give another with --home") from error
    try:
        _take(lock, home)
        root_key = _root_key(home, key)
        intake_log = IntakeLogFile(home / INTAKE_LOG)
    except BaseException:
        lock.close()
        raise
    try:
        return Home(SqliteStore(home / _DATABASE, lock), intake_log, root_key)
    except BaseException:
        intake_log.close()
        lock.close()
        raise


def _take(lock: IO[str], home: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise HomeLocked(f"another process has {home} open; stop it, or give another directory with --home") from error


def _root_key(home: Path, key: KeyPair | None) -> KeyPair:
    path = home / KEY_FILE
    if path.exists():
        kept = _read_key(path)
        if key is not None and key.public_key != kept.public_key:
            raise StateError(f"{path} has another key than the one given; leave the key out, or give another directory")
        return kept
    if (home / _DATABASE).exists():
        raise StateError(f"{path} is missing, so the root account cannot sign; put it back, or remove {home} to begin anew")
    made = key or KeyPair.random()
    _write_key(path, made)
    return made


def _read_key(path: Path) -> KeyPair:
    try:
        content: Any = json.loads(path.read_text())
        return KeyPair.parse(content["secret_key"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        # The content is a secret and stays out of the message; so does the inner error, which may quote it.
        raise StateError(f"{path} is no key file ({type(error).__name__}); it needs account_id, public_key and secret_key") from None


def _write_key(path: Path, key: KeyPair) -> None:
    content = {"account_id": _ROOT_ACCOUNT_ID, "public_key": str(key.public_key), "secret_key": key.secret_key}
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123 (made with its mode)
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
