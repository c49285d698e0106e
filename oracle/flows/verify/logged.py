"""
The contract's events in the logs of one outcome, whatever the contract calls its standard.

Who logged is known where this is asked, and the name of the standard may be another by now.
"""

import json
from collections.abc import Iterator, Sequence

from oracle.model import Completed, Origin, Request, Requested
from oracle.near.events import MAX_LOG_CHARS, PREFIX, ContractEvent, events_of_log


def requested_in(logs: Sequence[str], request_id: int) -> tuple[Request, int] | None:
    """A request that is told, and its place among all that are told."""
    told = [event.request for event in _events(logs) if isinstance(event, Requested)]
    return next(((request, place) for place, request in enumerate(told) if request.request_id == request_id), None)


def completed_in(logs: Sequence[str], request_id: int) -> Completed | None:
    """The end of a request, where it is told with its success."""
    told = (event for event in _events(logs) if isinstance(event, Completed))
    return next((event for event in told if event.request_id == request_id and event.success is not None), None)


def _events(logs: Sequence[str]) -> Iterator[ContractEvent]:
    for log in logs:
        standard = _standard(log)
        if standard is not None:
            yield from events_of_log(log, Origin(), standard=standard)


def _standard(log: str) -> str | None:
    if not log.startswith(PREFIX) or len(log) > MAX_LOG_CHARS:
        return None
    try:
        told = json.loads(log.removeprefix(PREFIX))
    except (ValueError, RecursionError):
        return None
    standard = told.get("standard") if isinstance(told, dict) else None
    return standard if isinstance(standard, str) else None
