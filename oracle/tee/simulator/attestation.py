"""
dstack's own envelope around a quote (`/Attest`, RA-TLS certificates): quote, event log, report data and configuration in one piece.

Version 0, in SCALE: little-endian numbers, and lengths whose two lowest bits tell their size.

Source: dstack's `dstack-attest/src/attestation.rs` (`VersionedAttestation::V0`, `Attestation`) and `cc-eventlog`; a fixture of dstack's
simulator reads and writes again byte for byte.
"""

from collections.abc import Iterable
from dataclasses import replace

from oracle.tee.simulator.events import APP_REGISTER, Event

_V0, _DSTACK_TDX = 0, 0
_ACPI_DATA_TYPE, _ACPI_DATA = 10, b"ACPI DATA"


def attestation(quote: bytes, events: tuple[Event, ...], report_data: bytes, config_json: str) -> bytes:
    """`report_data`: 64 bytes."""
    runtime = [event for event in events if event.register == APP_REGISTER]
    return b"".join(
        (
            bytes([_V0, _DSTACK_TDX]),
            _bytes(quote),
            _list(_event(event) for event in events),
            _list(_bytes(event.name.encode()) + _bytes(event.payload) for event in runtime),
            report_data,
            _bytes(config_json.encode()),
        )
    )


def stripped(events: Iterable[Event]) -> tuple[Event, ...]:
    """What a certificate carries of a log: the events of RTMR3, whose digests follow from their content, and those of the ACPI tables."""
    kept = []
    for event in events:
        if event.register == APP_REGISTER:
            kept.append(replace(event, digest=b""))
        elif event.event_type == _ACPI_DATA_TYPE and event.payload == _ACPI_DATA:
            kept.append(event)
    return tuple(kept)


def _event(event: Event) -> bytes:
    numbers = event.register.to_bytes(4, "little") + event.event_type.to_bytes(4, "little")
    return numbers + _bytes(event.digest) + _bytes(event.name.encode()) + _bytes(event.payload)


def _list(values: Iterable[bytes]) -> bytes:
    encoded = list(values)
    return _length(len(encoded)) + b"".join(encoded)


def _bytes(value: bytes) -> bytes:
    return _length(len(value)) + value


def _length(count: int) -> bytes:
    """SCALE's compact number, up to 2**30 - 1."""
    for size, mode, limit in ((1, 0, 1 << 6), (2, 1, 1 << 14), (4, 2, 1 << 30)):
        if count < limit:
            return (count << 2 | mode).to_bytes(size, "little")
    raise ValueError(f"a list of {count:,} is more than an attestation holds")
