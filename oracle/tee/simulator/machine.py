"""
A simulated confidential machine: its identity, its event log, its measurements, its quotes.

The order of events, and what of the app goes into which register, are those of dstack's `system_setup.rs` and of the recorded answers.
"""

import hashlib
import json
from dataclasses import dataclass, field

from oracle.tee.simulator.compose import APP_ID_BYTES, DEFAULT_COMPOSE, AppCompose
from oracle.tee.simulator.events import Event, replay, runtime_event
from oracle.tee.simulator.image import Image, dstack_os
from oracle.tee.simulator.keys import Secrets
from oracle.tee.simulator.quotes import Quoter, TdQuoteVersion
from oracle.tee.simulator.reports import REPORT_DATA_BYTES, TD_ATTRIBUTES, Measurements, TdReport

MAX_APP_EVENTS = 256
MAX_EVENT_NAME_BYTES = 128
MAX_EVENT_PAYLOAD_BYTES = 1_024
_P256_SPKI_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
"""SubjectPublicKeyInfo of a P-256 key up to its point."""


class MachineRefused(ValueError):
    """The machine does not do that; `str()` is what dstack answers, or names our limit."""


@dataclass(frozen=True, slots=True)
class MachineOptions:
    """What is booted."""

    compose: AppCompose = field(default_factory=lambda: AppCompose.from_text(DEFAULT_COMPOSE))
    app_id: bytes | None = None
    """20 bytes; None is the front of the compose hash, as for an app that was never updated."""
    instance_seed: bytes | None = None
    """What tells this machine from others of its app; None follows from the keys' seed."""
    image: Image = field(default_factory=dstack_os)
    td_attributes: bytes = TD_ATTRIBUTES
    quote_version: TdQuoteVersion = TdQuoteVersion.V4
    cpu_count: int = 1
    memory_bytes: int = 2 * 1024**3

    def __post_init__(self) -> None:
        if self.app_id is not None and len(self.app_id) != APP_ID_BYTES:
            raise ValueError(f"an app id has {APP_ID_BYTES} bytes, not {len(self.app_id)}")


class Machine:
    """One machine after it booted; only `emit` changes it."""

    def __init__(self, secrets: Secrets, quoter: Quoter, options: MachineOptions) -> None:
        self.options, self._quoter = options, quoter
        compose = options.compose
        self.app_id = compose.sha256[:APP_ID_BYTES] if options.app_id is None else options.app_id
        seed = secrets.bytes_for("instance id seed", 20) if options.instance_seed is None else options.instance_seed
        self.instance_id = b"" if compose.no_instance_id else hashlib.sha256(seed + self.app_id).digest()[:20]
        self.key_provider_json = _key_provider(secrets, compose.key_provider)
        self.vm_config_json = json.dumps(
            {"os_image_hash": options.image.os_image_hash.hex(), "cpu_count": options.cpu_count, "memory_size": options.memory_bytes},
            separators=(",", ":"),
        )
        self.mr_config_id = (b"\x01" + compose.sha256).ljust(48, b"\0")
        """Version 1 of dstack's: the compose hash, given to the TDX module when the machine is made."""
        self._events = [*options.image.boot_events, *self._boot()]
        self._app_events = 0
        self.measurements = self._measure()
        """As the log replays."""

    @property
    def events(self) -> tuple[Event, ...]:
        """The log so far."""
        return tuple(self._events)

    @property
    def mr_aggregated(self) -> bytes:
        """32 bytes over all measurements and the configuration's id, as dstack sums them up."""
        of = self.measurements
        return hashlib.sha256(of.mr_td + of.rt_mr0 + of.rt_mr1 + of.rt_mr2 + of.rt_mr3 + self.mr_config_id.ljust(3 * 48, b"\0")).digest()

    def quote(self, report_data: bytes) -> bytes:
        """
        A quote over this machine and the data, which is filled up with zeros to 64 bytes.

        Raises:
            MachineRefused: the data is longer.
        """
        if len(report_data) > REPORT_DATA_BYTES:
            raise MachineRefused("Report data is too long")
        padded = report_data.ljust(REPORT_DATA_BYTES, b"\0")
        report = TdReport(self.measurements, padded, td_attributes=self.options.td_attributes, mr_config_id=self.mr_config_id)
        return self._quoter.td_quote(report, self.options.quote_version)

    def emit(self, name: str, payload: bytes) -> None:
        """
        Extend RTMR3 with an event of the app.

        Raises:
            MachineRefused: the event is too long, or there are too many.
        """
        size = len(name.encode())
        if not 0 < size <= MAX_EVENT_NAME_BYTES:
            raise MachineRefused(f"an event's name has 1 to {MAX_EVENT_NAME_BYTES} bytes, this one {size}")
        if len(payload) > MAX_EVENT_PAYLOAD_BYTES:
            raise MachineRefused(f"an event's payload has up to {MAX_EVENT_PAYLOAD_BYTES:,} bytes, this one {len(payload):,}")
        if self._app_events == MAX_APP_EVENTS:
            raise MachineRefused(f"the app has emitted {MAX_APP_EVENTS:,} events, the simulator keeps no more; start it again")
        self._app_events += 1
        self._events.append(runtime_event(name, payload))
        self.measurements = self._measure()

    def _measure(self) -> Measurements:
        return Measurements(self.options.image.mr_td, *(replay(self._events, register) for register in range(4)))

    def _boot(self) -> list[Event]:
        compose = self.options.compose
        booted = (
            ("system-preparing", b""),
            ("app-id", self.app_id),
            ("compose-hash", compose.sha256),
            ("instance-id", self.instance_id),
            ("boot-mr-done", b""),
            ("os-image-hash", self.options.image.os_image_hash),
            ("key-provider", self.key_provider_json.encode()),
            ("storage-fs", compose.storage_fs.encode()),
            ("system-ready", b""),
        )
        return [runtime_event(name, payload) for name, payload in booted]


def _key_provider(secrets: Secrets, name: str) -> str:
    """A KMS is known by the public key of its root, a local provider by its enclave's measurement."""
    known_by = {"kms": _P256_SPKI_PREFIX + secrets.p256_key_for("KMS root").public_bytes, "local-sgx": secrets.bytes_for("key enclave", 32)}
    return json.dumps({"name": name, "id": known_by.get(name, b"").hex()}, separators=(",", ":"))
