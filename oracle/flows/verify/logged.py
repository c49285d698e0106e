"""
The contract's events in the logs of one outcome, whatever the contract calls its standard.

Who logged is known where this is asked, and the name of the standard may be another by now.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from oracle.model import Completed, Metrics, Origin, Request, Requested, Unreadable
from oracle.near.events import MAX_LOG_CHARS, PREFIX, ContractEvent, events_of_log


def requested_in(logs: Sequence[str], request_id: int) -> tuple[Request, int | None] | None:
    """A request that is told, and its place among all that are told; None: one of them cannot be read, whose place nobody knows."""
    return placed(list(_events(logs)), request_id)


def placed(events: Sequence[ContractEvent], request_id: int | None) -> tuple[Request, int | None] | None:
    """The same of events that were read; `request_id` None takes the first."""
    told = [event.request for event in events if isinstance(event, Requested)]
    is_whole = not any(isinstance(event, Unreadable) for event in events)
    found = ((request, place) for place, request in enumerate(told) if request_id in (None, request.request_id))
    return next(((request, place if is_whole else None) for request, place in found), None)


def completed_in(logs: Sequence[str], request_id: int) -> Completed | None:
    """The end of a request, where it is told with its success."""
    told = (event for event in _events(logs) if isinstance(event, Completed))
    return next((event for event in told if event.request_id == request_id and event.success is not None), None)


def used_in(logs: Sequence[str], request_id: int) -> Metrics | None:
    """What the event of a request's end says that it used; None: it does not say so in a way that is known."""
    for log in logs:
        told = _told(log)
        if told is None or told.get("event") != "execution_completed":
            continue
        for entry in told["data"] if isinstance(told.get("data"), list) else ():
            if isinstance(entry, dict) and entry.get("request_id") == request_id:
                return _metrics(entry.get("resources_used"))
    return None


def _metrics(used: Any) -> Metrics | None:
    try:
        figures = used["instructions"], used["time_ms"], used.get("compile_time_ms") or 0
    except (KeyError, TypeError, AttributeError):
        return None
    if not all(isinstance(figure, int) and not isinstance(figure, bool) and figure >= 0 for figure in figures):
        return None
    return Metrics(figures[0], figures[1], 0, used.get("compile_time_ms"))


def _events(logs: Sequence[str]) -> Iterator[ContractEvent]:
    for log in logs:
        standard = _standard(log)
        if standard is not None:
            yield from events_of_log(log, Origin(), standard=standard)


def _standard(log: str) -> str | None:
    told = _told(log)
    standard = None if told is None else told.get("standard")
    return standard if isinstance(standard, str) else None


def _told(log: str) -> dict[str, Any] | None:
    if not log.startswith(PREFIX) or len(log) > MAX_LOG_CHARS:
        return None
    try:
        told = json.loads(log.removeprefix(PREFIX))
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
