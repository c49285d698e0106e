"""The settings themselves: one frozen class for each thing a command may need, each field with what it wants."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from oracle.model.limits import BYTES_A_MB
from oracle.settings.values import Listen, account_id, http_url, private_key, redacted_url, split_list

ENV_FILE = ".env"
LOCAL_CHAIN = "localnet"
MAX_WORKER_CONCURRENCY = 256  # each running guest is a process of its own; more is a mistake in the setting
MIN_GUEST_MEMORY_MB = 192  # one guest of the contract's default of 128 MB, and its process


class HomeSettings(BaseSettings):
    """What every command needs: where state lies and how to log."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_file=ENV_FILE, env_file_encoding="utf-8", env_ignore_empty=True, hide_input_in_errors=True
    )

    oracle_home: Path = Field(
        default=Path("~/.local/share/near-compute-oracle"),
        validate_default=True,
        description="a directory of the worker's own for database, caches and keys; made with mode 0700",
    )
    database_url: str | None = Field(
        default=None, description="sqlite:///PATH (three slashes and a path); unset: jobs.sqlite in ORACLE_HOME"
    )
    log_format: Literal["console", "json"] = Field(default="console", description="console or json")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="debug, info, warning or error")

    @field_validator("oracle_home", mode="after")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        try:
            return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100  resolve() would follow links of a home that is not made yet
        except RuntimeError as error:
            raise ValueError("names a home directory that cannot be found; set an absolute path") from error

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _sqlite(cls, url: str | None) -> str | None:
        if url is None or (url.startswith("sqlite:///") and len(url) > len("sqlite:///") and "?" not in url):
            return url
        raise ValueError("is no database this version keeps jobs in (a fleet's database comes with the coordinator)")

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.oracle_home / "jobs.sqlite" if self.database_url is None else Path(self.database_url.removeprefix("sqlite:///"))


class ChainSettings(HomeSettings):
    """Which chain and which contract."""

    near_network_id: Literal["localnet", "testnet", "mainnet"] = Field(
        description="localnet, testnet or mainnet; the chain_id that NEAR_RPC_URL reports must be the same"
    )
    near_rpc_url: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(SecretStr("http://127.0.0.1:3030"),),
        description="JSON-RPC URLs, separated by commas and tried in order; an API key may be part of them",
    )
    offchainvm_contract_id: str = Field(description="account id of the main contract, for example outlayer.testnet")

    @field_validator("near_rpc_url", mode="before")
    @classmethod
    def _urls(cls, value: object) -> tuple[SecretStr, ...]:
        urls = tuple(SecretStr(http_url(url)) for url in split_list(value))
        if not urls:
            raise ValueError("holds no URL")
        return urls

    @field_validator("offchainvm_contract_id")
    @classmethod
    def _contract(cls, text: str) -> str:
        return account_id(text)

    @property
    def rpc_urls(self) -> tuple[str, ...]:
        """The JSON-RPC URLs in the clear, API keys included."""
        return tuple(url.get_secret_value() for url in self.near_rpc_url)

    @property
    def is_local_chain(self) -> bool:
        """Whether the chain is a local one, on which file:// and http:// sources are taken."""
        return self.near_network_id == LOCAL_CHAIN

    def secrets(self) -> tuple[str, ...]:
        """Every text that may never be shown: keys, and URLs that hold more than a host."""
        return tuple(url for url in self.rpc_urls if redacted_url(url).endswith("…"))


class RequesterSettings(ChainSettings):
    """Who asks, for `oracle request`."""

    near_account_id: str | None = Field(default=None, description="the account that `oracle request` asks from (or --account)")
    near_account_private_key: SecretStr | None = Field(
        default=None, description="a full-access key of that account (or --key-file); ed25519: and 64 bytes in base58"
    )

    @field_validator("near_account_id")
    @classmethod
    def _account(cls, text: str | None) -> str | None:
        return None if text is None else account_id(text)

    @field_validator("near_account_private_key")
    @classmethod
    def _key(cls, key: SecretStr | None) -> SecretStr | None:
        return None if key is None else SecretStr(private_key(key.get_secret_value().strip()))

    def secrets(self) -> tuple[str, ...]:
        """See `ChainSettings.secrets`."""
        key = self.near_account_private_key
        return (*super().secrets(), *(() if key is None else (key.get_secret_value(),)))


