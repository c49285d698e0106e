"""What the application's owner says of the machine's compose file, on an EVM chain."""

from collections.abc import AsyncIterator

from oracle.cli.checks.check import Check, ok, warn
from oracle.flows.verify.owner import EvmNodes, ask_owner
from oracle.settings import TeeSettings
from oracle.tee.dstack import MachineInfo

_SETTING = "TEE_EVM_RPC_URL"
_ALLOW = (
    "let the application's owner call addComposeHash, or start a compose file that is allowed: dstack's key service gives this one no keys "
    "at the next start, and `oracle verify --evm-rpc` says FAILED"
)


async def check_owner(settings: TeeSettings, info: MachineInfo) -> AsyncIterator[Check]:
    """Nothing where no node is named; the worker can start whatever it says, so that it is no failure."""
    if settings.tee_evm_rpc_url is None:
        return
    nodes = EvmNodes((settings.tee_evm_rpc_url.get_secret_value(),), settings.tee_evm_chain_id)
    (word,) = await ask_owner(nodes, info.app_id, info.compose_hash)
    about = f"compose hash {info.compose_hash}, contract 0x{info.app_id}"
    if word.allows:
        yield ok("owner", f"{about}: {word.told}")
    else:
        yield warn("owner", f"{about}: {word.told}", word.mend(_SETTING) or _ALLOW)
