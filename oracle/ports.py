"""
The outside worlds, each as the little the worker may do with it.

Honest twins of all of them live in `oracle.testing` and pass the same tests as the real ones. Failures are those of `oracle.errors`.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from oracle.model import (
    Answer,
    BlockEvents,
    Cursor,
    GitHub,
    Job,
    Limits,
    MaxLimits,
    Metrics,
    OutputFormat,
    Pricing,
    Request,
    Source,
    TxHash,
)


class Clock(Protocol):
    """Time, so that tests own it. The wall clock may jump; the monotonic one does not."""

    def now_ns(self) -> int:
        """Unix time in nanoseconds."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own time."""

    def now_ns(self) -> int:
        """See `Clock`."""
        return time.time_ns()

    def monotonic_s(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)


class WatchChain(Protocol):
    """Follows final blocks in order and hands over what they say of the contract."""

    @property
    def head_height(self) -> int:
        """Height of the newest final block heard of; 0 before the first."""
        ...

    @property
    def trouble(self) -> str | None:
        """What is wrong with the road to the chain just now, in a sentence; None: nothing."""
        ...

    def follow(self, after: Cursor | None) -> AsyncGenerator[BlockEvents, None]:
        """Every block after the cursor, in order, for ever; waits out trouble by itself and never skips a block that exists."""
        ...


class ReadContract(Protocol):
    """
    What the contract says when asked.

    `at_least_height`: what a node says of an older block is no answer (`RpcUnavailable`), because a node that lags would make a young
    request look settled.
    """

    async def pending_request_ids(self, *, at_least_height: int = 0) -> Sequence[int]:
        """All requests that wait for an answer."""
        ...

    async def request(self, request_id: int, *, at_least_height: int = 0) -> Request | None:
        """The request with its input; None when it is settled or was never made."""
        ...

    async def pricing(self) -> Pricing:
        """`get_pricing`."""
        ...

    async def max_limits(self) -> MaxLimits:
        """`get_max_limits`."""
        ...

    async def can_extend(self) -> bool:
        """Whether the contract has `extend_execution`."""
        ...


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to be sent, stored before it goes out."""

    transaction_hash: TxHash
    request_id: int
    public_key: str
    nonce: int
    block_height: int
    """Height of the block it refers to: it expires 86,400 blocks later."""
    signed_bytes: bytes = field(repr=False)
    """Empty once the job is DONE: the hash is kept, the bytes are of no more use."""
    kind: Literal["answer", "extend"] = "answer"


class SubmitAnswers(Protocol):
    """What the worker may do to the chain; nothing else."""

    async def submit(self, answer: Answer, *, first: bool = False) -> TxHash:
        """
        Bring an answer to the chain: sign, store, send; when the answer was sent before, find out first what became of it.

        `first`: the caller knows that nothing was ever sent for this request, and spares the look into the journal. Returns when the
        transaction is accepted by a node. The job is done only when the contract has settled the request.
        """
        ...

    async def extend(self, request_id: int) -> TxHash:
        """Announce that work goes on."""
        ...


@dataclass(frozen=True, slots=True)
class Code:
    """Wasm in the artifact cache."""

    wasm_sha256_hex: str
    path: Path
    compile_time_ms: int | None = None
    note: str | None = None


class ProvideCode(Protocol):
    """Source to wasm: fetched or built, verified and cached."""

    async def get(self, source: Source, *, force_rebuild: bool = False) -> Code:
        """
        Make the wasm of a source available.

        Raises:
            SourceRefused, SourceUnavailable, BuildFailed
        """
        ...

    def path_of(self, wasm_sha256_hex: str) -> Path | None:
        """Where a module lies that was provided before; None when the cache has it no more."""
        ...


class CompileSource(Protocol):
    """A repository to wasm."""

    async def compile(self, source: GitHub, into: Path) -> int:
        """
        Write the module to `into`; returns the milliseconds between source and wasm.

        Raises:
            SourceRefused, SourceUnavailable, BuildFailed
        """
        ...


class FetchBytes(Protocol):
    """HTTP out, with addresses, sizes and times bounded."""

    async def fetch(self, url: str, *, max_bytes: int) -> bytes:
        """
        The body behind a URL.

        Raises:
            SourceRefused: the address is not allowed, or the body is too long or of the wrong kind.
            SourceUnavailable: nobody answered in time, or with an error status.
        """
        ...


@dataclass(frozen=True, slots=True)
class GuestRun:
    """One execution: what a guest sees and may use."""

    wasm_path: Path
    wasm_sha256_hex: str
    input_bytes: bytes
    environment: tuple[tuple[str, str], ...]
    limits: Limits
    output_format: OutputFormat = OutputFormat.TEXT
    clock_start_ns: int = 0
    random_seed: bytes | None = None
    """None: the host's random bytes. Given: a deterministic stream, for tests and `oracle exec --seed`."""