class Settings(ChainSettings):
    """What the worker needs."""

    neardata_api_url: SecretStr | None = Field(default=None, description="block API (http or https); unset: blocks over RPC")
    operator_account_id: str = Field(description="the contract's operator, who answers")
    operator_private_key: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        description="keys of the operator, separated by commas; each ed25519: and 64 bytes in base58"
    )
    start_block_height: int | None = Field(
        default=None, ge=1, description="a height to begin at when there is no cursor; unset: the final block"
    )
    worker_concurrency: int = Field(
        default_factory=lambda: min(2 * len(os.sched_getaffinity(0)), MAX_WORKER_CONCURRENCY),
        ge=1,
        le=MAX_WORKER_CONCURRENCY,
        description=f"how many guests run at once, a whole number from 1 to {MAX_WORKER_CONCURRENCY}; unset: twice the cores",
    )
    guest_memory_mb: int | None = Field(
        default=None,
        ge=MIN_GUEST_MEMORY_MB,
        description=f"memory of all running guests together in MB, at least {MIN_GUEST_MEMORY_MB}; unset: three quarters of the machine's",
    )
    build_backend: Literal["none"] | None = Field(
        default=None,
        description="none (sources are built without a sandbox, local chain only); unset: GitHub sources are answered with a failure",
    )
    api_listen: Annotated[Listen, NoDecode] = Field(default=Listen("127.0.0.1", 8070), description="HOST:PORT; port 0 takes a free one")

    @field_validator("neardata_api_url")
    @classmethod
    def _block_api(cls, url: SecretStr | None) -> SecretStr | None:
        return None if url is None else SecretStr(http_url(url.get_secret_value()))

    @field_validator("operator_account_id")
    @classmethod
    def _operator(cls, text: str) -> str:
        return account_id(text)

    @field_validator("operator_private_key", mode="before")
    @classmethod
    def _keys(cls, value: object) -> tuple[SecretStr, ...]:
        keys = [private_key(key) for key in split_list(value)]
        if not keys:
            raise ValueError("holds no key")
        if len(set(keys)) < len(keys):
            raise ValueError("names the same key twice; give each key once")
        return tuple(SecretStr(key) for key in keys)

    @field_validator("build_backend")
    @classmethod
    def _unsandboxed(cls, backend: str | None, info: ValidationInfo) -> str | None:
        network = info.data.get("near_network_id", LOCAL_CHAIN)
        if backend == "none" and network != LOCAL_CHAIN:
            raise ValueError(f"lets strangers' sources run on this machine: leave it unset while NEAR_NETWORK_ID is {network}")
        return backend

    @field_validator("api_listen", mode="before")
    @classmethod
    def _listen(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        host, colon, port = value.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65_535):
            raise ValueError("is no address to listen on")
        return Listen(host, int(port))

    @property
    def block_api_url(self) -> str | None:
        """The block API in the clear."""
        return None if self.neardata_api_url is None else self.neardata_api_url.get_secret_value()

    @property
    def guest_memory_bytes(self) -> int | None:
        """For all running guests together; None: the guest room looks at the machine."""
        return None if self.guest_memory_mb is None else self.guest_memory_mb * BYTES_A_MB

    @property
    def operator_keys(self) -> tuple[str, ...]:
        """The operator's secret keys in the clear."""
        return tuple(key.get_secret_value() for key in self.operator_private_key)

    def secrets(self) -> tuple[str, ...]:
        """See `ChainSettings.secrets`."""
        block_api = (self.block_api_url,) if self.block_api_url and redacted_url(self.block_api_url).endswith("…") else ()
        return (*super().secrets(), *self.operator_keys, *block_api)


class GivenSettings(Settings):
    """The worker's settings from arguments alone, blind to environment and `.env`: for a chain started by the caller."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, nothing else."""
        return (init_settings,)
