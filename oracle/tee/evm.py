"""
Whether the owner of a dstack application allows a compose file: the `DstackApp` contract on an EVM chain.

dstack's own key service asks the same contract before it gives a machine its keys; the contract's address is the application's id. Who asks
here believes the node that is asked. Needs the extra `evm`.
"""

import asyncio
import re

import aiohttp

from oracle.errors import ConfigurationError, EvidenceRefused, TeeError, TeeUnavailable
from oracle.settings import redacted_url

TIMEOUT_S = 15.0
INSTALL = "pip install 'near-compute-oracle[evm]'"
_ADDRESS = re.compile(r"(?:0x)?([0-9a-fA-F]{40})")
_HASH = re.compile(r"[0-9a-fA-F]{64}")


class AppContracts:
    """`DstackApp` contracts behind one JSON-RPC URL."""

    def __init__(self, rpc_url: str, *, chain_id: int | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """`chain_id`: the chain that the node has to be of; None asks any."""
        self._url, self._chain_id, self._timeout_s = rpc_url, chain_id, timeout_s

    async def allows(self, app_id_hex: str, compose_hash_hex: str) -> bool:
        """
        Whether the contract of an application has a compose hash among those it allows.

        Raises:
            TeeUnavailable: the node gives no answer in time, or none that can be read.
            EvidenceRefused: it is of another chain, there is no such contract, or what is asked about is no id or hash.
            ConfigurationError: web3 is not installed.
        """
        address, compose_hash = _ADDRESS.fullmatch(app_id_hex), _HASH.fullmatch(compose_hash_hex)
        if address is None or compose_hash is None:
            raise EvidenceRefused("an app id has 40 hex digits and a compose hash 64")
        try:
            from oracle.tee.evm_wire import is_allowed  # noqa: PLC0415  web3 is an extra, and slow to load
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                (f"the check of a compose hash on an EVM chain needs web3, which is not installed: {INSTALL}",)
            ) from error
        place = redacted_url(self._url)
        try:
            # Without decompression: a few bytes could become many before they are counted.
            async with asyncio.timeout(self._timeout_s), aiohttp.ClientSession(trust_env=False, auto_decompress=False) as session:
                return await is_allowed(self._url, session, self._chain_id, bytes.fromhex(address[1]), bytes.fromhex(compose_hash_hex))
        except TimeoutError as error:
            raise TeeUnavailable(f"{place} did not answer within {self._timeout_s:g} seconds") from error
        except TeeError as error:
            raise type(error)(f"{place}: {error}") from error
