"""
What a machine said of its software: a file with the answer of `GetQuote`, of `Info`, or what `dstack-mr measure --json` computed.

A quote's registers are read, not verified (`oracle tee verify-quote` does that); `Info` is the machine's word. Either way RTMR3 has to be
what the event log replays to, so that whoever approves knows which app it stands for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from oracle.errors import EvidenceRefused
from oracle.model import Measurements
from oracle.model.tee import MEASUREMENT_BYTES, MEASUREMENT_NAMES
from oracle.tee.eventlog import EventLog
from oracle.tee.quote import parse_quote, read_quote
from phala.refused import Refused

MAX_FILE_BYTES = 4 * 1024 * 1024
_OF_IMAGE = MEASUREMENT_NAMES[:4]


@dataclass(frozen=True, slots=True)
class Said:
    """
    What a file says. `image_hex`: MRTD and RTMR0 to RTMR2, 96 hex digits each; `rtmr3_hex` and `log` are None where it says nothing of
    an app.
    """

    image_hex: tuple[str, ...]
    rtmr3_hex: str | None
    log: EventLog | None
    is_quoted: bool

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """
        Read one.

        Raises:
            Refused: it is none of them, or its event log does not replay to its registers.
        """
        fields = _object(path)
        told = fields.get("tcb_info", fields)
        if isinstance(told, str):
            told = _parsed(told, path)
        try:
            if "quote" in fields:
                return cls._of_quote(fields)
            if isinstance(told, dict) and set(_OF_IMAGE) <= told.keys():
                return cls._of_info(told)
        except EvidenceRefused as error:
            raise Refused(f"{path}: {error}") from error
        raise Refused(f"{path}: wanted: JSON with quote and event_log (GetQuote), tcb_info (Info), or mrtd and rtmr0 to rtmr2 (dstack-mr)")

    @classmethod
    def _of_quote(cls, fields: dict[str, Any]) -> Self:
        measurements = parse_quote(read_quote(str(fields["quote"]))).report.measurements
        if measurements is None:
            raise EvidenceRefused("the quote is one of SGX; a confidential machine's is of TDX")
        log = EventLog.from_json(_text(fields.get("event_log", "")))
        log.check_replays_to(measurements)
        values = tuple(measurements.hex_fields().values())
        return cls(values[:4], values[4], log, is_quoted=True)

    @classmethod
    def _of_info(cls, told: dict[str, Any]) -> Self:
        image_hex = tuple(_register(told, name) for name in _OF_IMAGE)
        if not told.get("event_log"):
            return cls(image_hex, None, None, is_quoted=False)
        log, rtmr3_hex = EventLog.from_json(_text(told["event_log"])), _register(told, "rtmr3")
        log.check_replays_to(Measurements(*map(bytes.fromhex, (*image_hex, rtmr3_hex))))
        return cls(image_hex, rtmr3_hex, log, is_quoted=False)


def read_measurements(path: Path) -> Measurements:
    """
    The five of a file with them all, such as the one that `scripts/expected-measurements.py` writes.

    Raises:
        Refused: it cannot be read, or lacks one.
    """
    fields = _object(path)
    inner = fields.get("measurements", fields)
    if not isinstance(inner, dict):
        raise Refused(f"{path}: measurements is no JSON object")
    return measurements_of(inner, str(path))


def measurements_of(values: Mapping[str, object], what: str) -> Measurements:
    """
    Five values by name, 96 hex digits each.

    Raises:
        Refused: one is missing or something else; `what` says where it comes from.
    """
    try:
        return Measurements(*(bytes.fromhex(_register(values, name)) for name in MEASUREMENT_NAMES))
    except EvidenceRefused as error:
        raise Refused(f"{what}: {error}") from error


def _object(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise Refused(f"{path} has more than {MAX_FILE_BYTES:,} bytes; name the right file")
    fields = _parsed(data.decode("utf-8", "replace"), path)
    if not isinstance(fields, dict):
        raise Refused(f"{path} is no JSON object")
    return fields


def _parsed(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path} is no JSON: {str(error)[:200]}") from error


def _text(event_log: object) -> str:
    """GetQuote gives the log as text, Info as a value."""
    return event_log if isinstance(event_log, str) else json.dumps(event_log)


def _register(told: Mapping[str, object], name: str) -> str:
    value = str(told.get(name) or "").removeprefix("0x").lower()
    try:
        size = len(bytes.fromhex(value))
    except ValueError:
        size = 0
    if size != MEASUREMENT_BYTES or len(value) != 2 * MEASUREMENT_BYTES:
        raise EvidenceRefused(f"{name} is missing or not {2 * MEASUREMENT_BYTES} hex digits")
    return value
