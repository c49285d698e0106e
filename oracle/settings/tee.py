"""What a trusted machine needs, and whatever else its security rests on: the settings that a registration's quote covers."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from oracle.model.receipt import TeeMode
from oracle.settings.kinds import LOCAL_CHAIN, ChainSettings
from oracle.settings.values import account_id, http_url, missing, private_key, redacted_url

MAX_QUOTE_BATCH_MS = 1_000  # a receipt that waits longer for company holds its answer up for no gain


class TeeSettings(ChainSettings):
    """What `register-worker` needs, and `oracle run` beside its own."""

    tee_mode: TeeMode = Field(default=TeeMode.NONE, description="none or tdx")
    register_contract_id: str | None = Field(
        default=None, validate_default=True, description="account id of the register contract, which is the operator's account"
    )
    init_account_id: str | None = Field(
        default=None, validate_default=True, description="the account that signs and pays registrations, with no other right"
    )
    init_account_private_key: SecretStr | None = Field(
        default=None, validate_default=True, description="a full-access key of that account; ed25519: and 64 bytes in base58"
    )
    dstack_simulator_endpoint: str = Field(
        default="/var/run/dstack.sock", description="the dstack socket: a path, or a URL that answers as it does"
    )
    pccs_url: str = Field(
        default="https://api.trustedservices.intel.com",
        description="where collateral comes from: Intel's PCS, or a cache of it (http or https)",
    )
    tee_root_ca: Path | None = Field(
        default=None, description="a root certificate (PEM or DER) other than Intel's, for tests; everything is then marked as a test"
    )
    tee_policy_file: Path | None = Field(default=None, description="a TOML file with the policy; unset: the default policy")
    quote_batch_ms: int = Field(
        default=0,
        ge=0,
        le=MAX_QUOTE_BATCH_MS,
        description=f"how long a receipt waits for others to share a quote with, 0 to {MAX_QUOTE_BATCH_MS} ms; 0: a quote each",
    )
    tee_evm_rpc_url: SecretStr | None = Field(
        default=None,
        description="a node of the EVM chain where the application's owner says which compose files are allowed (http or https), "
        "for `oracle doctor`; an API key may be part of it; unset: nobody is asked",
    )
    tee_evm_chain_id: int | None = Field(
        default=None, ge=1, description="the id of the chain that it has to be of, such as 8453 for Base; unset: any"
    )
    build_backend: Literal["none"] | None = Field(
        default=None,
        description="none (sources are built without a sandbox, local chain only); unset: GitHub sources are answered with a failure",
    )

    @field_validator("tee_mode", mode="before")
    @classmethod
    def _lower_mode(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("register_contract_id", "init_account_id")
    @classmethod
    def _accounts(cls, text: str | None, info: ValidationInfo) -> str | None:
        _check_needed(text, info)
        return None if text is None else account_id(text)

    @field_validator("init_account_private_key")
    @classmethod
    def _init_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        _check_needed(key, info)
        return None if key is None else SecretStr(private_key(key.get_secret_value().strip()))

    @field_validator("dstack_simulator_endpoint")
    @classmethod
    def _socket(cls, text: str) -> str:
        return http_url(text) if "://" in text else text

    @field_validator("pccs_url")
    @classmethod
    def _service(cls, text: str) -> str:
        url = http_url(text)
        if urlsplit(url).query or "#" in url:
            raise ValueError(
                f"{redacted_url(url)} has a query, and the documents' names are put behind it: a key goes into the path or the user"
            )
        return url

    @field_validator("tee_evm_rpc_url")
    @classmethod
    def _evm_node(cls, url: SecretStr | None) -> SecretStr | None:
        return None if url is None else SecretStr(http_url(url.get_secret_value().strip()))

    @field_validator("tee_root_ca", "tee_policy_file")
    @classmethod
    def _home(cls, path: Path | None) -> Path | None:
        try:
            return None if path is None else path.expanduser()
        except RuntimeError as error:
            raise ValueError("names a home directory that cannot be found; set an absolute path") from error

    @field_validator("build_backend")
    @classmethod
    def _unsandboxed(cls, backend: str | None, info: ValidationInfo) -> str | None:
        network = info.data.get("near_network_id", LOCAL_CHAIN)
        if backend == "none" and network != LOCAL_CHAIN:
            raise ValueError(f"lets strangers' sources run on this machine: leave it unset while NEAR_NETWORK_ID is {network}")
        return backend

    @property
    def is_attested(self) -> bool:
        """Whether quotes vouch for the worker's software."""
        return self.tee_mode is TeeMode.TDX

    def secrets(self) -> tuple[str, ...]:
        """See `ChainSettings.secrets`."""
        key = self.init_account_private_key
        urls = (self.pccs_url, "" if self.tee_evm_rpc_url is None else self.tee_evm_rpc_url.get_secret_value())
        services = (url for url in urls if url and redacted_url(url).endswith("…"))
        return (*super().secrets(), *(() if key is None else (key.get_secret_value(),)), *services)


def _check_needed(value: object, info: ValidationInfo) -> None:
    if value is None and info.data.get("tee_mode") is TeeMode.TDX:
        raise missing()
