"""Settings to a running worker: every real implementation is chosen here, and what is entered here is left here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from oracle.build import CodeProvider, ZigCompiler
from oracle.errors import ChainError
from oracle.flows.serve import serve
from oracle.guest import GuestPool
from oracle.near import Addressee, ChainSender, Contract, NeardataStream, Rpc, RpcStream, SigningKey, Watched
from oracle.near.events import DEFAULT_STANDARD
from oracle.net import Fetcher
from oracle.ports import ChainIdentity, Clock, SystemClock, WatchChain, WorkerSnapshot
from oracle.settings import Listen, Settings
from oracle.status import StatusServer
from oracle.store import SqliteJobs
from oracle.tee.late import LateQuotes
from oracle.wiring.attested import Guarded, attest, log_registration
from oracle.wiring.chain import check_network
from oracle.wiring.home import artifacts, build_cache, prepare_home
from oracle.wiring.receipts import Completing, receipt_maker, receipt_quotes, standing_of
from oracle.wiring.tee import trust_of
from oracle.worker import Parts, Place, Slots, Worker
from register import Tell

_RETRY_S = (0.5, 1.0, 2.0, 5.0)
_TOLD_EVERY_S = 60.0

_log = structlog.get_logger()
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Started:
    """A worker that serves."""

    address: Listen
    snapshot: Callable[[], WorkerSnapshot]


async def run_worker(
    settings: Settings, stop: asyncio.Event, started: Callable[[Started], None] = lambda _: None, registering: Tell = log_registration
) -> None:
    """
    Serve until `stop` is set; a chain that cannot be reached yet is waited for.

    `started` is called once, when the worker's own interface listens; `registering` with each step of a registration (TEE_MODE=tdx).

    Raises:
        ConfigurationError: the settings do not fit the chain, the store or this machine.
    """
    async with AsyncExitStack() as stack:
        opened = await _unless_stopped(stop, _open(settings, stack, registering))
        if opened is None:
            return
        parts, identity, guarded = opened
        worker = Worker(parts, Place(settings.offchainvm_contract_id, settings.near_network_id), Slots(settings.worker_concurrency))
        _log.info(
            "worker_started",
            chain=identity.chain_id,
            contract=identity.contract_id,
            operator=settings.operator_account_id,
            tee_mode=settings.tee_mode.value,
            concurrency=settings.worker_concurrency,
            home=str(settings.oracle_home),
        )
        snapshot = _snapshot(worker, guarded)
        beside = [_interface(settings, parts, snapshot, guarded, started), _tell_from_time_to_time(snapshot)]
        await serve(worker, parts, identity, stop, beside if guarded is None else [*beside, guarded.keeping()])
        _log.info("worker_stopped", answered_ok=worker.snapshot().answered_ok, answered_failed=worker.snapshot().answered_failed)


async def _open(settings: Settings, stack: AsyncExitStack, registering: Tell) -> tuple[Parts, ChainIdentity, Guarded | None]:
    """Enter everything into the stack, cheapest and likeliest to fail first."""
    home, clock, contract_id, trust = prepare_home(settings.oracle_home), SystemClock(), settings.offchainvm_contract_id, trust_of(settings)
    store = await stack.enter_async_context(SqliteJobs(settings.database_path))
    guests = await stack.enter_async_context(GuestPool(home, settings.worker_concurrency, settings.guest_memory_bytes))
    rpc = await stack.enter_async_context(Rpc(settings.rpc_urls, clock))
    identity = await _patiently(lambda: _identify(rpc, settings), clock)
    contract = Contract(rpc, contract_id)
    attested = await attest(settings, trust, rpc, stack, registering) if settings.is_attested else None
    keys = [SigningKey.from_text(settings.operator_account_id, key) for key in settings.operator_keys]
    signing = keys if attested is None else [attested.key]
    addressee = Addressee(contract_id, await _patiently(contract.keeps_receipts, clock))
    quotes = None if attested is None else receipt_quotes(settings, attested.machine, clock)
    late = None if quotes is None else LateQuotes(quotes, store, clock)
    sender = ChainSender(rpc, store, addressee, signing, clock)
    stream = await _stream(settings, rpc, contract, clock, stack)
    guarded = None if attested is None or late is None else attested.sender(sender, store, late)
    local_chain = settings.is_local_chain  # the chain itself has just confirmed it
    compiler = ZigCompiler(build_cache(home), local_chain=local_chain) if settings.build_backend == "none" else None
    parts = Parts(
        chain=stream if attested is None else attested.stream(stream, clock),
        contract=contract if attested is None else attested.contract(contract),
        send=sender if guarded is None else guarded.send,
        code=CodeProvider(artifacts(home, is_attested=attested is not None), Fetcher(local_chain=local_chain), compiler),
        guests=guests,
        store=store,
        receipts=receipt_maker(standing_of(settings, trust, identity, signing[0]), signing[0], clock, quotes),
        clock=clock,
    )
    return parts, identity, guarded


async def _identify(rpc: Rpc, settings: Settings) -> ChainIdentity:
    await check_network(rpc, settings)
    return ChainIdentity(settings.near_network_id, settings.offchainvm_contract_id, await rpc.genesis_hash())


async def _stream(settings: Settings, rpc: Rpc, contract: Contract, clock: Clock, stack: AsyncExitStack) -> WatchChain:
    """Blocks of the block API where there is one, else what the contract says at each final block."""
    if settings.block_api_url is None:
        return RpcStream(rpc, contract, clock)
    standard = await _patiently(contract.event_standard, clock)
    watched = Watched(settings.offchainvm_contract_id, standard or DEFAULT_STANDARD)
    stream = NeardataStream(settings.block_api_url, rpc, watched, clock, start_height=settings.start_block_height)
    return await stack.enter_async_context(stream)


async def _patiently(ask: Callable[[], Awaitable[_T]], clock: Clock) -> _T:
    """An answer of the chain; nodes that are not there yet are waited for, as they are later on."""
    attempt = 0
    while True:
        try:
            return await ask()
        except ChainError as error:
            _log.warning("waiting_for_chain", reason=str(error))
        await clock.sleep(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
        attempt += 1


def _snapshot(worker: Worker, guarded: Guarded | None) -> Callable[[], WorkerSnapshot]:
    """How the worker stands; a key that may not answer is trouble, receipts without quotes are not, for a restart would lose them."""

    def snapshot() -> WorkerSnapshot:
        now = worker.snapshot()
        if guarded is None:
            return now
        now, trouble = replace(now, unquoted=guarded.late.unquoted), guarded.keeper.trouble
        return now if trouble is None or now.chain_trouble is not None else replace(now, chain_trouble=trouble)

    return snapshot


@asynccontextmanager
async def _interface(
    settings: Settings, parts: Parts, snapshot: Callable[[], WorkerSnapshot], guarded: Guarded | None, started: Callable[[Started], None]
) -> AsyncIterator[None]:
    about = {
        "chain_id": settings.near_network_id,
        "contract_id": settings.offchainvm_contract_id,
        "operator_id": settings.operator_account_id,
        "tee_mode": settings.tee_mode.value,
    }
    if guarded is not None:
        about["public_key"] = guarded.keeper.registration.public_key
    complete = {} if guarded is None else {"complete": Completing(guarded.machine)}
    async with StatusServer(settings.api_listen, parts.store, snapshot, about, **complete) as server:
        _log.info("api_listening", url=f"http://{server.address}")
        started(Started(server.address, snapshot))
        yield


@asynccontextmanager
async def _tell_from_time_to_time(snapshot: Callable[[], WorkerSnapshot]) -> AsyncIterator[None]:
    """A line a minute for who looks at the log, and only when something has changed."""

    async def tell() -> None:
        told: tuple[object, ...] = ()
        while True:
            await asyncio.sleep(_TOLD_EVERY_S)
            now = snapshot()
            fresh = (now.jobs_by_stage, now.answered_ok, now.answered_failed, now.chain_trouble, now.store_trouble)
            if fresh != told:
                _log.info(
                    "status",
                    cursor_height=now.cursor_height,
                    head_height=now.head_height,
                    jobs=now.jobs_by_stage,
                    answered_ok=now.answered_ok,
                    answered_failed=now.answered_failed,
                    chain_trouble=now.chain_trouble,
                    store_trouble=now.store_trouble,
                )
                told = fresh

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, _T]) -> _T | None:
    """What the work gives; None, and the work cancelled, when `stop` is set before it is done."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
