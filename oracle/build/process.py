"""Programs of others, run in a process group of their own that is ended whatever happens, with time, files and output bounded."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_OUTPUT_BYTES = 64 * 1024
_READ_BYTES = 16 * 1024
_REAP_TIMEOUT_S = 5.0
_KILLED = -signal.SIGKILL
_FILE_BLOCK_BYTES = 512  # unit of `ulimit -f` in a POSIX shell
_LIMITED = 'ulimit -c 0 && ulimit -f "$1" && ulimit -t "$2" && shift 2 && exec "$@"'
"""Limits are set by a shell before the program starts: a hook between fork and exec is not safe beside threads."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a program may use."""

    timeout_s: float
    max_file_bytes: int


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended. `output` is the last of stdout and stderr together, as text."""

    exit_code: int
    output: str
    timed_out: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether it ended by itself and with exit code 0."""
        return self.exit_code == 0 and not self.timed_out


async def run_program(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], bounds: Bounds) -> Finished:
    """Run to the end or to the time-out; nothing of the process group is left afterwards."""
    limits = [str(bounds.max_file_bytes // _FILE_BLOCK_BYTES), str(int(bounds.timeout_s) + 1)]
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", _LIMITED, "sh", *limits, *command),
        cwd=cwd,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    tail = bytearray()
    timed_out = False
    try:
        async with asyncio.timeout(bounds.timeout_s):
            await _collect(process, tail)
            await process.wait()
    except TimeoutError:
        timed_out = True
    finally:
        _kill_group(process.pid)
        await _reap(process)
    exit_code = _KILLED if process.returncode is None else process.returncode
    return Finished(exit_code, tail.decode("utf-8", "replace"), timed_out)


async def _reap(process: asyncio.subprocess.Process) -> None:
    """Killed, it is gone at once; but asyncio waits for its pipe too, and a child that left the group could hold that open for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_REAP_TIMEOUT_S):
            await process.wait()


async def _collect(process: asyncio.subprocess.Process, tail: bytearray) -> None:
    if process.stdout is None:
        raise AssertionError("stdout was asked for as a pipe")
    while chunk := await process.stdout.read(_READ_BYTES):
        tail += chunk
        del tail[:-MAX_OUTPUT_BYTES]


def _kill_group(leader_pid: int) -> None:
    """The leader's session is its process group; members that outlive it are ended too."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader_pid, signal.SIGKILL)
