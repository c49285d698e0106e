"""
A machine's event log: what extended its four runtime measurement registers.

Firmware and kernel extend RTMR0 to RTMR2 before dstack runs; dstack and the app extend RTMR3 by name and payload.

Source: dstack's cc-eventlog (runtime_events.rs, version 1 of the digest; tdx.rs for the JSON).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

RUNTIME_EVENT_TYPE = 0x08000001
APP_REGISTER = 3
REGISTER_BYTES = 48


@dataclass(frozen=True, slots=True)
class Event:
    """One extension of a register."""

    register: int
    """0 to 3."""
    event_type: int
    digest: bytes
    """SHA-384, what the register is extended with."""
    name: str
    """Of a runtime event; firmware's have none."""
    payload: bytes

    def as_json(self) -> dict[str, object]:
        """In the names of dstack."""
        return {
            "imr": self.register,
            "event_type": self.event_type,
            "digest": self.digest.hex(),
            "event": self.name,
            "event_payload": self.payload.hex(),
        }


def runtime_event(name: str, payload: bytes) -> Event:
    """An event of dstack or of the app, in RTMR3."""
    preimage = RUNTIME_EVENT_TYPE.to_bytes(4, "little") + b":" + name.encode() + b":" + payload
    return Event(APP_REGISTER, RUNTIME_EVENT_TYPE, hashlib.sha384(preimage).digest(), name, payload)


def replay(events: Iterable[Event], register: int) -> bytes:
    """The value of a register after the events: SHA-384 of its old value and the digest, from zeros."""
    value = bytes(REGISTER_BYTES)
    for event in events:
        if event.register == register:
            value = hashlib.sha384(value + event.digest).digest()
    return value


def log_json(events: Iterable[Event]) -> str:
    """The log as quotes carry it, without spaces."""
    return json.dumps([event.as_json() for event in events], separators=(",", ":"))
