"""Processes ahead of need, from a fork server that is started anew when it is gone."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Sequence
from typing import Final

from oracle.guest.processes import Died, ForkServer, ForkServerGone, Process, SpawnFailed
from oracle.guest.wire import Ending, Job

ATTEMPTS: Final = 3
"""How often a job is begun anew when its process was taken away from outside; a job has no effect but its ending."""
RETRY_DELAY_S: Final = 0.2
_FROM_OUTSIDE: Final = frozenset({0, signal.SIGKILL, signal.SIGTERM})
"""Ends that say nothing about the guest. 0: the process ended before it had its job."""


class ProcessSupply:
    """Hands every job to a process of its own."""

    def __init__(self, spares: int) -> None:
        self._wanted = spares
        self._spares: deque[Process] = deque()
        self._server: ForkServer | None = None
        self._warm_up_fd: int | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    async def start(self) -> None:
        """
        Start the fork server.

        Raises:
            ForkServerGone
        """
        await self._running_server()

    def warm_up_with(self, native_fd: int) -> None:
        """Let processes run this program before their jobs come; the descriptor is ours from now on. The first spares are made now."""
        self._warm_up_fd = native_fd
        if self._server:
            self._server.warm_up_with(native_fd)
        self.refill()

    def close(self) -> None:
        """End them all."""
        self._closed = True
        while self._spares:
            self._spares.popleft().end()
        if self._server:
            self._server.close()
        if self._warm_up_fd is not None:
            os.close(self._warm_up_fd)
            self._warm_up_fd = None

    def refill(self) -> None:
        """Ask for as many processes as are wanted ahead of need; does not wait."""
        alive = [spare for spare in self._spares if spare.is_alive]
        for dead in set(self._spares).difference(alive):
            dead.end()
        self._spares = deque(alive)
        while self._server and not self._server.gone.is_set() and len(self._spares) < self._wanted:
            try:
                self._spares.append(self._server.spawn())
            except (ForkServerGone, OSError):
                return  # whoever needs one asks again, and is told what is wrong

    async def do(self, job: Job, files: Sequence[int], timeout_s: float) -> Ending:
        """
        Have a job done; begin anew where its process was taken away from outside.

        Raises:
            TimeoutError: it took longer than `timeout_s`; it is ended.
            Died: the job ended its process, or it was taken away every time.
            ForkServerGone, SpawnFailed: the machine gives no process.
            Nonsense: what the process said is no ending.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with await self._take() as process:
                    return await process.do(job, files, timeout_s)
            except Died as death:
                if attempt == ATTEMPTS or death.signal_number not in _FROM_OUTSIDE:
                    raise
            except (ForkServerGone, SpawnFailed):
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(RETRY_DELAY_S)
        raise AssertionError("the last attempt returns or raises")

    async def _take(self) -> Process:
        while self._spares:
            spare = self._spares.popleft()
            if spare.is_alive:
                return spare
            spare.end()
        return (await self._running_server()).spawn()

    async def _running_server(self) -> ForkServer:
        async with self._starting:
            if self._closed:
                raise ForkServerGone("the pool is closed")
            if self._server is None or self._server.gone.is_set():
                self._server = await ForkServer.start()
                if self._warm_up_fd is not None:
                    self._server.warm_up_with(self._warm_up_fd)
            return self._server
