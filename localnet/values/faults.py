"""
What went wrong, in nearcore's vocabulary: a name and its facts, ready for JSON-RPC.

The chain's own code decides by name; the facts are what nodes report beside it, amounts as decimal strings.
"""

from dataclasses import dataclass
from typing import TypeAlias

Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One variant of nearcore's error enums (`InvalidTxError`, `ActionErrorKind`, …)."""

    name: str
    facts: Json = None
    """None: a variant without facts, written as its bare name."""

    def to_json(self) -> Json:
        """The shape serde gives it: `"Name"` or `{"Name": facts}`."""
        return self.name if self.facts is None else {self.name: self.facts}

    def __str__(self) -> str:
        return self.name if self.facts is None else f"{self.name} {_in_words(self.facts)}"


def _in_words(facts: Json) -> str:
    if isinstance(facts, dict):
        return ", ".join(f"{name} {_in_words(value)}" if isinstance(value, dict) else f"{name}={value}" for name, value in facts.items())
    return str(facts)


def fault_from_json(value: Json) -> Fault:
    """
    Read what `Fault.to_json` wrote.

    Raises:
        ValueError: it is neither a name nor an object with one member.
    """
    if isinstance(value, str):
        return Fault(value)
    if isinstance(value, dict) and len(value) == 1:
        ((name, facts),) = value.items()
        return Fault(name, facts)
    raise ValueError(f"not a fault: {str(value)[:100]}")


@dataclass(frozen=True, slots=True)
class ActionError:
    """Why a receipt failed, and at which of its actions (None: after the last)."""

    index: int | None
    kind: Fault

    def to_json(self) -> Json:
        """`TxExecutionError` as outcomes carry it."""
        return {"ActionError": {"index": self.index, "kind": self.kind.to_json()}}

    def __str__(self) -> str:
        return str(self.kind)
