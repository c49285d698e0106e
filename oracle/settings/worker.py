"""What the worker needs."""

import os
from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource

from oracle.model.limits import BYTES_A_MB
from oracle.model.receipt import TeeMode
from oracle.settings.tee import TeeSettings
from oracle.settings.values import Listen, account_id, http_url, missing, private_key, redacted_url, split_list

MAX_WORKER_CONCURRENCY = 256  # each running guest is a process of its own; more is a mistake in the setting
MIN_GUEST_MEMORY_MB = 192  # one guest of the contract's default of 128 MB, and its process


class Settings(TeeSettings):
    """What the worker needs."""

    neardata_api_url: SecretStr | None = Field(default=None, description="block API (http or https); unset: blocks over RPC")
    operator_account_id: str = Field(description="the contract's operator, who answers")
    operator_private_key: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        validate_default=True,
        description="keys of the operator, separated by commas; each ed25519: and 64 bytes in base58 (none with TEE_MODE=tdx)",
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
    api_listen: Annotated[Listen, NoDecode] = Field(default=Listen("127.0.0.1", 8070), description="HOST:PORT; port 0 takes a free one")

    @field_validator("neardata_api_url")
    @classmethod
    def _block_api(cls, url: SecretStr | None) -> SecretStr | None:
        return None if url is None else SecretStr(http_url(url.get_secret_value()))

    @field_validator("operator_account_id")
    @classmethod
    def _operator(cls, text: str, info: ValidationInfo) -> str:
        operator, registered_on = account_id(text), info.data.get("register_contract_id")
        if info.data.get("tee_mode") is TeeMode.TDX and registered_on not in {None, operator}:
            raise ValueError(f"with TEE_MODE=tdx the key comes on the account of REGISTER_CONTRACT_ID, {registered_on}: name that one")
        return operator

    @field_validator("operator_private_key", mode="before")
    @classmethod
    def _keys(cls, value: object, info: ValidationInfo) -> tuple[SecretStr, ...]:
        if info.data.get("tee_mode") is TeeMode.TDX:
            if split_list(value):
                raise ValueError("with TEE_MODE=tdx the key is made in memory at each start, and none is taken: remove it")
            return ()
        if value == ():
            raise missing()
        keys = [private_key(key) for key in split_list(value)]
        if not keys:
            raise ValueError("holds no key")
        if len(set(keys)) < len(keys):
            raise ValueError("names the same key twice; give each key once")
        return tuple(SecretStr(key) for key in keys)

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
