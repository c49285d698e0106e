"""The worker's side of the fork server and of the processes it makes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import wasmtime

import oracle
from oracle.guest import wire
from oracle.guest.forkserver import EXITED, NOTICE, READY, REQUEST, SPAWN_FAILED, SPAWNED, WARM_UP
from oracle.guest.wire import Ending, Job

START_TIMEOUT_S: Final = 60.0
"""The fork server imports wasmtime: 0.2 s, on a busy machine much more."""
EXIT_TIMEOUT_S: Final = 10.0
"""Between a process' end and the fork server's word of it."""

_PROGRAM = "import sys; sys.path[:0] = sys.argv[1:-1]; from oracle.guest.forkserver import main; main()"


class ForkServerGone(Exception):
    """The fork server ended; a new one must be started."""


class SpawnFailed(Exception):
    """The machine has no room for another process."""


class Died(Exception):
    """A process ended without an ending; `signal_number` is what killed it, 0 if nothing did."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.strsignal(signal_number) if signal_number else "without a signal")
        self.signal_number = signal_number


class Process:
    """One process ahead of its only job. It is ended and reaped on leaving the context, whatever happened."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pidfd: int | None = None
        loop = asyncio.get_running_loop()
        self._spawned: asyncio.Future[None] = loop.create_future()
        self._exited: asyncio.Future[int] = loop.create_future()
        self._left = False
        self.pid = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        """Kill it and give back what is held; what is not spawned yet is killed when it is."""
        self._left = True
        self._connection.close()
        if self._pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
            self._pidfd = None

    @property
    def is_alive(self) -> bool:
        """Whether nothing is known of its end."""
        return not self._exited.done()

    def set_spawned(self, pid: int, pidfd: int) -> None:
        """The fork server has made it."""
        self.pid, self._pidfd = pid, pidfd
        if not self._spawned.done():
            self._spawned.set_result(None)
        if self._left:
            self.end()

    def set_failed(self, error: Exception) -> None:
        """The fork server could not make it, or is gone with it."""
        for future in (self._spawned, self._exited):
            if not future.done():
                future.set_exception(error)
                future.exception()  # looked at: whoever waits gets it, and nobody has to

    def set_exited(self, status: int) -> None:
        """The fork server has reaped it; `status` is that of wait(2)."""
        if not self._exited.done():
            self._exited.set_result(status)

    async def do(self, job: Job, files: Sequence[int], timeout_s: float) -> Ending:
        """
        Hand over the job and wait for its ending.

        Raises:
            TimeoutError: it took longer; the caller leaves the context and that ends it.
            Died: it ended without a word.
            Nonsense: what it said is no ending.
            ForkServerGone, SpawnFailed
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_s):
            header, body = job.pack()
            try:
                socket.send_fds(self._connection, [header], files)
                await loop.sock_sendall(self._connection, body)
                header = await self._receive(wire.ENDING.size)
                return wire.unpack_ending(header, await self._receive(wire.ending_body_length(header)))
            except (ConnectionError, EOFError) as end:
                raise Died(await self._signal_number()) from end

    async def _receive(self, length: int) -> bytes:
        loop = asyncio.get_running_loop()
        received = bytearray()
        while len(received) < length:
            chunk = await loop.sock_recv(self._connection, length - len(received))
            if not chunk:
                raise EOFError
            received += chunk
        return bytes(received)

    async def _signal_number(self) -> int:
        try:
            async with asyncio.timeout(EXIT_TIMEOUT_S):
                await self._spawned
                status = await asyncio.shield(self._exited)
        except TimeoutError as late:
            raise ForkServerGone("the fork server does not answer") from late
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


class ForkServer:
    """Starts the fork server, asks it for processes and hears of their ends."""

    def __init__(self, server: "subprocess.Popen[bytes]", control: socket.socket) -> None:
        self._server, self._control = server, control
        self._processes: dict[int, Process] = {}
        self._next_number = 1
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gone = asyncio.Event()

    @classmethod
    async def start(cls) -> "ForkServer":
        """
        Start it, with an empty environment and a session of its own, so that Ctrl-C at the terminal is the worker's to handle.

        Raises:
            ForkServerGone: it ended at once, or was not ready in time.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Where this very program found the two packages: a worker started from a checkout must not fork another version.
        paths = sorted({str(Path(package.__file__ or "").parents[1]) for package in (oracle, wasmtime)})
        try:
            with theirs:
                server = subprocess.Popen(  # noqa: ASYNC220 - vfork and exec, well below a millisecond
                    [sys.executable, "-I", "-S", "-c", _PROGRAM, *paths, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={},
                    cwd="/",
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
        except OSError:
            ours.close()
            raise
        self = cls(server, ours)
        ours.setblocking(False)
        asyncio.get_running_loop().add_reader(ours.fileno(), self._hear)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._ready
        except TimeoutError as late:
            self.close()
            raise ForkServerGone(f"the fork server was not ready within {START_TIMEOUT_S:.0f} s") from late
        except BaseException:
            self.close()
            raise
        return self

    @property
    def pid(self) -> int:
        """Of the fork server itself."""
        return self._server.pid

    def warm_up_with(self, native_fd: int) -> None:
        """
        Let processes run this program before their jobs come, from the next one on.

        Raises:
            ForkServerGone
        """
        self._request(WARM_UP, native_fd)

    def _request(self, number: int, fd: int) -> None:
        try:
            socket.send_fds(self._control, [REQUEST.pack(number)], [fd])
        except OSError as error:
            raise ForkServerGone("the fork server takes no request") from error

    def spawn(self) -> Process:
        """
        Ask for a process; it can be given its job at once.

        Raises:
            ForkServerGone
        """
        if self.gone.is_set():
            raise ForkServerGone("the fork server ended")
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        process = Process(ours)
        with theirs:
            try:
                self._request(self._next_number, theirs.fileno())
            except ForkServerGone:
                ours.close()
                raise
        self._processes[self._next_number] = process
        self._next_number += 1
        return process

    def _hear(self) -> None:
        try:
            notice, fds, _, _ = socket.recv_fds(self._control, NOTICE.size, 1)
        except BlockingIOError:
            return
        except ConnectionError:
            notice, fds = b"", []
        if len(notice) < NOTICE.size:
            self.close()
            return
        kind, number, value = NOTICE.unpack(notice)
        if kind == READY:
            self._ready.set_result(None)
        elif kind == SPAWNED:
            self._processes[number].set_spawned(value, fds[0])
        elif kind == SPAWN_FAILED:
            self._processes.pop(number).set_failed(SpawnFailed(os.strerror(value)))
        elif kind == EXITED:
            self._processes.pop(number).set_exited(value)

    def close(self) -> None:
        """End it and all its processes, and reap it."""
        if self.gone.is_set():
            return
        self.gone.set()
        asyncio.get_running_loop().remove_reader(self._control.fileno())
        self._control.close()
        self._server.kill()
        self._server.wait()
        gone = ForkServerGone("the fork server ended")
        if not self._ready.done():
            self._ready.set_exception(gone)
            self._ready.exception()
        for process in self._processes.values():
            process.set_failed(gone)
        self._processes.clear()
