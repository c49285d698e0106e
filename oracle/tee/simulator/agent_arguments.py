"""
What the guest agent's methods take, parsed once and bounded.

Bytes are hex, with or without 0x. Source: dstack's `agent_rpc.proto`.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _from_hex(value: object) -> object:
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else value


Bytes = Annotated[bytes, BeforeValidator(_from_hex)]
Text = Annotated[str, Field(max_length=4_096)]


class Arguments(BaseModel):
    """What all have in common: a missing field has its default, an unknown one passes."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class NoArguments(Arguments):
    """Info, Version, GpuInfo."""


class QuoteArguments(Arguments):
    """GetQuote, Attest, RawQuote."""

    report_data: Bytes = b""


class TdxQuoteArguments(Arguments):
    """TdxQuote (0.3)."""

    report_data: Bytes = b""
    hash_algorithm: Text = ""
    prefix: Text = ""


class KeyArguments(Arguments):
    """GetKey, DeriveK256Key."""

    path: Text = ""
    purpose: Text = ""
    algorithm: Text = ""


class TlsKeyArguments(Arguments):
    """GetTlsKey."""

    subject: Text = ""
    alt_names: list[Text] = Field(default=[], max_length=100)
    usage_ra_tls: bool = False
    usage_server_auth: bool = False
    usage_client_auth: bool = False
    not_before: int | None = Field(default=None, ge=0)
    not_after: int | None = Field(default=None, ge=0)


class DeriveKeyArguments(TlsKeyArguments):
    """DeriveKey (0.3)."""

    path: Text = ""
    random_seed: bool = False


class SignArguments(Arguments):
    """Sign."""

    algorithm: Text = ""
    data: Bytes = b""


class VerifyArguments(SignArguments):
    """Verify."""

    signature: Bytes = b""
    public_key: Bytes = b""


class EventArguments(Arguments):
    """EmitEvent."""

    event: str = ""
    payload: Bytes = b""
