"""
The clean parent of all guest processes: it has imported what they need, holds no secret, no engine and no thread, and forks on demand.

It runs no guest and reads no input, so it never blocks; when its worker goes, its control socket closes and it takes its children along.
Started by `oracle.guest.processes` as a program of its own with an empty environment.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import struct
import sys

from oracle.guest.runner import live
from oracle.guest.wasi import Link

REQUEST = struct.Struct("<Q")
"""Number of the process to fork; the child's end of its socket comes along. WARM_UP: the descriptor is that of the warm-up program."""
WARM_UP = 0
NOTICE = struct.Struct("<BQi")
"""Kind, number, and pid, wait status or errno."""
READY, SPAWNED, SPAWN_FAILED, EXITED = range(4)


class ForkServer:
    """Forks, watches and reaps."""

    def __init__(self, control: socket.socket, link: Link) -> None:
        self._control, self._link = control, link
        self._warm_up_fd: int | None = None
        self._children: dict[int, tuple[int, int]] = {}  # pidfd -> number, pid
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def serve(self) -> None:
        """Until the worker goes."""
        self._control.send(NOTICE.pack(READY, 0, os.getpid()))
        while True:
            for fd, _ in self._poll.poll():
                if fd in self._children:
                    self._reap(fd)
                elif not self._take_request():
                    return

    def _take_request(self) -> bool:
        try:
            request, fds, _, _ = socket.recv_fds(self._control, REQUEST.size, 1)
        except ConnectionError:
            return False
        if len(request) < REQUEST.size:
            return False
        (number,) = REQUEST.unpack(request)
        if number == WARM_UP:
            self._warm_up_fd = fds[0]
            return True
        self._fork(number, fds[0])
        os.close(fds[0])
        return True

    def _fork(self, number: int, socket_fd: int) -> None:
        parent_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(SPAWN_FAILED, number, error.errno or 0)
            return
        if pid == 0:
            live(socket_fd, parent_pid, self._link, self._warm_up_fd)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = (number, pid)
        self._poll.register(pidfd, select.POLLIN)
        self._tell(SPAWNED, number, pid, [pidfd])

    def _reap(self, pidfd: int) -> None:
        number, pid = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(pid, 0)
        self._tell(EXITED, number, status)

    def _tell(self, kind: int, number: int, value: int, fds: list[int] | None = None) -> None:
        # A worker that is gone needs no notice; its closed socket ends `serve`.
        with contextlib.suppress(ConnectionError):
            socket.send_fds(self._control, [NOTICE.pack(kind, number, value)], fds or [])

    def end_children(self) -> None:
        """Kill and reap all."""
        for pidfd, (_, pid) in self._children.items():
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.waitpid(pid, 0)


def main() -> None:
    """Serve on the descriptor named by the last argument."""
    control = socket.socket(fileno=int(sys.argv[-1]))
    server = ForkServer(control, Link())
    gc.collect()
    gc.freeze()
    try:
        server.serve()
    finally:
        server.end_children()
