"""
The contract's pending requests compared with our jobs, so that not even a block nobody can read any more loses one.

What the contract waits for and we do not know is adopted, without the facts only its block would tell; what we work on and the contract
knows no more is settled.
"""

from dataclasses import dataclass

import structlog

from oracle.errors import ChainError, RpcRefused
from oracle.job import Settled
from oracle.model import Job, Origin
from oracle.ports import Clock, ReadContract, StoreJobs, WatchChain
from oracle.worker import Worker

PERIOD_S = 60.0
CATCH_UP_TIMEOUT_S = 60.0
"""So long the stream may take to tell, with all they carry, the requests it has not come to yet; then they are adopted without."""
_TICK_S = 0.2

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was found."""

    adopted: tuple[int, ...]
    vanished: tuple[int, ...]


async def reconcile(worker: Worker, contract: ReadContract, store: StoreJobs, chain: WatchChain, clock: Clock) -> Reconciled:
    """
    Compare once.

    Raises:
        ChainError, StoreError: nothing is lost by trying again later.
    """
    until_s = clock.monotonic_s() + CATCH_UP_TIMEOUT_S
    while worker.cursor_height == 0 and clock.monotonic_s() < until_s:
        await clock.sleep(_TICK_S)  # what is asked between the contract's word and the first block would be in neither
    ours = worker.unfinished
    try:
        pending = frozenset(await contract.pending_request_ids(at_least_height=worker.cursor_height))
    except RpcRefused as error:
        # The deployed contract walks through all requests it ever had; one day that is more gas than a view has.
        _log.warning("pending_requests_not_listed", reason=str(error))
        return Reconciled((), ())
    unknown = [request_id for request_id in sorted(pending) if request_id not in ours]
    if unknown:
        await _stream_had_its_turn(worker, chain, clock, until_s)
    adopted = [request_id for request_id in unknown if await _adopt(request_id, worker, contract, store)]
    vanished = [request_id for request_id in sorted(ours) if request_id not in pending]
    vanished = [request_id for request_id in vanished if await _is_gone(ours[request_id], contract)]
    for request_id in vanished:
        await worker.tell(request_id, Settled("gone"))
    if adopted or vanished:
        _log.info("reconciled", adopted=adopted[:20], vanished=vanished[:20])
    return Reconciled(tuple(adopted), tuple(vanished))


async def _stream_had_its_turn(worker: Worker, chain: WatchChain, clock: Clock, until_s: float) -> None:
    head_height = chain.head_height
    while (worker.cursor_height == 0 or worker.cursor_height < head_height) and clock.monotonic_s() < until_s:
        await clock.sleep(_TICK_S)


async def _adopt(request_id: int, worker: Worker, contract: ReadContract, store: StoreJobs) -> bool:
    if await store.get(request_id) is not None:
        return False
    try:
        request = await contract.request(request_id)
    except ChainError as error:
        _log.warning("pending_request_not_read", request_id=request_id, reason=str(error))
        return False
    if request is None:
        return False
    job = Job(request.light(), Origin())
    if not await store.adopt(job):
        return False
    await worker.take_up(job)
    return True


async def _is_gone(job: Job, contract: ReadContract) -> bool:
    return await contract.request(job.request_id, at_least_height=job.origin.block_height) is None
