"""Settings of the commands that ask: one frozen class for each thing a command may need, each field with what it wants."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from oracle.settings.values import account_id, http_url, private_key, redacted_url, split_list

ENV_FILE = ".env"
LOCAL_CHAIN = "localnet"


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
