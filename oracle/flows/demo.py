"""
The demonstration: a client contract asks, some of its questions cannot be answered, and each comes back on chain with its price.

This module says what is asked and what counts as right; who asks, and on which chain, is handed in (`AskOnChain`).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from oracle.model import Limits, TxHash, YoctoNear


@dataclass(frozen=True, slots=True)
class Question:
    """One call of the example client."""

    title: str
    guest: str
    """Name of a guest that ships with the package."""
    input_text: str
    limits: Limits
    succeeds: bool
    wrong_hash: bool = False
    """Ask for the module under a hash it does not have."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The question is on chain and its promise waits."""

    request_id: int
    transaction_hash: TxHash
    block_height: int
    deposit: YoctoNear


@dataclass(frozen=True, slots=True)
class Report:
    """What came back; `output` is what the client contract stored, as text, None where it stored a failure."""

    request_id: int
    status: str
    output: str | None
    error: str | None
    instructions: int
    time_ms: int
    charged_yocto: YoctoNear
    refunded_yocto: YoctoNear
    transaction_hash: TxHash


@dataclass(frozen=True, slots=True)
class Step:
    """A question and how far it is: asked (no report yet), or answered."""

    question: Question
    asked: Asked
    report: Report | None = None

    @property
    def as_expected(self) -> bool:
        """Whether the end is the one the question was made for, and the money adds up."""
        if self.report is None:
            return False
        whole = self.report.charged_yocto + self.report.refunded_yocto == self.asked.deposit
        return whole and (self.report.status == "success") == self.question.succeeds


class AskOnChain(Protocol):
    """What the demonstration may do on a chain."""

    async def ask(self, question: Question) -> Asked:
        """Let the client contract ask; returns when the request is on chain."""
        ...

    async def answer(self, question: Question, asked: Asked) -> Report:
        """Wait for the answer and read it back from the client contract and from the main contract's outcome."""
        ...


SMALL = Limits(max_instructions=50_000_000, max_memory_mb=16, max_execution_seconds=5)

QUESTIONS = (
    Question(
        "How many words does this JSON hold?",
        guest="word_count",
        input_text='{"text": "a contract asks and code off chain answers"}',
        limits=Limits(),
        succeeds=True,
    ),
    Question("What is the sha256 of this input?", guest="sha256", input_text="near-compute-oracle", limits=SMALL, succeeds=True),
    Question("An endless loop", guest="endless_loop", input_text="", limits=SMALL, succeeds=False),
    Question("A memory bomb", guest="memory_bomb", input_text="", limits=SMALL, succeeds=False),
    Question("Code under a hash it does not have", guest="echo", input_text="hello", limits=SMALL, succeeds=False, wrong_hash=True),
)


async def demonstrate(chain: AskOnChain, questions: tuple[Question, ...] = QUESTIONS) -> AsyncIterator[Step]:
    """Ask one question after the other; each is told twice: when it is on chain and when it is answered."""
    for question in questions:
        asked = await chain.ask(question)
        yield Step(question, asked)
        yield Step(question, asked, await chain.answer(question, asked))
