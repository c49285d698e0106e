"""What goes back to the contract."""

from dataclasses import dataclass
from enum import StrEnum

from oracle.model.metrics import NOTHING_USED, Metrics


class OutputFormat(StrEnum):
    """`response_format`: how the contract is to hand the output to the caller."""

    BYTES = "Bytes"
    TEXT = "Text"
    JSON = "Json"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    The end of a request: an output, or one sentence saying why there is none.

    `output` is what the guest wrote to stdout, byte for byte, already checked against the request's format; None for a failure and for
    compile only.
    """

    request_id: int
    success: bool
    output: bytes | None = None
    output_format: OutputFormat = OutputFormat.TEXT
    error: str | None = None
    metrics: Metrics = NOTHING_USED
    compilation_note: str | None = None

    def __post_init__(self) -> None:
        if self.success == (self.error is not None):
            raise ValueError("an answer has an error if and only if it is a failure")
