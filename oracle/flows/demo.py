"""
The demonstration: a client contract asks, some of its questions cannot be answered, and each comes back on chain with its price.

This module says what is asked and what counts as right; who asks, and on which chain, is handed in (`AskOnChain`).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from oracle.model import NEAR, Limits, TxHash, YoctoNear


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
    """The question is on its way; its promise will wait for the answer."""

    transaction_hash: TxHash
    deposit: YoctoNear


@dataclass(frozen=True, slots=True)
class Report:
    """What came back; `output` is what the client contract keeps as its answer, None where it keeps a failure."""

    request_id: int
    status: str
    output: str | None
    error: str | None
    instructions: int
    time_ms: int
    charged: YoctoNear
    refunded: YoctoNear


@dataclass(frozen=True, slots=True)
class Step:
    """A question and how far it is: asked (no report yet), or answered."""

    number: int
    question: Question
    asked: Asked
    report: Report | None = None

    @property
    def as_expected(self) -> bool:
        """Whether the end is the one the question was made for, and the money adds up."""
        if self.report is None:
            return False
        whole = self.report.charged + self.report.refunded == self.asked.deposit
        return whole and (self.report.status == "succeeded" and self.report.output is not None) == self.question.succeeds


class AskOnChain(Protocol):
    """What the demonstration may do on a chain."""

    async def ask(self, question: Question, deposit: YoctoNear) -> Asked:
        """Let the client contract ask."""
        ...

    async def answer(self, asked: Asked) -> Report:
        """Wait for the answer and read it back from the chain: from the client contract and from the main contract's record."""
        ...


DEPOSIT = YoctoNear(NEAR // 10)

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
    """Ask one question after the other; each is told twice: when it is asked and when it is answered."""
    for number, question in enumerate(questions, start=1):
        asked = await chain.ask(question, DEPOSIT)
        yield Step(number, question, asked)
        yield Step(number, question, asked, await chain.answer(asked))
