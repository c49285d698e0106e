"""Where the machine's socket is: what `oracle tee info` and `oracle tee quote` need of the worker's settings, and no chain."""

from pathlib import Path

from pydantic import Field, SecretStr

from oracle.model.receipt import TeeMode
from oracle.settings import HomeSettings
from oracle.tee.dstack import DEFAULT_SOCKET


class SocketSettings(HomeSettings):
    """The same names and meanings as in the worker's settings."""

    tee_mode: TeeMode = Field(default=TeeMode.NONE, description="none or tdx")
    dstack_simulator_endpoint: str = Field(
        default=DEFAULT_SOCKET, description="the dstack socket: a path, or a URL that answers as it does"
    )
    tee_policy_file: Path | None = Field(default=None, description="a TOML file with the policy; unset: the default policy")
    tee_evm_rpc_url: SecretStr | None = Field(default=None, description="a node of an EVM chain (http or https); unset: nobody is asked")
    tee_evm_chain_id: int | None = Field(default=None, ge=1, description="the id of its chain; unset: any")
