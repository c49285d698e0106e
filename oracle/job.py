"""
The life of one request, decided without clock, socket or file.

    QUEUED ── CodeReady ──► RUNNING ── GuestDone/Failed ──► ANSWERING ── Settled ──► DONE
       └────── Failed, or CodeReady of compile only ────────────┘
       any stage ── Settled ──► DONE
       before ANSWERING ── WindowClosing ──► extended, or answered with an error in time

`step(job, event)` is the only place that decides. Every command it returns is safe to repeat, so that after a crash `Restarted` simply
asks for the command of the stage again, and an event told twice changes nothing. `loses_nothing_by_a_crash` says of which steps the store
need not hear at once.
"""

from dataclasses import dataclass

from oracle.errors import OutOfOrder
from oracle.model import Answer, Job, Metrics, Stage, Toolchain


@dataclass(frozen=True, slots=True)
class Restarted:
    """The worker has just taken the job up: new, or found in the store after a stop."""


@dataclass(frozen=True, slots=True)
class CodeReady:
    """The wasm lies in the artifact cache under its hash."""

    wasm_sha256_hex: str
    compile_time_ms: int | None = None
    note: str | None = None
    toolchain: Toolchain | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """What a guest that ended was: its module, and the input it was given, each by sha256; and what built the module."""

    wasm_sha256_hex: str
    input_sha256_hex: str
    toolchain: Toolchain | None = None


@dataclass(frozen=True, slots=True)
class GuestDone:
    """The guest ended well and its output fits the response format."""

    output: bytes
    metrics: Metrics
    ran: Ran | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Code, guest or output is at fault; `reason` is one sentence for the caller. `ran`: None where no guest came to its end."""

    reason: str
    metrics: Metrics
    ran: Ran | None = None


@dataclass(frozen=True, slots=True)
class WindowClosing:
    """The yield is about to time out. `can_extend`: the contract knows `extend_execution` and its deadline lies ahead."""

    can_extend: bool


@dataclass(frozen=True, slots=True)
class Renewed:
    """The chain has renewed the yield at this height."""

    block_height: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The contract owes nothing more; `by` is `event` or `gone`."""

    by: str


Event = Restarted | CodeReady | GuestDone | Failed | WindowClosing | Renewed | Settled


@dataclass(frozen=True, slots=True)
class GetCode:
    """Fetch or build the source."""


@dataclass(frozen=True, slots=True)
class RunGuest:
    """Run the module on the request's input within its limits."""

    wasm_sha256_hex: str


@dataclass(frozen=True, slots=True)
class Submit:
    """Bring the answer to the chain, and see to it that it gets there."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Extend:
    """Tell the contract that work goes on (`extend_execution`)."""


@dataclass(frozen=True, slots=True)
class Release:
    """Stop whatever still runs for this job."""


Command = GetCode | RunGuest | Submit | Extend | Release


def step(job: Job, event: Event) -> tuple[Job, list[Command]]:  # noqa: C901, PLR0911  one line a road
    """
    Say what follows from an event.

    Raises:
        OutOfOrder: no road leads from the job's stage to such an event.
    """
    match job.stage, event:
        case _, Restarted():
            return job, _command_of_stage(job)
        case Stage.DONE, _:
            return job, []
        case _, Settled(by=by):
            return job.at(Stage.DONE, settled_by=by), [Release()]
        case _, Renewed(block_height=height):
            return job.at(job.stage, yield_height=max(height, job.yield_height)), []
        case Stage.QUEUED, CodeReady() as code:
            return _code_ready(job, code)
        case Stage.RUNNING, GuestDone() as done:
            return _answered(_with(job, done.ran), success=True, output=done.output, error=None, metrics=done.metrics)
        case ((Stage.QUEUED | Stage.RUNNING), Failed(reason=reason, metrics=metrics, ran=ran)):
            return _answered(_with(job, ran), success=False, output=None, error=reason, metrics=metrics)
        case ((Stage.QUEUED | Stage.RUNNING), WindowClosing(can_extend=True)):
            return job, [Extend()]
        case ((Stage.QUEUED | Stage.RUNNING), WindowClosing(can_extend=False)):
            late, commands = _answered(job, success=False, output=None, error=_too_late(job), metrics=Metrics())
            return late, [Release(), *commands]
        case ((Stage.RUNNING | Stage.ANSWERING), CodeReady()):
            return job, []  # told twice
        case Stage.ANSWERING, (GuestDone() | Failed() | WindowClosing()):
            return job, []  # told twice, or after the answer was given in time
        case stage, _:
            raise OutOfOrder(f"request {job.request_id}: {type(event).__name__} while {stage.value}")


def loses_nothing_by_a_crash(before: Job, after: Job) -> bool:
    """Whether `after` is found again from `before` for nothing: that code lies in the cache, where having it took no build."""
    found = before.stage is Stage.QUEUED and after.stage is Stage.RUNNING
    return after == before or (found and after.compile_time_ms is None and after.compilation_note is None)


def _command_of_stage(job: Job) -> list[Command]:
    match job.stage:
        case Stage.QUEUED:
            return [GetCode()]
        case Stage.RUNNING if job.wasm_sha256_hex is not None:
            return [RunGuest(job.wasm_sha256_hex)]
        case Stage.ANSWERING if job.answer is not None:
            return [Submit(job.answer)]
        case Stage.DONE:
            return []
        case stage:
            raise OutOfOrder(f"request {job.request_id}: {stage.value} without what that stage rests on")


def _code_ready(job: Job, code: CodeReady) -> tuple[Job, list[Command]]:
    found = job.at(
        Stage.RUNNING,
        wasm_sha256_hex=code.wasm_sha256_hex,
        compile_time_ms=code.compile_time_ms,
        compilation_note=code.note,
        toolchain=code.toolchain,
    )
    if job.request.runs_guest:
        return found, [RunGuest(code.wasm_sha256_hex)]
    return _answered(found, success=True, output=None, error=None, metrics=Metrics())


def _with(job: Job, ran: Ran | None) -> Job:
    if ran is None:
        return job
    return job.at(job.stage, wasm_sha256_hex=ran.wasm_sha256_hex, input_sha256_hex=ran.input_sha256_hex, toolchain=ran.toolchain)


def _answered(job: Job, *, success: bool, output: bytes | None, error: str | None, metrics: Metrics) -> tuple[Job, list[Command]]:
    compile_time_ms = job.compile_time_ms if metrics.compile_time_ms is None else metrics.compile_time_ms
    answer = Answer(
        request_id=job.request_id,
        success=success,
        output=output,
        output_format=job.request.response_format,
        error=error,
        metrics=Metrics(metrics.instructions, metrics.time_ms, metrics.peak_memory_bytes, compile_time_ms),
        compilation_note=job.compilation_note,
    )
    return job.at(Stage.ANSWERING, answer=answer), [Submit(answer)]


def _too_late(job: Job) -> str:
    doing = (
        "its code was still being fetched or built" if job.stage is Stage.QUEUED else "the guest was still running or waiting for its turn"
    )
    return f"The request could not be finished within the chain's yield window: {doing}. Ask again; what was built is kept."