@dataclass(frozen=True, slots=True)
class GuestResult:
    """A guest that ended well."""

    output: bytes
    metrics: Metrics
    stderr_tail: str = field(default="", repr=False)


class RunGuests(Protocol):
    """Wasm to output and metrics, behind a wall."""

    async def run(self, run: GuestRun) -> GuestResult:
        """
        Run one guest to its end.

        Raises:
            InvalidModule, GuestTrapped, GuestExited, OutputRefused
        """
        ...


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """Which chain and contract a store belongs to; another one is refused."""

    chain_id: str
    contract_id: str
    genesis_hash: str


class StoreJobs(Protocol):
    """
    Jobs, the cursor and the journal of sent transactions, durable across kill -9.

    A job that is DONE is kept without its request's input and is forgotten when enough younger ones are DONE.
    Everything but `bind` raises `StoreError` alone, and what raised has changed nothing.
    """

    async def bind(self, identity: ChainIdentity) -> None:
        """
        Claim an empty store for a chain, or check that it is this chain's.

        Raises:
            ConfigurationError: it belongs to another chain or contract.
        """
        ...

    async def cursor(self) -> Cursor | None:
        """The last block taken in."""
        ...

    async def admit(self, block: BlockEvents, changed: Sequence[Job] = ()) -> list[Job]:
        """
        Store a block's new requests and unreadable events and move the cursor, in one transaction; a block told twice adds nothing.

        `changed`: jobs that `job.step` took further because of the block (Completed, Extended), saved in the same transaction.
        Returns the jobs that are new.
        """
        ...

    async def adopt(self, job: Job) -> bool:
        """Store a job found by asking the contract, without touching the cursor; False when it was there already."""
        ...

    async def save(self, job: Job) -> None:
        """Store the job's new state; a job that is DONE stays so."""
        ...

    async def get(self, request_id: int) -> Job | None:
        """One job."""
        ...

    async def unfinished(self) -> list[Job]:
        """All jobs that are not DONE, oldest first."""
        ...

    async def recent(self, limit: int, before_request_id: int | None = None) -> list[Job]:
        """The latest jobs, newest first."""
        ...

    async def counts(self) -> dict[str, int]:
        """How many jobs stand at which stage, and `unreadable` events."""
        ...

    async def record(self, transaction: SignedTransaction) -> None:
        """Write a signed transaction down before it is sent."""
        ...

    async def transactions(self, request_id: int) -> list[SignedTransaction]:
        """All that were signed for a request, oldest first."""
        ...

    async def highest_nonce(self, public_key: str) -> int:
        """The highest nonce ever recorded for a key; 0 without any."""
        ...


@dataclass(frozen=True, slots=True)
class Latencies:
    """A histogram of seconds: `counts[i]` were at most `bounds_s[i]`, the last of `counts` were longer than all."""

    bounds_s: tuple[float, ...]
    counts: tuple[int, ...]
    sum_s: float


@dataclass(frozen=True, slots=True)
class WorkerSnapshot:
    """How the worker stands at one moment."""

    cursor_height: int
    head_height: int
    jobs_by_stage: dict[str, int]
    """Unfinished jobs only, by `Stage.value`."""
    running_guests: int
    answered_ok: int
    """Answers brought to the chain since the start, each once."""
    answered_failed: int
    chain_trouble: str | None
    """None: the chain can be reached."""
    store_trouble: str | None
    """None: jobs can be written."""
    last_error: str | None
    event_to_sent: Latencies
    """From the block with the event being handed over to the answer's transaction being accepted by a node."""

    @property
    def chain_ok(self) -> bool:
        """Whether the chain can be reached."""
        return self.chain_trouble is None

    @property
    def store_ok(self) -> bool:
        """Whether jobs can be written."""
        return self.store_trouble is None


class HoldSlot(Protocol):
    """A bounded number of things at once."""

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Wait for a turn and hold it."""
        ...
