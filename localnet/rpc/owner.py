"""
The thread that owns the chain. Whoever wants something of the chain hands it a function; functions run one after the other, in order.

The event loop thus never waits for a contract, and the chain needs no locks.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

import structlog

from localnet.chain import Chain
from localnet.rpc.intake import Intake
from localnet.state.store import StateError
from localnet.values.transaction import SignedTransaction

T = TypeVar("T")

log = structlog.get_logger()


class ChainOwner:
    """Runs functions over one chain in one thread. Closing waits for the running one; it does not close the chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._intake = Intake(chain)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="localnet-chain")
        self._unfinished = 0
        self._telling = threading.Lock()  # both threads write
        self._told_refused = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        # Whose hash was answered belongs to the chain, also when nobody serves it any more.
        self._judge_if_writable()

    def take(self, signed: SignedTransaction) -> bool:
        """
        Keep a transaction whose sender waits for no verdict; it is judged before anything that is asked of the chain afterwards.

        Returns:
            False: there may be no room for it; the chain itself must say.

        Raises:
            StateError: it cannot be written.
        """
        try:
            return self._intake.take(signed)
        finally:
            self._tell()

    def _judge_if_writable(self) -> None:
        # What cannot be written now waits on in the intake; `run_judged` tells of it, and so does the next block.
        with suppress(StateError):
            self._intake.judge(self._chain)

    def _run(self, work: Callable[[Chain], T]) -> T:
        try:
            self._judge_if_writable()
            return work(self._chain)
        finally:
            self._tell()

    def _run_judged(self, work: Callable[[Chain], T]) -> T:
        try:
            self._intake.judge(self._chain)
            return work(self._chain)
        finally:
            self._tell()

    def _tell(self) -> None:
        """Who runs the chain hears once that it cannot be written and once that it can; each client is told what became of his own."""
        with self._telling:
            refused = self._chain.refused
            if refused is not None and not self._told_refused:
                log.error("chain_not_written", reason=refused)
            elif refused is None and self._told_refused:
                log.info("chain_written_again")
            self._told_refused = refused is not None

    @property
    def waiting(self) -> int:
        """Functions that wait for the running one."""
        return max(0, self._unfinished - 1)

    async def run(self, work: Callable[[Chain], T]) -> T:
        """Hand the chain to a function and wait for what it returns; what it raises comes through."""
        return await self._in_thread(self._run, work)

    async def run_judged(self, work: Callable[[Chain], T]) -> T:
        """The same, but `StateError` when what was taken cannot be put before the chain first."""
        return await self._in_thread(self._run_judged, work)

    async def _in_thread(self, run: Callable[[Callable[[Chain], T]], T], work: Callable[[Chain], T]) -> T:
        self._unfinished += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, run, work)
        finally:
            self._unfinished -= 1
