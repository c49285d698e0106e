"""What a registration tells while it goes on: one step, one sentence, and the facts in it for programs."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """In the order in which they happen."""

    SOCKET = "socket"
    QUOTE = "quote"
    COLLATERAL = "collateral"
    CHECKS = "checks"
    CONTRACT = "contract"
    SUBMISSION = "submission"
    RTMR3 = "rtmr3"
    AUTHORISED = "authorised"


@dataclass(frozen=True, slots=True)
class Told:
    """A step that is done. `facts`: names and values of the sentence; nothing in it is secret."""

    step: Step
    sentence: str
    facts: tuple[tuple[str, str], ...] = ()


Tell = Callable[[Told], None]
