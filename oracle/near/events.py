"""
Logs of the contract (NEP-297, `EVENT_JSON:{…}`) read into what the worker understands.

Whatever a log says, reading it never raises: what is not ours is passed over, and what looks like ours and cannot be read becomes
`Unreadable` with its reason.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from oracle.model import Completed, Extended, Origin, Requested, Unreadable
from oracle.near.wire import MAX_REQUEST_ID, request_from_json

DEFAULT_STANDARD = "near-outlayer"

PREFIX = "EVENT_JSON:"
MAX_LOG_CHARS = 65_536
"""Four times what a call may log in all (16,384 bytes, NEAR `max_total_log_length`), in case the chain grows."""
MAX_ENTRIES = 64
_MAX_KEPT_CHARS = 2_000
_MAX_ERROR_CHARS = 2_000

ContractEvent = Requested | Completed | Extended | Unreadable


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    standard: str
    event: str
    data: Annotated[list[Any], Field(max_length=MAX_ENTRIES)]


class _RequestedEntry(BaseModel):
    """`data_id` is not read: the contract finds the yield by the request's number."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    request_data: str


class _SettledEntry(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    request_id: Annotated[int, Field(ge=0, le=MAX_REQUEST_ID)] | None = None
    success: bool
    error_message: str | None = None


class _ExtendedEntry(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    request_id: Annotated[int, Field(ge=0, le=MAX_REQUEST_ID)]


def events_of_logs(logs: Sequence[str], origin: Origin, *, standard: str = DEFAULT_STANDARD) -> list[ContractEvent]:
    """Read the logs of one successful receipt of the contract."""
    return [event for log in logs for event in events_of_log(log, origin, standard=standard)]


def events_of_log(log: str, origin: Origin, *, standard: str = DEFAULT_STANDARD) -> list[ContractEvent]:
    """Read one log; most say nothing to us."""
    if not log.startswith(PREFIX):
        return []
    if len(log) > MAX_LOG_CHARS:
        return [_unreadable(f"a log of {len(log)} characters; at most {MAX_LOG_CHARS} are read", log, origin)]
    try:
        envelope = _Envelope.model_validate_json(log[len(PREFIX) :])
    except ValidationError as error:
        # Anybody's contract may log anything, but only logs of our contract come here.
        return [_unreadable(f"not an event: {_reason(error)}", log, origin)] if standard in log else []
    if envelope.standard != standard:
        return []
    return [event for entry in envelope.data if (event := _event(envelope.event, entry, log, origin)) is not None]


def _event(name: str, entry: object, log: str, origin: Origin) -> ContractEvent | None:
    try:
        match name:
            case "execution_requested":
                return Requested(request_from_json(_RequestedEntry.model_validate(entry).request_data), origin)
            case "execution_completed":
                settled = _SettledEntry.model_validate(entry)
                error = settled.error_message
                return Completed(settled.request_id, settled.success, None if error is None else error[:_MAX_ERROR_CHARS])
            case "execution_extended":
                return Extended(_ExtendedEntry.model_validate(entry).request_id, origin.block_height)
            case _:
                return None  # other events of the contract, and those of newer ones
    except ValidationError as error:
        return _unreadable(f"{name}: {_reason(error)}", log, origin)
    except ValueError as error:
        return _unreadable(f"{name}: request_data: {error}", log, origin)


def _reason(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    return f"{field}: {problem['msg']}" if field else problem["msg"]


def _unreadable(reason: str, log: str, origin: Origin) -> Unreadable:
    kept = log[:_MAX_KEPT_CHARS].encode("utf-8", "replace").decode()  # a lone surrogate could not be stored
    return Unreadable(origin.block_height, origin.receipt_id, reason[:_MAX_KEPT_CHARS].encode("utf-8", "replace").decode(), kept)
