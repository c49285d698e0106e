"""What the worker shows of itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latencies:
    """A histogram of seconds: `counts[i]` were at most `bounds_s[i]`, the last of `counts` were longer than all."""

    bounds_s: tuple[float, ...]
    counts: tuple[int, ...]
    sum_s: float


@dataclass(frozen=True, slots=True)
class Unquoted:
    """Receipts whose answers went out without a quote: how many wait for one, and how many were given up since the start."""

    waiting: int
    given_up: int


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
    unquoted: Unquoted | None = None
    """None: there is no TEE, and no receipt is quoted."""

    @property
    def chain_ok(self) -> bool:
        """Whether the chain can be reached."""
        return self.chain_trouble is None

    @property
    def store_ok(self) -> bool:
        """Whether jobs can be written."""
        return self.store_trouble is None
