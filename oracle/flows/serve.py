"""What `oracle run` does: the worker, the comparison with the contract, and whatever runs beside them, until told to stop."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import structlog

from oracle.errors import ChainError, StoreError
from oracle.flows.reconcile import PERIOD_S, reconcile
from oracle.ports import ChainIdentity
from oracle.worker import Parts, Worker

_RETRY_S = 2.0

_log = structlog.get_logger()


async def serve(
    worker: Worker,
    parts: Parts,
    identity: ChainIdentity,
    stop: asyncio.Event,
    beside: Sequence[AbstractAsyncContextManager[object]] = (),
) -> None:
    """
    Serve until `stop` is set.

    `parts` are entered already (connections open, guest pool ready). `beside` are entered before the worker starts and left after it has
    ended, such as its status server.

    Raises:
        ConfigurationError: the store belongs to another chain or contract.
    """
    await parts.store.bind(identity)
    async with AsyncExitStack() as stack:
        for companion in beside:
            await stack.enter_async_context(companion)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        comparing = tasks.create_task(_reconcile_for_ever(worker, parts))
        try:
            await worker.run(stop)
        finally:
            comparing.cancel()


async def _reconcile_for_ever(worker: Worker, parts: Parts) -> None:
    """At the start and from time to time; trouble is waited out."""
    while True:
        try:
            await reconcile(worker, parts.contract, parts.store, parts.chain, parts.clock)
        except (ChainError, StoreError) as error:
            _log.warning("not_reconciled", reason=str(error))
            await parts.clock.sleep(_RETRY_S)
        else:
            await parts.clock.sleep(PERIOD_S)
