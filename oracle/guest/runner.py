"""
The life of one process: make an engine, wait for a job, do it, answer, end. It never does a second one.

A process compiles or executes, never both, so that native code is never made where a guest has run.
"""

import gc
import mmap
import os
import signal
import socket
import time
import traceback

from wasmtime import Engine, ExitTrap, Func, Linker, Memory, MemoryType, Module, Store, Trap, TrapCode, WasmtimeError

from oracle.guest import wire
from oracle.guest.checks import complaint
from oracle.guest.engine import new_engine
from oracle.guest.frames import told
from oracle.guest.walls import SOCKET_FD, leave_parent, limit_to
from oracle.guest.wasi import DeadlinePassed, Exited, Link, OutputFull, World
from oracle.guest.wasi.world import NS_A_SECOND, CountedClock, RunningClock, SeededBytes, Tail
from oracle.guest.wire import Ending, How, Job, Task

PAGE_BYTES = 64 * 1024
MAX_TABLE_ELEMENTS = 1024 * 1024
MAX_TABLES = 4
"""Eight bytes an element, which lie beside the guest's memory and its limit. Compilers make one table, or two with reference types."""
KERNEL_GRACE_S = 0.25
ARGUMENTS = (b"guest",)
WARM_UP_JOB = Job(
    Task.EXECUTE,
    max_instructions=1_000_000,
    max_memory_bytes=PAGE_BYTES,
    max_seconds=10,
    input_bytes=b"input",
    environment=(b"NAME=value",),
)


def live(socket_fd: int, parent_pid: int, link: Link, warm_up_fd: int | None) -> None:
    """Never returns. Without a warm-up program (it is being compiled, perhaps by this very process) the job meets a cold process."""
    try:
        gc.disable()
        warm_up = None if warm_up_fd is None else _read_all(warm_up_fd)
        leave_parent(socket_fd, parent_pid)
        connection = socket.socket(fileno=SOCKET_FD)
        try:
            ending = _prepare_and_do(connection, link, warm_up)
        except Exception:  # noqa: BLE001 - told to the parent, who raises it
            ending = Ending(How.DEFECT, detail=traceback.format_exc()[-wire.MAX_DETAIL_BYTES :])
        connection.sendall(ending.pack())
    finally:
        # No interpreter shutdown: destructors of an engine in use are of no use to anybody.
        os._exit(0)


def _prepare_and_do(connection: socket.socket, link: Link, warm_up: bytes | None) -> Ending:
    engine = new_engine()
    linker = Linker(engine)
    link.define_all(linker)
    if warm_up is not None:
        # Closed at once: the address space of its memory is the job's to use.
        with Store(engine) as store:
            _execute(store, linker, link, WARM_UP_JOB, warm_up).pack()
        link.detach()
    job, files = _receive(connection)
    limit_to(job)
    return _compile(engine, files) if job.task is Task.COMPILE else _execute(Store(engine), linker, link, job, _read_all(files[0]))


def _receive(connection: socket.socket) -> tuple[Job, list[int]]:
    header, files, _, _ = socket.recv_fds(connection, wire.JOB.size, 2)
    if len(header) < wire.JOB.size:
        os._exit(0)  # the parent went, or has no need of us any more
    length = wire.job_body_length(header)
    body = bytearray()
    while len(body) < length:
        chunk = connection.recv(min(length - len(body), 1 << 20))
        if not chunk:
            os._exit(0)
        body += chunk
    return wire.unpack_job(header, bytes(body)), files


def _read_all(fd: int) -> bytes:
    with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as content:
        return content[:]


def _compile(engine: Engine, files: list[int]) -> Ending:
    wasm_fd, native_fd = files
    try:
        module = Module(engine, _read_all(wasm_fd))
    except WasmtimeError as error:
        return Ending(How.INVALID, detail=f"The code is not a valid WebAssembly module: {_first_line(error)}")
    if sentence := complaint(module):
        return Ending(How.INVALID, detail=sentence)
    native = memoryview(module.serialize())
    if len(native) > wire.MAX_NATIVE_BYTES:
        return Ending(How.INVALID, detail=f"The module's native code has {len(native)} bytes, more than {wire.MAX_NATIVE_BYTES}.")
    while native:
        native = native[os.write(native_fd, native) :]
    return Ending(How.COMPILED)


