"""Key files in the layouts of NEAR's tools: account_id, public_key, and secret_key (sandbox) or private_key (near-cli)."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from localnet.cli.group import Refused
from localnet.values import account_id as ids
from localnet.values.keys import KeyPair


@dataclass(frozen=True, slots=True)
class AccountKeyFile:
    """An account and the key that signs for it."""

    account_id: str
    key: KeyPair


def read_key_file(path: Path) -> AccountKeyFile:
    """
    Read either layout.

    Raises:
        Refused: it is not there, or no key file.
    """
    try:
        content = json.loads(path.read_text())
        key = KeyPair.parse(content.get("secret_key") or content["private_key"])
        return AccountKeyFile(ids.check(content["account_id"]), key)
    except OSError as error:
        raise Refused(
            f"{path} cannot be read ({error.strerror}); start the chain with `localnet run --home DIR` and name that DIR"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # The content is a secret and stays out of the message; so does the inner error, which may quote it.
        raise Refused(f"{path} is no key file ({type(error).__name__}); it needs account_id, public_key and secret_key") from None


def write_key_file(path: Path, account_id: str, key: KeyPair) -> None:
    """
    Write both layouts' members, readable by its owner only.

    Raises:
        Refused: there is a file already, or it cannot be written.
    """
    content = {
        "account_id": account_id,
        "public_key": str(key.public_key),
        "secret_key": key.secret_key,
        "private_key": key.secret_key,
    }
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123 (made with its mode)
            json.dump(content, file, indent=2)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror}); give another place") from error
