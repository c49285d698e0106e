"""
The register contract as a worker sees it (docs/register-contract.md, PROTOCOL "Register contract"): views read once into values.

A node may say anything; what it says decides only whether gas is spent, for the contract judges everything again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from oracle.errors import ConfigurationError, EvidenceRefused, RpcUnavailable
from oracle.model import Measurements
from oracle.near import Contract, Rpc
from oracle.near.rpc_errors import AccountUnknown, MethodMissing
from oracle.tee.collateral import Collateral

PAGE = 100
MAX_PAGES = 100

_Digits = Annotated[str, Field(pattern=r"^\d{1,39}$")]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


_AnyWire = TypeVar("_AnyWire", bound=_Wire)


class Config(_Wire):
    """`get_config`."""

    owner_id: str
    outlayer_contract_id: str
    init_worker_account: str | None


class ContractPolicy(_Wire):
    """`get_policy`: what the contract accepts of a platform and of its collateral."""

    accepted_tcb_statuses: tuple[str, ...]
    accepted_advisories: tuple[str, ...]
    min_tcb_evaluation_data_number: int
    max_tcb_evaluation_data_number: int
    registration_lifetime_seconds: _Digits
    max_collateral_age_seconds: _Digits

    @property
    def lifetime_s(self) -> int:
        """How long a registration lasts, from the block time in its quote."""
        return int(self.registration_lifetime_seconds)

    @property
    def max_age_s(self) -> int:
        """How old collateral may be."""
        return int(self.max_collateral_age_seconds)


class _Measured(_Wire):
    mrtd: str
    rtmr0: str
    rtmr1: str
    rtmr2: str
    rtmr3: str


class _Worker(_Wire):
    public_key: str
    measurements: _Measured
    seen_block_time: _Digits
    settings_sha256: str
    expires_at: _Digits
    expired: bool
    renewals: int


@dataclass(frozen=True, slots=True)
class Registered:
    """
    A worker in the contract's list; `expired` at the time of the block that was asked.

    `measured`: the five registers' names with 96 hex digits each. `seen_block_time_ns`: what its quote was made for.
    """

    public_key: str
    measured: Mapping[str, str]
    seen_block_time_ns: int
    settings_sha256_hex: str
    expires_at_ns: int
    expired: bool
    renewals: int


class RegisterContract:
    """
    The contract on one account.

    Every method raises `ChainError` when no node answers, and `ConfigurationError` when the account has no register contract.
    """

    def __init__(self, rpc: Rpc, account_id: str) -> None:
        self.account_id = account_id
        self._contract = Contract(rpc, account_id)

    async def config(self) -> Config:
        """Who owns it, and which main contract its keys may call."""
        return _read(Config, await self._view("get_config"), "get_config")

    async def policy(self) -> ContractPolicy:
        """What it accepts."""
        return _read(ContractPolicy, await self._view("get_policy"), "get_policy")

    async def root_der(self) -> bytes:
        """The root certificate it trusts, DER."""
        told = _parsed(await self._view("get_root"), "get_root")
        try:
            return bytes.fromhex(told)
        except (TypeError, ValueError) as error:
            raise RpcUnavailable("get_root did not answer with hex digits") from error

    async def approves(self, measurements: Measurements) -> bool:
        """Whether its owner has approved these five."""
        wanted = measurements.hex_fields()
        for page in range(MAX_PAGES):
            told = _parsed(await self._view("get_approved_measurements", from_index=page * PAGE, limit=PAGE), "get_approved_measurements")
            if not isinstance(told, list):
                raise RpcUnavailable("get_approved_measurements did not answer with a list")
            if any(_checked(_Measured, entry, "get_approved_measurements").model_dump() == wanted for entry in told):
                return True
            if len(told) < PAGE:
                return False
        raise RpcUnavailable(f"get_approved_measurements lists more than {MAX_PAGES * PAGE} entries; this is no list of this contract")

    async def worker(self, *, public_key: str | None = None, rtmr3_hex: str | None = None) -> Registered | None:
        """A worker by its key, or the newest with an RTMR3."""
        name: dict[str, object] = {"public_key": public_key} if rtmr3_hex is None else {"rtmr3": rtmr3_hex}
        raw = await self._view("get_worker", **name)
        if raw.strip() in {b"null", b""}:
            return None
        told = _read(_Worker, raw, "get_worker")
        return Registered(
            public_key=told.public_key,
            measured=told.measurements.model_dump(),
            seen_block_time_ns=int(told.seen_block_time),
            settings_sha256_hex=told.settings_sha256,
            expires_at_ns=int(told.expires_at),
            expired=told.expired,
            renewals=told.renewals,
        )

    async def is_revoked(self, public_key: str) -> bool:
        """Whether the key has a tombstone."""
        return _parsed(await self._view("is_worker_revoked", public_key=public_key), "is_worker_revoked") is True

    async def collateral(self, fmspc: bytes) -> Collateral | None:
        """What it has stored for a platform; None also where that cannot be read, for then it serves nobody."""
        raw = await self._view("get_collateral", fmspc=fmspc.hex())
        if raw.strip() in {b"null", b""}:
            return None
        try:
            return Collateral.from_json(raw.decode())
        except (EvidenceRefused, UnicodeDecodeError):
            return None

    async def deposit_yocto(self, collateral: Collateral | None) -> int:
        """A deposit that is enough for a registration, with the collateral that comes along."""
        arguments: dict[str, object] = {} if collateral is None else {"collateral": collateral.without_pck_chain().members()}
        told = _parsed(await self._view("estimate_deposit", **arguments), "estimate_deposit")
        if not (isinstance(told, str) and told.isascii() and told.isdigit() and len(told) <= 39):
            raise RpcUnavailable("estimate_deposit did not answer with an amount")
        return int(told)

    async def minimum_gas(self) -> int:
        """The least gas to attach to a registration."""
        told = _parsed(await self._view("get_minimum_gas"), "get_minimum_gas")
        if not isinstance(told, int) or not 0 < told <= 10**15:
            raise RpcUnavailable("get_minimum_gas did not answer with an amount of gas")
        return told

    async def _view(self, method: str, **arguments: object) -> bytes:
        try:
            return await self._contract.view(method, arguments)
        except (AccountUnknown, MethodMissing) as error:
            raise ConfigurationError(
                (f"REGISTER_CONTRACT_ID={self.account_id!r}: there is no register contract of this kind on it ({error}); deploy it there",)
            ) from error


def _parsed(raw: bytes, method: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise RpcUnavailable(f"the contract's answer to {method} is not JSON") from error


def _read(kind: type[_AnyWire], raw: bytes, method: str) -> _AnyWire:
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        raise RpcUnavailable(f"the contract's answer to {method} cannot be read") from error


def _checked(kind: type[_AnyWire], value: object, method: str) -> _AnyWire:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise RpcUnavailable(f"the contract's answer to {method} cannot be read") from error
