"""The demonstration's settings as a shell file, so that other commands find its chain: `. FILE`, then `oracle request …`."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from oracle.settings import Settings

FILE_NAME = "environment"


def write_environment(settings: Settings, asker_id: str, asker_key: str) -> Path:
    """
    Write it into the demonstration's home, for its owner alone: it holds the keys of the operator and of who asks.

    Every line is an `export`, because what the caller's shell has set already stands above a `.env` file.
    """
    path = settings.oracle_home / FILE_NAME
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in _values(settings, asker_id, asker_key).items())
        file.write(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"\n')  # where `oracle` is, outside its venv too
    return path


def _values(settings: Settings, asker_id: str, asker_key: str) -> Mapping[str, str]:
    return {
        "NEAR_NETWORK_ID": settings.near_network_id,
        "NEAR_RPC_URL": ",".join(settings.rpc_urls),
        "NEARDATA_API_URL": settings.block_api_url or "",
        "OFFCHAINVM_CONTRACT_ID": settings.offchainvm_contract_id,
        "OPERATOR_ACCOUNT_ID": settings.operator_account_id,
        "OPERATOR_PRIVATE_KEY": ",".join(settings.operator_keys),
        "API_LISTEN": str(settings.api_listen),
        "ORACLE_HOME": str(settings.oracle_home),
        "DATABASE_URL": "",  # empty counts as unset
        **_of_trusted_machine(settings),
        "NEAR_ACCOUNT_ID": asker_id,
        "NEAR_ACCOUNT_PRIVATE_KEY": asker_key,
    }


def _of_trusted_machine(settings: Settings) -> Mapping[str, str]:
    """Empty values count as unset; they hide what the caller's shell may have set."""
    payer_key = settings.init_account_private_key
    return {
        "TEE_MODE": settings.tee_mode.value,
        "REGISTER_CONTRACT_ID": settings.register_contract_id or "",
        "INIT_ACCOUNT_ID": settings.init_account_id or "",
        "INIT_ACCOUNT_PRIVATE_KEY": "" if payer_key is None else payer_key.get_secret_value(),
        "DSTACK_SIMULATOR_ENDPOINT": settings.dstack_simulator_endpoint,
        "PCCS_URL": settings.pccs_url,
        "TEE_ROOT_CA": str(settings.tee_root_ca or ""),
        "TEE_POLICY_FILE": str(settings.tee_policy_file or ""),
    }
