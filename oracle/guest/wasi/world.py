"""
All that a guest learns from outside itself and all that it says.

Nothing here knows of wasm: these values can be used, bounded and tested on their own.
"""

import hashlib
import os
import time
from dataclasses import dataclass, field
from typing import Protocol

NS_A_SECOND = 1_000_000_000
COUNTED_STEP_NS = 1_000
"""How far a counted clock moves each time it is looked at."""


class Stopped(Exception):
    """Root of the ways in which a call from a guest ends the guest."""


class Exited(Stopped):
    """The guest called `proc_exit`."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code


class OutputFull(Stopped):
    """The guest wrote more to stdout than an answer may hold."""


class DeadlinePassed(Stopped):
    """The guest waited for something that lies behind its deadline."""


class GuestClock(Protocol):
    """The time a guest sees, and how it waits."""

    def now_ns(self) -> int:
        """Unix time as the guest sees it; never goes back."""
        ...

    def wait(self, duration_ns: int) -> None:
        """
        Really wait.

        Raises:
            DeadlinePassed: the deadline comes first; it has been waited for.
        """
        ...


def wait_until_deadline(duration_ns: int, deadline_ns: int) -> None:
    """Wait, but not beyond `deadline_ns` of the monotonic clock; see `GuestClock.wait`."""
    left_ns = deadline_ns - time.monotonic_ns()
    time.sleep(max(0, min(duration_ns, left_ns)) / NS_A_SECOND)
    if duration_ns >= left_ns:
        raise DeadlinePassed


class RunningClock:
    """Starts at a given moment when it is made and goes on with the host's monotonic clock."""

    def __init__(self, start_ns: int, deadline_ns: int) -> None:
        self._offset_ns = start_ns - time.monotonic_ns()
        self._deadline_ns = deadline_ns

    def now_ns(self) -> int:
        """See `GuestClock`."""
        return time.monotonic_ns() + self._offset_ns

    def wait(self, duration_ns: int) -> None:
        """See `GuestClock`."""
        wait_until_deadline(duration_ns, self._deadline_ns)


class CountedClock:
    """Moves by how often it is looked at and how long is waited, so that a seeded run is the same every time."""

    def __init__(self, start_ns: int, deadline_ns: int) -> None:
        self._now_ns = start_ns
        self._deadline_ns = deadline_ns

    def now_ns(self) -> int:
        """See `GuestClock`."""
        self._now_ns += COUNTED_STEP_NS
        return self._now_ns

    def wait(self, duration_ns: int) -> None:
        """See `GuestClock`."""
        self._now_ns += duration_ns
        wait_until_deadline(duration_ns, self._deadline_ns)


class SeededBytes:
    """A deterministic stream: sha256(seed ‖ 0) ‖ sha256(seed ‖ 1) ‖ …, counters as u64 little-endian."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._counter = 0
        self._left = b""

    def __call__(self, length: int) -> bytes:
        """The next bytes of the stream."""
        while len(self._left) < length:
            self._left += hashlib.sha256(self._seed + self._counter.to_bytes(8, "little")).digest()
            self._counter += 1
        taken, self._left = self._left[:length], self._left[length:]
        return taken


class RandomBytes(Protocol):
    """A source of random bytes; `os.urandom` is one."""

    def __call__(self, length: int, /) -> bytes:
        """That many bytes."""
        ...


class Tail:
    """Keeps the last bytes of what is written to it, whatever the amount."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._kept = bytearray()

    def write(self, data: bytes) -> None:
        """Add; memory stays below twice the bound."""
        self._kept += data[-self.max_bytes :]
        if len(self._kept) > 2 * self.max_bytes:
            del self._kept[: -self.max_bytes]

    def read(self) -> bytes:
        """The last `max_bytes` bytes."""
        return bytes(self._kept[-self.max_bytes :])


@dataclass(slots=True)
class World:
    """One guest's world."""

    stdin: bytes
    arguments: tuple[bytes, ...]
    environment: tuple[bytes, ...]
    """`NAME=value`, without the closing NUL."""
    clock: GuestClock
    random: RandomBytes = os.urandom
    max_stdout_bytes: int = 64 * 1024
    stdout: bytearray = field(default_factory=bytearray)
    stderr: Tail = field(default_factory=lambda: Tail(64 * 1024))
    open_fds: set[int] = field(default_factory=lambda: {0, 1, 2})
    stdin_position: int = 0

    def read_stdin(self, max_bytes: int) -> bytes:
        """The next bytes of the input; empty at its end."""
        taken = self.stdin[self.stdin_position : self.stdin_position + max_bytes]
        self.stdin_position += len(taken)
        return taken

    def write_stdout(self, data: bytes) -> None:
        """
        Add to the answer.

        Raises:
            OutputFull: it would be too long; what fits is kept.
        """
        room = self.max_stdout_bytes - len(self.stdout)
        self.stdout += data[:room]
        if len(data) > room:
            raise OutputFull
