"""
The operating system a simulated machine boots: dstack OS 0.6.0 as it was measured on real hardware.

A test makes another system, whose measurements nobody approved, with `dataclasses.replace`.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from oracle.tee.simulator.events import Event


@dataclass(frozen=True, slots=True)
class Image:
    """What is measured before dstack runs."""

    mr_td: bytes
    """48 bytes: the firmware."""
    os_image_hash: bytes
    """32 bytes."""
    boot_events: tuple[Event, ...]
    """What extends RTMR0 (virtual hardware), RTMR1 (kernel) and RTMR2 (command line, initrd)."""


@cache
def dstack_os() -> Image:
    """From the recording that ships with this package; the file names its origin."""
    recorded = json.loads(files(__package__).joinpath("dstack_os.json").read_text())
    events = tuple(
        Event(event["imr"], event["event_type"], bytes.fromhex(event["digest"]), "", bytes.fromhex(event["event_payload"]))
        for event in recorded["boot_events"]
    )
    return Image(bytes.fromhex(recorded["mr_td"]), bytes.fromhex(recorded["os_image_hash"]), events)
