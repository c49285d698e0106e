"""A request on its way through the worker."""

from dataclasses import dataclass, replace
from enum import StrEnum

from oracle.model.answer import Answer
from oracle.model.request import Origin, Request
from oracle.model.toolchain import Toolchain


class Stage(StrEnum):
    """How far a job has come; it only moves down this list."""

    QUEUED = "queued"
    """Code is being fetched or built (or waits for its turn)."""
    RUNNING = "running"
    """Code is there; the guest runs, or waits for its turn."""
    ANSWERING = "answering"
    """The answer is stored and on its way to the chain."""
    DONE = "done"
    """The contract has settled the request: by our answer, its time-out or a cancellation."""


@dataclass(frozen=True, slots=True)
class Job:
    """One request and all the worker knows of it."""

    request: Request
    origin: Origin
    stage: Stage = Stage.QUEUED
    wasm_sha256_hex: str | None = None
    compile_time_ms: int | None = None
    compilation_note: str | None = None
    toolchain: Toolchain | None = None
    """What built the module; None where it came built, or until it is there."""
    input_sha256_hex: str | None = None
    """Of what the guest was given; None until a guest has run to its end."""
    answer: Answer | None = None
    settled_by: str | None = None
    """`event`, or `gone` where the contract merely knows the request no more; None until DONE."""
    yield_height: int = 0
    """Block in which the yield began or was last renewed; its 200 blocks count from here. 0 = unknown."""

    @classmethod
    def asked(cls, request: Request, origin: Origin) -> "Job":
        """A request as its event tells it: the yield begins in the event's block."""
        return cls(request, origin, yield_height=origin.block_height)

    @property
    def request_id(self) -> int:
        """The contract's number of the request."""
        return self.request.request_id

    def at(self, stage: Stage, **changes: object) -> "Job":
        """The same job further on."""
        return replace(self, stage=stage, **changes)  # type: ignore[arg-type]
