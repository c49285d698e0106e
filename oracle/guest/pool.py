"""Runs guests: one process each, forked ahead of need, with number and memory bounded for all together."""

import os
import signal
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from oracle.errors import ConfigurationError, GuestTrapped, RequestError, Trap
from oracle.guest import wire
from oracle.guest.compiler import Compiler
from oracle.guest.machine import memory_for_guests_bytes
from oracle.guest.native import NativeCache
from oracle.guest.outcome import killed, result_of
from oracle.guest.places import Places
from oracle.guest.processes import Died, ForkServerGone, SpawnFailed
from oracle.guest.supply import ProcessSupply
from oracle.guest.wire import Ending, How, Job, Nonsense, Task
from oracle.model import Limits, Metrics
from oracle.ports import GuestResult, GuestRun

log = structlog.get_logger()

KILL_GRACE_S: Final = 2.0
"""The process ends itself at its deadline; this much later it is killed from outside."""
MAX_SPARES: Final = 8
MAX_INSTRUCTIONS: Final = 2**63 - 1
MAX_SECONDS: Final = 86_400
MAX_CLOCK_START_NS: Final = 2**63 - 1
"""The year 2262; a clock that runs from there fits the u64 of WASI for centuries. Blocks tell their time as they like."""
MAX_MEMORY_BYTES: Final = 4 * 1024**3
"""All that a 32-bit memory can address."""


class GuestPool:
    """
    `oracle.ports.RunGuests` over processes of their own. Use as an async context manager; leaving it ends them all.

    Args:
        home: the installation's state directory (`ORACLE_HOME`); ConfigurationError if it cannot be used.
        concurrency: how many guests may run at once; so many processes (at most MAX_SPARES) wait ahead of need.
        memory_bytes: what they may reach together (`oracle.guest.places`); None: three quarters of the machine's memory.
    """

    def __init__(self, home: Path, concurrency: int, memory_bytes: int | None = None) -> None:
        self._places = Places(concurrency, memory_for_guests_bytes() if memory_bytes is None else memory_bytes)
        self._native = NativeCache(home)
        self._processes = ProcessSupply(spares=min(concurrency, MAX_SPARES))
        self._compiler = Compiler(self._processes, self._native)

    async def __aenter__(self) -> Self:
        try:
            await self._processes.start()
            self._processes.warm_up_with(await self._compiler.warm_up_code())
        except (ForkServerGone, SpawnFailed, OSError, RequestError) as failure:
            self._close()
            problem = f"guests cannot be run here ({str(failure) or 'nothing happened in time'}); `oracle doctor` says what is missing"
            raise ConfigurationError((problem,)) from failure
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def _close(self) -> None:
        self._processes.close()
        self._native.close()

    async def run(self, run: GuestRun) -> GuestResult:
        """
        See `oracle.ports.RunGuests`.

        Raises:
            InvalidModule, GuestTrapped, GuestExited, OutputRefused
            RequestError: input or environment is more than a guest can be given.
        """
        job = _job_of(run)
        try:
            native_fd = await self._compiler.native_code(run.wasm_path, run.wasm_sha256_hex)
            try:
                async with self._places.take(job.max_memory_bytes):
                    ending = await self._execute(job, native_fd, run.limits)
            finally:
                os.close(native_fd)
                self._processes.refill()
        except (OSError, ForkServerGone, SpawnFailed, Nonsense) as failure:
            log.exception("guest_not_run", wasm_sha256_hex=run.wasm_sha256_hex)
            # Without an OSError's file name: the sentence goes on chain.
            reason = failure.strerror if isinstance(failure, OSError) else str(failure)
            raise GuestTrapped(Trap.KILLED, f"The worker could not run the guest ({reason}). Ask again.", metrics=Metrics()) from failure
        if ending.how is How.DEFECT:
            log.error("guest_defect", wasm_sha256_hex=run.wasm_sha256_hex, detail=ending.detail)
        return result_of(ending, run.limits, run.output_format)

    async def _execute(self, job: Job, native_fd: int, limits: Limits) -> Ending:
        try:
            return await self._processes.do(job, [native_fd], job.max_seconds + KILL_GRACE_S)
        except TimeoutError as late:
            raise killed(signal.SIGALRM, limits) from late
        except Died as death:
            raise killed(death.signal_number, limits) from death


def _job_of(run: GuestRun) -> Job:
    # A lone surrogate, which JSON can carry, has no UTF-8.
    environment = tuple(f"{name}={value}".encode(errors="replace") for name, value in run.environment)
    for (name, _), variable in zip(run.environment, environment, strict=True):
        if not name or "=" in name or b"\0" in variable:
            raise RequestError(
                f"The variable {name[:50]!r} cannot be given to a guest: its name is empty or has `=` in it, or there is a NUL."
            )
    environment_bytes = sum(len(variable) + 1 for variable in environment)
    if environment_bytes > wire.MAX_ENVIRONMENT_BYTES:
        raise RequestError(f"The environment has {environment_bytes} bytes; a guest is given at most {wire.MAX_ENVIRONMENT_BYTES}.")
    if len(run.input_bytes) > wire.MAX_INPUT_BYTES:
        raise RequestError(f"The input has {len(run.input_bytes)} bytes; a guest is given at most {wire.MAX_INPUT_BYTES}.")
    return Job(
        task=Task.EXECUTE,
        # What lies above these bounds can neither be spent nor addressed nor waited for.
        max_instructions=min(run.limits.max_instructions, MAX_INSTRUCTIONS),
        max_memory_bytes=min(run.limits.max_memory_bytes, MAX_MEMORY_BYTES),
        max_seconds=min(run.limits.max_execution_seconds, MAX_SECONDS),
        clock_start_ns=max(0, min(run.clock_start_ns, MAX_CLOCK_START_NS)),
        input_bytes=run.input_bytes,
        environment=environment,
        random_seed=run.random_seed,
    )