def _execute(store: Store, linker: Linker, link: Link, job: Job, native: bytes) -> Ending:
    module = Module.deserialize(store.engine, native)
    needed_bytes = next(export.type.limits.min * PAGE_BYTES for export in module.exports if isinstance(export.type, MemoryType))
    if needed_bytes > job.max_memory_bytes:
        return Ending(How.NEEDS_MEMORY, peak_memory_bytes=needed_bytes)
    store.set_limits(job.max_memory_bytes, MAX_TABLE_ELEMENTS, instances=1, tables=MAX_TABLES, memories=1)
    store.set_fuel(job.max_instructions)
    # The kernel ends a guest that computes past its deadline (SIGALRM's default action), whatever this process is doing. One that sleeps
    # ends by itself a little earlier, with its fuel known.
    deadline_ns = time.monotonic_ns() + job.max_seconds * NS_A_SECOND
    signal.setitimer(signal.ITIMER_REAL, job.max_seconds + KERNEL_GRACE_S)
    return _Execution(link, linker, store, _world(job, deadline_ns), job).run(module)


def _world(job: Job, deadline_ns: int) -> World:
    seeded = job.random_seed is not None
    return World(
        stdin=job.input_bytes,
        arguments=ARGUMENTS,
        environment=job.environment,
        clock=CountedClock(job.clock_start_ns, deadline_ns) if seeded else RunningClock(job.clock_start_ns, deadline_ns),
        random=os.urandom if job.random_seed is None else SeededBytes(job.random_seed),
        max_stdout_bytes=wire.MAX_OUTPUT_BYTES,
        stderr=Tail(wire.MAX_STDERR_BYTES),
    )


class _Execution:
    """A guest between its first instruction and its ending."""

    def __init__(self, link: Link, linker: Linker, store: Store, world: World, job: Job) -> None:
        self._link, self._linker, self._store, self._world = link, linker, store, world
        self._job = job
        self._memory: Memory | None = None

    def run(self, module: Module) -> Ending:
        # The clock starts before instantiation, for a module's `start` function is the guest's code too.
        started_ns = time.monotonic_ns()
        how, code, detail = self._call_start(module)
        wall_ns = time.monotonic_ns() - started_ns
        signal.setitimer(signal.ITIMER_REAL, 0)
        if wall_ns > self._job.max_seconds * NS_A_SECOND:
            how, code, detail = How.OUT_OF_TIME, 0, ""
        return Ending(
            how,
            code,
            instructions=self._job.max_instructions - self._store.get_fuel(),
            wall_ns=wall_ns,
            peak_memory_bytes=self._memory.data_len(self._store) if self._memory else 0,
            stdout=bytes(self._world.stdout) if how is How.RETURNED and code == 0 else b"",
            stderr=self._world.stderr.read(),
            detail=detail,
        )

    def _call_start(self, module: Module) -> tuple[How, int, str]:
        try:
            exports = self._linker.instantiate(self._store, module).exports(self._store)
            memory, start = exports["memory"], exports["_start"]
            if not isinstance(memory, Memory) or not isinstance(start, Func):
                raise TypeError("the module was checked before it was compiled")
            self._memory = memory
            self._link.attach(self._world, self._store, memory)
            start(self._store)
        except ExitTrap as exit_trap:
            return How.RETURNED, exit_trap.code, ""
        except (Trap, WasmtimeError) as stop:
            return self._why(stop)
        return How.RETURNED, 0, ""

    def _why(self, stop: Trap | WasmtimeError) -> tuple[How, int, str]:
        match self._link.stopped:
            case Exited(code=code):
                return How.RETURNED, code, ""
            case OutputFull():
                return How.OUTPUT_FULL, 0, ""
            case DeadlinePassed():
                return How.OUT_OF_TIME, 0, ""
            case None if isinstance(stop, Trap):
                code_of_trap: TrapCode | None = stop.trap_code
                return How.TRAPPED, 0xFFFF if code_of_trap is None else code_of_trap.value, _functions(stop)
            case None:
                return How.INVALID, 0, f"The module cannot be started: {_first_line(stop)}"
            case defect:
                raise defect


def _functions(trap: Trap) -> str:
    return told(frame.func_name or f"function {frame.func_index}" for frame in trap.frames)


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:400]
