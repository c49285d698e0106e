"""
What a worker and a guest's process say to each other: one job there, one ending back, over a stream socket.

Both are a fixed header and then the bytes whose lengths it gives. The process may be in a guest's hands, so an ending is believed only
within its bounds, and nothing of it is ever evaluated.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

MAX_OUTPUT_BYTES: Final = 64 * 1024
"""The longest answer the contract takes (`submit_execution_output`, PROTOCOL §1)."""
MAX_STDERR_BYTES: Final = 64 * 1024
"""How much of the end of stderr is kept for the report (PROTOCOL §3)."""
MAX_DETAIL_BYTES: Final = 4 * 1024
MAX_INPUT_BYTES: Final = 16 * 1024 * 1024
"""Far above what a transaction can carry (1.5 MiB); bounds what `oracle exec` is given."""
MAX_ENVIRONMENT_BYTES: Final = 1024 * 1024
MAX_WASM_BYTES: Final = 64 * 1024 * 1024
MAX_NATIVE_BYTES: Final = 512 * 1024 * 1024

NO_SEED: Final = 0xFFFFFFFF


class Task(IntEnum):
    """What a process is to do, once, before it ends."""

    COMPILE = 1
    EXECUTE = 2


@dataclass(frozen=True, slots=True)
class Job:
    """
    The task of a process. The files come with it as descriptors: COMPILE has the wasm and a file to write native code to, EXECUTE has the
    native code.
    """

    task: Task
    max_instructions: int = 0
    max_memory_bytes: int = 0
    max_seconds: int = 0
    clock_start_ns: int = 0
    input_bytes: bytes = b""
    environment: tuple[bytes, ...] = ()
    """`NAME=value`; no NUL inside."""
    random_seed: bytes | None = None

    def pack(self) -> tuple[bytes, bytes]:
        """Header (descriptors travel with it) and body."""
        environment = b"\0".join(self.environment)
        seed = self.random_seed
        header = JOB.pack(
            self.task,
            self.max_instructions,
            self.max_memory_bytes,
            self.max_seconds,
            self.clock_start_ns,
            len(self.input_bytes),
            len(environment),
            NO_SEED if seed is None else len(seed),
        )
        return header, self.input_bytes + environment + (seed or b"")


JOB: Final = struct.Struct("<BQQIQIII")


def job_body_length(header: bytes) -> int:
    """How many bytes follow a job's header."""
    *_, input_length, environment_length, seed_length = JOB.unpack(header)
    return int(input_length + environment_length + (0 if seed_length == NO_SEED else seed_length))


def unpack_job(header: bytes, body: bytes) -> Job:
    """The inverse of `Job.pack`."""
    task, instructions, memory, seconds, clock_start_ns, input_length, environment_length, seed_length = JOB.unpack(header)
    environment = body[input_length : input_length + environment_length]
    return Job(
        task=Task(task),
        max_instructions=instructions,
        max_memory_bytes=memory,
        max_seconds=seconds,
        clock_start_ns=clock_start_ns,
        input_bytes=body[:input_length],
        environment=tuple(environment.split(b"\0")) if environment else (),
        random_seed=None if seed_length == NO_SEED else body[input_length + environment_length :],
    )


class How(IntEnum):
    """How a process came to its end, as it tells it itself."""

    RETURNED = 0
    """`_start` returned or called `proc_exit`; `code` is the exit code."""
    TRAPPED = 1
    """`code` is wasmtime's trap code, `detail` the functions it happened in."""
    OUTPUT_FULL = 2
    OUT_OF_TIME = 3
    NEEDS_MEMORY = 4
    """The module's memory starts larger than the limit; `peak_memory_bytes` is what it needs."""
    INVALID = 5
    """The module cannot be run; `detail` is the sentence."""
    COMPILED = 6
    DEFECT = 7
    """Our own mistake; `detail` says where."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a task."""

    how: How
    code: int = 0
    instructions: int = 0
    wall_ns: int = 0
    """Inside the guest."""
    peak_memory_bytes: int = 0
    stdout: bytes = b""
    stderr: bytes = b""
    detail: str = ""

    def pack(self) -> bytes:
        """Header and body; detail is cut to its bound."""
        detail = self.detail.encode(errors="replace")[:MAX_DETAIL_BYTES]
        header = ENDING.pack(
            self.how,
            self.code,
            self.instructions,
            self.wall_ns,
            self.peak_memory_bytes,
            len(self.stdout),
            len(self.stderr),
            len(detail),
        )
        return header + self.stdout + self.stderr + detail


ENDING: Final = struct.Struct("<BIQQQIII")


class Nonsense(ValueError):
    """A process said something that no process of ours says."""


def ending_body_length(header: bytes) -> int:
    """
    How many bytes follow an ending's header.

    Raises:
        Nonsense: more than any ending has.
    """
    *_, stdout_length, stderr_length, detail_length = ENDING.unpack(header)
    if stdout_length > MAX_OUTPUT_BYTES or stderr_length > MAX_STDERR_BYTES or detail_length > MAX_DETAIL_BYTES:
        raise Nonsense(f"an ending of {stdout_length} + {stderr_length} + {detail_length} bytes")
    return int(stdout_length + stderr_length + detail_length)


def unpack_ending(header: bytes, body: bytes) -> Ending:
    """
    The inverse of `Ending.pack`.

    Raises:
        Nonsense: no known way to end.
    """
    how, code, instructions, wall_ns, peak, stdout_length, stderr_length, _ = ENDING.unpack(header)
    if how not in How.__members__.values():
        raise Nonsense(f"an ending of kind {how}")
    stderr_end = stdout_length + stderr_length
    return Ending(
        how=How(how),
        code=code,
        instructions=instructions,
        wall_ns=wall_ns,
        peak_memory_bytes=peak,
        stdout=body[:stdout_length],
        stderr=body[stdout_length:stderr_end],
        detail=body[stderr_end:].decode(errors="replace"),
    )
