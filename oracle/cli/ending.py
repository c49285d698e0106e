"""
How a request ended, read from a transaction's outcome or from the contract's own record of it.

Both come from a node, so they are parsed strictly and once; what other contracts write into the same transaction is passed over.
"""

import base64
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from oracle.errors import RpcUnavailable
from oracle.model import YoctoNear, yocto_from_text
from oracle.near.transactions import failure_text

_EVENT = "EVENT_JSON:"
_Count = Annotated[int, Field(ge=0, lt=2**64)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _Used(_Wire):
    instructions: _Count = 0
    time_ms: _Count = 0
    compile_time_ms: _Count | None = None


class _Settled(_Wire):
    """What `execution_completed` and `get_outcome` have in common."""

    success: bool
    resources_used: _Used = _Used()
    payment_charged: YoctoNear = YoctoNear(0)
    payment_refunded: YoctoNear = YoctoNear(0)

    @field_validator("payment_charged", "payment_refunded", mode="before")
    @classmethod
    def _amount(cls, value: object) -> int:
        return yocto_from_text(value) if isinstance(value, str) else int(str(value))


class _Completed(_Settled):
    request_id: _Count | None = None  # the deployed contract leaves it out
    error_message: str | None = None


class _Outcome(_Settled):
    request_id: _Count
    status: Literal["Succeeded", "Failed", "TimedOut", "Cancelled"]
    error: str | None = None
    block_height: _Count = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """A settled request. `status` is `succeeded`, `failed`, `timed out` or `cancelled`."""

    request_id: int | None
    status: str
    error: str | None
    instructions: int
    time_ms: int
    compile_time_ms: int | None
    charged: YoctoNear
    refunded: YoctoNear

    @property
    def succeeded(self) -> bool:
        """Whether the guest's answer went to the caller."""
        return self.status == "succeeded"

    def as_json(self) -> dict[str, object]:
        """For --json; amounts are decimal strings."""
        return {
            "request_id": self.request_id,
            "status": self.status,
            "error": self.error,
            "instructions": self.instructions,
            "time_ms": self.time_ms,
            "compile_time_ms": self.compile_time_ms,
            "charged_yocto": str(self.charged),
            "refunded_yocto": str(self.refunded),
        }


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transaction with a request has come."""

    request_id: int | None
    """None until the contract has taken the request in."""
    ending: Ending | None
    """None until the contract has settled it."""
    value: bytes | None
    """What the transaction returned; None while it runs, and when it failed."""
    failure: str | None
    """Why the transaction failed."""


def progress_of(outcome: Any, contract_id: str) -> Progress:
    """
    Read the answer to `tx`; only logs that the contract itself wrote in receipts that went through count.

    Raises:
        RpcUnavailable: it cannot be read.
    """
    try:
        status = outcome.get("status")
        logs = [log for receipt in outcome.get("receipts_outcome", ()) for log in _logs_of(receipt["outcome"], contract_id)]
        value = base64.b64decode(status["SuccessValue"]) if isinstance(status, dict) and "SuccessValue" in status else None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RpcUnavailable("the node's answer to tx cannot be read") from error
    events = [event for event in map(_event, logs) if event is not None]
    failure = failure_text(status["Failure"]) if isinstance(status, dict) and "Failure" in status else None
    request_id = next((_request_id(data) for name, data in events if name == "execution_requested"), None)
    ending = next((_completed(data, request_id) for name, data in events if name == "execution_completed"), None)
    return Progress(request_id, ending, value, failure)


def ending_from_outcome(raw: bytes) -> Ending | None:
    """
    Read what `get_outcome` returns; None when the contract knows nothing (more) of the request.

    Raises:
        RpcUnavailable: it cannot be read.
    """
    if raw.strip() in {b"null", b""}:
        return None
    try:
        told = _Outcome.model_validate_json(raw)
    except ValidationError as error:
        raise RpcUnavailable("get_outcome cannot be read") from error
    names = {"Succeeded": "succeeded", "Failed": "failed", "TimedOut": "timed out", "Cancelled": "cancelled"}
    return _ending(told, told.request_id, names[told.status], told.error)


def _logs_of(outcome: Any, contract_id: str) -> list[str]:
    if outcome["executor_id"] != contract_id or "Failure" in outcome["status"]:
        return []
    return [log for log in outcome["logs"] if log.startswith(_EVENT)]


def _event(log: str) -> tuple[str, Any] | None:
    try:
        envelope = json.loads(log.removeprefix(_EVENT))
        return str(envelope["event"]), envelope["data"][0]
    except (ValueError, RecursionError, KeyError, TypeError, IndexError):
        return None


def _request_id(data: Any) -> int | None:
    try:
        found = json.loads(data["request_data"])["request_id"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None


def _completed(data: Any, request_id: int | None) -> Ending | None:
    try:
        told = _Completed.model_validate(data)
    except ValidationError:
        return None
    return _ending(
        told, request_id if told.request_id is None else told.request_id, "succeeded" if told.success else "failed", told.error_message
    )


def _ending(told: _Settled, request_id: int | None, status: str, error: str | None) -> Ending:
    used = told.resources_used
    return Ending(
        request_id, status, error, used.instructions, used.time_ms, used.compile_time_ms, told.payment_charged, told.payment_refunded
    )
