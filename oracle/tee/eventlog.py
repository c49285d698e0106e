"""
A dstack machine's event log: what extended its runtime registers, and from it the application's identity.

The log is the machine's word; a quote vouches for it when the registers it replays to are the quote's. Then every event of RTMR3 is true,
because its digest is computed here from its name and payload. Identity is read as dstack's own verifier reads it: the first event of a
name, before `system-ready`; what follows is the application's to write.

Source: dstack, `cc-eventlog/src/{runtime_events,tdx}.rs` and `dstack-attest/src/attestation.rs`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from oracle.errors import EvidenceRefused
from oracle.model import AppIdentity, Measurements
from oracle.tee.canonical import Json, canonical_bytes
from oracle.tee.members import Members, as_members, hex_of, number_of, read_members, read_value, text_of

MAX_LOG_BYTES = 1024 * 1024
"""A machine's log has about 10 KiB."""
MAX_EVENTS = 2_000
MAX_NAME_CHARS = 256

_RUNTIME_EVENT = 0x08000001
_REGISTERS = ("rtmr0", "rtmr1", "rtmr2", "rtmr3")
_APP_REGISTER = 3
_DIGEST_BYTES = 48
_SYSTEM_READY = "system-ready"
_MAX_PROVIDER_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """One extension of a register; `register` is 0 to 3, `digest` what it was extended with."""

    register: int
    digest: bytes = field(repr=False)
    name: str
    """Of dstack's events; firmware's have none, or one that nothing vouches for."""
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EventLog:
    """A log, oldest event first."""

    events: tuple[Event, ...]

    @classmethod
    def from_json(cls, text: str) -> "EventLog":
        """
        Read the array that a quote comes with.

        Raises:
            EvidenceRefused: too large, no such array, or an event's digest is not that of its name and payload.
        """
        entries = read_value(text, "the event log", max_bytes=MAX_LOG_BYTES)
        if not isinstance(entries, list):
            raise EvidenceRefused("the event log is no JSON array")
        if len(entries) > MAX_EVENTS:
            raise EvidenceRefused(f"the event log has {len(entries):,} events; at most {MAX_EVENTS:,} are read")
        return cls(tuple(_event(entry, index) for index, entry in enumerate(entries)))

    def replay(self) -> tuple[bytes, bytes, bytes, bytes]:
        """RTMR0 to RTMR3 after all events: SHA-384 of the old value and the digest, from zeros."""
        registers = [bytes(_DIGEST_BYTES)] * 4
        for event in self.events:
            registers[event.register] = hashlib.sha384(registers[event.register] + event.digest).digest()
        rtmr0, rtmr1, rtmr2, rtmr3 = registers
        return rtmr0, rtmr1, rtmr2, rtmr3

    def check_replays_to(self, quoted: Measurements) -> None:
        """
        Compare with a quote's registers. A log may leave out what happened before dstack started; RTMR3 has to be there whole.

        Raises:
            EvidenceRefused: a register is another one.
        """
        told = {event.register for event in self.events} | {_APP_REGISTER}
        for index, (name, replayed, expected) in enumerate(zip(_REGISTERS, self.replay(), quoted.registers()[1:], strict=True)):
            if index in told and replayed != expected:
                raise EvidenceRefused(f"the event log replays to {name} {replayed.hex()}; the quote has {expected.hex()}")

    def app_identity(self, quoted: Measurements) -> AppIdentity:
        """
        Which application runs, once the log is seen to replay to a quote's registers.

        Raises:
            EvidenceRefused: it does not replay, or does not name an application.
        """
        self.check_replays_to(quoted)
        for event in self._of_system():
            if ":" in event.name:  # a digest of version 1 does not tell where a name ends, so that one could hide in another
                raise EvidenceRefused(f"the event {event.name[:40]!r} has a colon in its name; dstack's own events have none")
        provider = _key_provider(self._first("key-provider"))
        return AppIdentity(
            app_id=self._hex("app-id", 20),
            compose_hash=self._hex("compose-hash", 32),
            instance_id=self._hex("instance-id", 20) if self._first("instance-id") else "",
            os_image_hash=self._hex("os-image-hash", 32) if self._first("os-image-hash") else None,
            key_provider_name=provider[0],
            key_provider_id=provider[1],
        )

    def _of_system(self) -> Iterator[Event]:
        """The events of RTMR3 that dstack wrote before it started the application."""
        of_app_register = (event for event in self.events if event.register == _APP_REGISTER)
        return takewhile(lambda event: event.name != _SYSTEM_READY, of_app_register)

    def _first(self, name: str) -> bytes | None:
        return next((event.payload for event in self._of_system() if event.name == name), None)

    def _hex(self, name: str, size: int) -> str:
        payload = self._first(name)
        if payload is None:
            raise EvidenceRefused(f"the event log has no event {name!r} before {_SYSTEM_READY!r}")
        if len(payload) != size:
            raise EvidenceRefused(f"the event {name!r} has {len(payload)} bytes; {size} are expected")
        return payload.hex()


def _event(entry: Json, index: int) -> Event:
    what = f"event {index} of the event log"
    members = as_members(entry, what)
    register = number_of(members, "imr", what, most=3)
    event_type = number_of(members, "event_type", what)
    name, payload = text_of(members, "event", what), hex_of(members, "event_payload", what)
    digest = hex_of(members, "digest", what) if "digest" in members else b""
    if len(name) > MAX_NAME_CHARS:
        raise EvidenceRefused(f"the name of {what} has {len(name):,} characters; at most {MAX_NAME_CHARS} are read")
    if (event_type == _RUNTIME_EVENT) != (register == _APP_REGISTER):
        raise EvidenceRefused(
            f"{what} is of type {event_type:#x} in register {register}; dstack's events are {_RUNTIME_EVENT:#x} in register 3"
        )
    if register == _APP_REGISTER:
        computed = hashlib.sha384(_preimage(members, name, payload, what)).digest()
        if digest not in (b"", computed):
            raise EvidenceRefused(f"{what} ({name[:40]!r}) has the digest {digest.hex()}; its name and payload have {computed.hex()}")
        return Event(register, computed, name, payload)
    if len(digest) != _DIGEST_BYTES:
        raise EvidenceRefused(f"{what} has a digest of {len(digest)} bytes; {_DIGEST_BYTES} are expected")
    return Event(register, digest, name, payload)


def _preimage(members: Members, name: str, payload: bytes, what: str) -> bytes:
    """Version 1 is the usual one and not named; version 2 hashes canonical JSON."""
    version = number_of(members, "version", what) if "version" in members else 1
    if version == 1:
        return b":".join((_RUNTIME_EVENT.to_bytes(4, "little"), name.encode(), payload))
    if version != 2:
        raise EvidenceRefused(f"{what} is of version {version}; 1 and 2 are read")
    return canonical_bytes({"name": name, "payload": payload.hex(), "type": _RUNTIME_EVENT})


def _key_provider(payload: bytes | None) -> tuple[str, str]:
    """The event holds JSON: `{"name": "kms", "id": "3059…"}`."""
    if not payload:
        return "", ""
    what = "the event 'key-provider'"
    members = read_members(payload.decode("utf-8", "replace"), what, max_bytes=_MAX_PROVIDER_BYTES)
    return text_of(members, "name", what), text_of(members, "id", what)
