"""
RTMR3 of a machine that has not booted yet, from the events that dstack will measure; replayed by the same code that verifies.

Events: dstack's `system_setup.rs`. 0.5.8 and 0.6 write the nine of `recorded`; a KMS that attests itself adds `mr-kms` (0.5), the version
under development `gpu-policy-hash`. So the surest list is that of a machine of the same OS: `after` keeps its events and exchanges what an
app of another compose hash changes.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from oracle.errors import EvidenceRefused
from oracle.tee.eventlog import EventLog
from phala.app_compose import APP_ID_BYTES, STORAGE_FS, Manifest
from phala.refused import Refused

_RUNTIME_EVENT = 0x08000001
_APP_REGISTER = 3
_SYSTEM_READY = "system-ready"
_OF_OTHER_APPS = frozenset({"init-script-hash", "gpu-attestation"})


@dataclass(frozen=True, slots=True)
class Named:
    """An event of RTMR3."""

    name: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """What a machine is told before it boots, as far as it is known; None is unknown."""

    app_id: bytes | None = None
    """20 bytes; None: the front of the compose hash, or that of the machine before."""
    instance_id: bytes | None = None
    """20 bytes; needed unless the app sets `no_instance_id`."""


@dataclass(frozen=True, slots=True)
class Platform:
    """Where it boots, when no machine has booted there yet."""

    os_image_hash: bytes | None = None
    """32 bytes; measured when a KMS gives the keys."""
    key_provider_id: str = ""
    """Hex: the KMS's public key, or the measurement of a local provider's enclave."""
    mr_kms: bytes | None = None
    """32 bytes, where the KMS attests itself."""


def recorded(app: Manifest, identity: Identity, platform: Platform) -> list[Named]:
    """
    The events of an app's machine, in dstack's order.

    Raises:
        Refused: something that is measured is not known.
    """
    provider = app.key_provider
    if provider == "kms" and platform.os_image_hash is None:
        raise Refused("a machine with a KMS measures the hash of its OS image; give --os-image-hash (digest.txt of the image), or --like")
    if provider in {"kms", "local-sgx"} and not platform.key_provider_id:
        raise Refused("the key provider's id is measured and not known; give --key-provider-id, or --like with a machine that uses it")
    events = [
        Named("system-preparing", b""),
        Named("app-id", identity.app_id or app.default_app_id),
        Named("compose-hash", app.compose_hash),
        Named("instance-id", _instance_id(app, identity)),
        Named("boot-mr-done", b""),
    ]
    if provider == "kms" and platform.mr_kms is not None:
        events.append(Named("mr-kms", platform.mr_kms))
    if provider == "kms" and platform.os_image_hash is not None:
        events.append(Named("os-image-hash", platform.os_image_hash))
    provider_json = json.dumps({"name": provider, "id": platform.key_provider_id}, separators=(",", ":"))
    return [*events, Named("key-provider", provider_json.encode()), Named("storage-fs", _storage_fs(app)), Named(_SYSTEM_READY, b"")]


def after(log: EventLog, app: Manifest, identity: Identity) -> list[Named]:
    """
    The events of an app's machine on the same OS and with the same key provider as one that has booted.

    Raises:
        Refused: that machine measured something that does not follow from an app-compose JSON alone, or nothing of dstack's.
    """
    before = [Named(event.name, event.payload) for event in log.events if event.register == _APP_REGISTER]
    ready = next((index for index, event in enumerate(before) if event.name == _SYSTEM_READY), None)
    if ready is None:
        raise Refused("the event log has no 'system-ready'; it is not that of a machine that dstack has started")
    before = before[: ready + 1]
    strange = sorted({event.name for event in before} & _OF_OTHER_APPS)
    if strange:
        raise Refused(f"that machine measured {', '.join(strange)}, which the worker's machine will not; take another one with --like")
    had = {event.name: event.payload for event in before}
    if app.key_provider.encode() not in had.get("key-provider", b""):
        raise Refused(
            f"the app's key provider is {app.key_provider}, that machine's {had.get('key-provider', b'')[:80]!r}; take another --like"
        )
    app_id = identity.app_id or _app_id_after(had, app)
    same = had.get("compose-hash") == app.compose_hash and had.get("app-id") == app_id
    known = Identity(app_id, identity.instance_id or (had.get("instance-id") if same else None))
    changed = {
        "app-id": app_id,
        "compose-hash": app.compose_hash,
        "instance-id": _instance_id(app, known),
    }
    if app.fields.get("storage_fs"):
        changed["storage-fs"] = _storage_fs(app)
    return [Named(event.name, changed.get(event.name, event.payload)) for event in before]


def replayed(events: Sequence[Named]) -> bytes:
    """RTMR3 after the events, 48 bytes."""
    entries = [
        {"imr": _APP_REGISTER, "event_type": _RUNTIME_EVENT, "event": event.name, "event_payload": event.payload.hex()} for event in events
    ]
    try:
        return EventLog.from_json(json.dumps(entries)).replay()[_APP_REGISTER]
    except EvidenceRefused as error:  # too large for any verifier
        raise Refused(str(error)) from error


def _app_id_after(had: dict[str, bytes], app: Manifest) -> bytes:
    """An app id that was the front of its compose hash follows the new one; another was given by the platform and stays with the app."""
    before = had.get("app-id", b"")
    return app.default_app_id if before == had.get("compose-hash", b"")[:APP_ID_BYTES] else before


def _instance_id(app: Manifest, identity: Identity) -> bytes:
    if app.no_instance_id:
        return b""
    if identity.instance_id is None:
        raise Refused(
            "the instance id is measured and a machine makes it at its first boot: boot it and take its measurements, "
            "give --instance-id, or set no_instance_id in the app-compose JSON"
        )
    return identity.instance_id


def _storage_fs(app: Manifest) -> bytes:
    return str(app.fields.get("storage_fs") or STORAGE_FS).encode()


def payload_digest(name: str, payload: bytes) -> str:
    """What identifies an event in a list for people: the payload itself while it is short, else its SHA-256."""
    if len(payload) > 32:
        return f"{name} sha256:{hashlib.sha256(payload).hexdigest()}"
    return f"{name} {payload.hex() or '(empty)'}"
