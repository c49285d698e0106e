"""An account that signs: its key file, one transaction, one view. Failures come as `Refused`, none with any part of a key."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
from py_near.account import Account
from py_near.exceptions.exceptions import RpcNotAvailableError
from py_near.exceptions.provider import JsonProviderError

from phala.refused import Refused

LOCAL_RPC = "http://127.0.0.1:3030"
NO_NODE = "no node answers; name one with --rpc-url, or start a local chain: localnet run"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """An account and a key of it, as NEAR's tools and `localnet account create` write them."""

    account_id: str
    secret_key: str = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """
        Read a key file.

        Raises:
            Refused: it cannot be read, or has another shape.
        """
        try:
            told = json.loads(path.read_bytes())
            return cls(str(told["account_id"]), str(told.get("private_key") or told["secret_key"]))
        except OSError as error:
            raise Refused(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused(f"{path}: wanted: JSON with account_id and private_key or secret_key") from None


class Signer:
    """An account at a node."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.account_id: str = account.account_id

    async def send(self, receiver_id: str, actions: list[Any]) -> None:
        """
        One transaction, until it and what it caused are done.

        Raises:
            Refused: it failed; nothing of it was done.
        """
        done = await self._account.sign_and_submit_tx(receiver_id, actions)
        if "SuccessValue" not in done.status:
            raise Refused(f"{receiver_id}: {json.dumps(done.status)[:1000]}")

    async def view(self, contract_id: str, method: str, args: dict[str, object]) -> Any:
        """What a view method answers."""
        return (await self._account.view_function(contract_id, method, args)).result

    async def public_keys(self) -> list[str]:
        """Every access key of the account."""
        return [key.public_key for key in await self._account.get_access_key_list()]


@asynccontextmanager
async def signing(key: KeyFile, rpc_url: str) -> AsyncIterator[Signer]:
    """
    The account while the block runs.

    Raises:
        Refused: the key is none, no node answers, or one refuses.
    """
    try:
        account = Account(key.account_id, key.secret_key, rpc_url)
    except ValueError:  # its text may hold a part of the key
        raise Refused(f"the key of {key.account_id} is not ed25519: and 64 bytes in base58") from None
    try:
        await account.startup()
        yield Signer(account)
    except RpcNotAvailableError as error:
        raise Refused(NO_NODE) from error
    except (JsonProviderError, aiohttp.ClientError, ValueError) as error:
        raise Refused(f"{key.account_id}: {type(error).__name__}: {str(error)[:1000]}") from error
    finally:
        await account.shutdown()
