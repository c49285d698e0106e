"""
The worker's own interface, as commands on its machine find it.

Anybody may listen there: what it says of itself is good for looking it up elsewhere, and for no more.
"""

import json

import aiohttp
import base58
from pydantic import Field

from oracle.errors import RpcUnavailable
from oracle.near.rpc import read_bounded
from oracle.settings import HomeSettings

_TIMEOUT_S = 3.0
_MAX_HEALTH_BYTES = 256 * 1024
_PREFIX, _KEY_BYTES, _MAX_KEY_CHARS = "ed25519:", 32, 80


class InterfaceSettings(HomeSettings):
    """Where the worker's interface is: the worker's own setting, without the rest of a worker's."""

    api_listen: str = Field(default="127.0.0.1:8070", description="HOST:PORT")


async def key_of_worker(api_listen: str) -> str | None:
    """The public key that the worker at HOST:PORT says it answers with; None where nobody answers, or one without a TEE."""
    key = (await _health(api_listen)).get("public_key")
    return key if isinstance(key, str) and _is_key(key) else None


async def contract_of_worker(api_listen: str) -> str | None:
    """The contract that the worker at HOST:PORT says it works for; None where no worker answers."""
    contract_id = (await _health(api_listen)).get("contract_id")
    return contract_id if isinstance(contract_id, str) else None


async def _health(api_listen: str) -> dict[str, object]:
    """Nothing where nobody answers, or with something else."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S), trust_env=False) as session,
            session.get(f"http://{api_listen}/health", allow_redirects=False) as response,
        ):
            told = json.loads(await read_bounded(response, _MAX_HEALTH_BYTES, api_listen))
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError, RecursionError, RpcUnavailable):
        return {}
    return told if isinstance(told, dict) else {}


def _is_key(text: str) -> bool:
    if not text.startswith(_PREFIX) or len(text) > _MAX_KEY_CHARS:
        return False
    try:
        return len(base58.b58decode(text.removeprefix(_PREFIX))) == _KEY_BYTES
    except ValueError:
        return False
