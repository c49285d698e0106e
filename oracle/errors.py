"""
OracleError
├── RequestError        the request is at fault: answered on chain in one sentence, never retried
│   ├── SourceRefused       the code may not be fetched from there, or is not what its hash says
│   ├── SourceUnavailable   the code could not be had (after the retries that fit the window)
│   ├── BuildFailed         the compiler refused the source
│   ├── InvalidModule       not wasm, no `_start`, or an import nobody offers
│   ├── GuestTrapped        trap, out of fuel, past the deadline
│   ├── GuestExited         ended with an exit code other than 0
│   └── OutputRefused       too long, or not what the response format promises
├── ChainError          RPC trouble: retried with back-off
│   ├── RpcUnavailable      nobody answers, or answers nonsense
│   ├── RpcRefused          the node answered with an error
│   └── TransactionRefused  the chain will not take this transaction as it is
├── TeeError            evidence of the worker's software
│   ├── TeeUnavailable      the dstack socket or the collateral source is in trouble: tried again later
│   └── EvidenceRefused     a quote, event log, collateral, receipt or bundle is not what it says it is
├── StoreError          the disk is full or the database unsound: the worker waits, says so, and goes on when it can
├── ConfigurationError  settings are wrong or do not fit the chain: the start stops
└── OutOfOrder          an event that cannot follow from a job's stage: a defect of ours

Families differ by what the caller does next; facts are fields, and nobody reads a text to decide.
"""

from enum import StrEnum

from oracle.model import Metrics
from oracle.model.metrics import NOTHING_USED


class OracleError(Exception):
    """Root of the tree."""


class RequestError(OracleError):
    """The request is at fault. `str()` is the sentence that goes on chain; `metrics` is what was spent."""

    def __init__(self, sentence: str, *, metrics: Metrics = NOTHING_USED) -> None:
        super().__init__(sentence)
        self.metrics = metrics


class SourceRefused(RequestError):
    """The source names a place we do not fetch from, or its bytes do not have the promised hash."""


class SourceUnavailable(RequestError):
    """The source could not be had in time."""


class BuildFailed(RequestError):
    """The compiler, or the repository's shape, made a build impossible."""


class InvalidModule(RequestError):
    """The wasm is not a module this worker can run."""


class Trap(StrEnum):
    """Why a guest was stopped."""

    OUT_OF_FUEL = "out of instructions"
    OUT_OF_TIME = "out of time"
    OUT_OF_MEMORY = "out of memory"
    UNREACHABLE = "unreachable code"
    STACK_OVERFLOW = "stack overflow"
    OUT_OF_BOUNDS = "memory access out of bounds"
    ARITHMETIC = "arithmetic error"
    OTHER = "trap"
    KILLED = "its process died"


class GuestTrapped(RequestError):
    """The guest stopped before it answered; what it spent is reported all the same."""

    def __init__(self, trap: Trap, sentence: str, *, metrics: Metrics, stderr_tail: str = "") -> None:
        super().__init__(sentence, metrics=metrics)
        self.trap, self.stderr_tail = trap, stderr_tail


class GuestExited(RequestError):
    """The guest ended with an exit code other than 0."""

    def __init__(self, exit_code: int, sentence: str, *, metrics: Metrics, stderr_tail: str = "") -> None:
        super().__init__(sentence, metrics=metrics)
        self.exit_code, self.stderr_tail = exit_code, stderr_tail


class OutputRefused(RequestError):
    """The guest wrote more than fits an answer, or something that is not of the response format."""


class ChainError(OracleError):
    """The chain or the road to it is in trouble; trying again later is right."""


class RpcUnavailable(ChainError):
    """No node answered, or none with something that can be read."""


class RpcRefused(ChainError):
    """A node answered with an error; `cause` is its name (`UNKNOWN_BLOCK`, …)."""

    def __init__(self, cause: str, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause


class TransactionRefused(ChainError):
    """The chain refused a transaction before it ran; `kind` is nearcore's name (`InvalidNonce`, `Expired`, …)."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class TeeError(OracleError):
    """Something about the proof of which software runs."""


class TeeUnavailable(TeeError):
    """The dstack socket or the source of collateral does not answer, or with nothing that can be read; trying again later is right."""


class EvidenceRefused(TeeError):
    """A quote, event log, collateral, receipt or bundle is not what it says; `str()` names what was seen and what was expected."""


class StoreError(OracleError):
    """Jobs cannot be written: disk full, database locked or damaged."""


class ConfigurationError(OracleError):
    """Settings are wrong; `problems` has one line for each, with its mend."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class OutOfOrder(OracleError):
    """An event that no road leads to from the job's stage."""
