"""`poll_oneoff`: waits for a moment; stdin, stdout and stderr are always ready."""

import struct
from dataclasses import dataclass

from oracle.guest.wasi.errno import Errno
from oracle.guest.wasi.world import World

# userdata u64, tag u8 at 8; a clock: id u32 at 16, timeout u64 at 24, precision u64, flags u16 at 40; a descriptor: fd u32 at 16.
SUBSCRIPTION = struct.Struct("<QB7xI4xQQH6x")
# userdata u64, errno u16, type u8, then bytes to be had u64 at 16 and flags u16.
EVENT = struct.Struct("<QHB5xQH6x")
TAG_CLOCK, TAG_READ, TAG_WRITE = 0, 1, 2
ABSOLUTE_TIME = 1
CLOCKS = (0, 1)
MAX_SUBSCRIPTIONS = 1024


@dataclass(frozen=True, slots=True)
class _Subscription:
    userdata: int
    tag: int
    subject: int
    """Clock id, or descriptor."""
    timeout_ns: int
    flags: int


@dataclass(frozen=True, slots=True)
class _Event:
    userdata: int
    tag: int
    errno: Errno = Errno.SUCCESS
    readable_bytes: int = 0

    def packed(self) -> bytes:
        return EVENT.pack(self.userdata, self.errno, self.tag, self.readable_bytes, 0)


def poll(world: World, subscriptions: bytes) -> bytes | Errno:
    """
    Wait until at least one of the packed subscriptions has come true.

    Returns the events of all that have, packed, or why the call is wrong.
    """
    asked = [
        _Subscription(userdata, tag, subject, timeout_ns, flags)
        for userdata, tag, subject, timeout_ns, _precision, flags in SUBSCRIPTION.iter_unpack(subscriptions)
    ]
    if any(subscription.tag > TAG_WRITE for subscription in asked):
        return Errno.INVAL
    events = [event for subscription in asked if (event := _ready_at_once(world, subscription))]
    return b"".join(event.packed() for event in events or _wait_for_clocks(world, asked))


def _ready_at_once(world: World, asked: _Subscription) -> _Event | None:
    if asked.tag == TAG_CLOCK:
        return None if asked.subject in CLOCKS else _Event(asked.userdata, asked.tag, Errno.NOTSUP)
    if asked.subject not in world.open_fds:
        return _Event(asked.userdata, asked.tag, Errno.BADF)
    readable = len(world.stdin) - world.stdin_position if asked.tag == TAG_READ and asked.subject == 0 else 0
    return _Event(asked.userdata, asked.tag, readable_bytes=readable)


def _wait_for_clocks(world: World, clocks: list[_Subscription]) -> list[_Event]:
    now_ns = world.clock.now_ns()
    waits = [clock.timeout_ns - now_ns if clock.flags & ABSOLUTE_TIME else clock.timeout_ns for clock in clocks]
    shortest = max(0, min(waits))
    if shortest:
        world.clock.wait(shortest)
    return [_Event(clock.userdata, clock.tag) for clock, wait in zip(clocks, waits, strict=True) if wait <= shortest]
