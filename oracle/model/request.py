"""A request as the contract wrote it, and where on chain it came from."""

from dataclasses import dataclass, replace

from oracle.model.answer import OutputFormat
from oracle.model.limits import Limits
from oracle.model.money import YoctoNear
from oracle.model.source import Source

MAX_KEPT_INPUT_CHARS = 10_000
"""Longer inputs stay in the contract's state."""


@dataclass(frozen=True, slots=True)
class SecretsRef:
    """Whose secrets, under which profile."""

    profile: str
    account_id: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the request was seen. What is not known (it was found through `get_request`) is an empty string or 0."""

    transaction_hash: str = ""
    receipt_id: str = ""
    block_height: int = 0
    block_timestamp_ns: int = 0
    signer_public_key: str = ""
    gas_burnt: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """
    One call of `request_execution`.

    `input_data` is None while it lies in the contract's state (10,000 bytes and more); the worker reads it with `get_request` before it
    runs.
    `limits` is None for compile only.
    """

    request_id: int
    sender_id: str
    predecessor_id: str
    source: Source
    limits: Limits | None
    input_data: str | None
    response_format: OutputFormat
    payment: YoctoNear
    timestamp_ns: int
    secrets_ref: SecretsRef | None = None
    compile_only: bool = False
    force_rebuild: bool = False
    attached_usd: str = ""
    project_id: str | None = None
    project_uuid: str | None = None

    def light(self) -> "Request":
        """The same without an input that the contract would keep in its state: it is read again before the guest runs."""
        is_long = self.input_data is not None and len(self.input_data) >= MAX_KEPT_INPUT_CHARS
        return replace(self, input_data=None) if is_long else self

    @property
    def runs_guest(self) -> bool:
        """Whether a guest is to be run at all (not compile only)."""
        return self.limits is not None and not self.compile_only
