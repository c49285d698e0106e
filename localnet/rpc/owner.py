"""
The thread that owns the chain. Whoever wants something of the chain hands it a function; functions run one after the other, in order.

The event loop thus never waits for a contract, and the chain needs no locks.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from localnet.chain import Chain

T = TypeVar("T")


class ChainOwner:
    """Runs functions over one chain in one thread. Closing waits for the running one; it does not close the chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="localnet-chain")
        self._unfinished = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    @property
    def waiting(self) -> int:
        """Functions that wait for the running one."""
        return max(0, self._unfinished - 1)

    async def run(self, work: Callable[[Chain], T]) -> T:
        """Hand the chain to a function and wait for what it returns; what it raises comes through."""
        self._unfinished += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._chain)
        finally:
            self._unfinished -= 1
