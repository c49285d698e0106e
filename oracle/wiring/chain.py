"""Settings to a chain and its contract, checked to be the chain that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from oracle.errors import ConfigurationError
from oracle.near import Contract, Rpc
from oracle.ports import SystemClock
from oracle.settings import ChainSettings, redacted_url


@dataclass(frozen=True, slots=True)
class Chain:
    """A node to ask, and the contract on it."""

    rpc: Rpc
    contract: Contract
    contract_id: str


@asynccontextmanager
async def open_chain(settings: ChainSettings) -> AsyncIterator[Chain]:
    """
    Connect to the chain of the settings.

    Raises:
        RpcUnavailable: no node answers.
        ConfigurationError: it is another chain.
    """
    async with Rpc(settings.rpc_urls, SystemClock()) as rpc:
        await check_network(rpc, settings)
        yield Chain(rpc, Contract(rpc, settings.offchainvm_contract_id), settings.offchainvm_contract_id)


async def check_network(rpc: Rpc, settings: ChainSettings) -> None:
    """
    Compare the chain's own name with the settings': what may be fetched and built hangs on it.

    Raises:
        RpcUnavailable: no node answers.
        ConfigurationError: they differ.
    """
    chain_id = await rpc.chain_id()
    if chain_id != settings.near_network_id:
        places = ", ".join(redacted_url(url) for url in settings.rpc_urls)
        problem = (
            f"NEAR_NETWORK_ID={settings.near_network_id!r}: the chain behind NEAR_RPC_URL ({places}) is {chain_id[:50]!r}; "
            "make the two the same"
        )
        raise ConfigurationError((problem,))
