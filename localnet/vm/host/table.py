"""The table of host functions, filled by the modules of each theme."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

HostBody: TypeAlias = Callable[..., int | None]
"""Takes the HostCall and the wasm arguments as unsigned numbers; gives the result, None where there is none."""


@dataclass(frozen=True, slots=True)
class HostFunction:
    """An import by its name. Types: "I" is i64, "i" is i32, one letter a value."""

    name: str
    params: str
    result: str
    charges: tuple[str, ...]
    """Figures of `HostCosts` paid on entry, one after another."""
    prohibited_in_view: str | None
    """Under which name a view is refused; None: views may call it."""
    body: HostBody


TABLE: Final[dict[str, HostFunction]] = {}


def offered(
    name: str,
    params: str,
    result: str = "",
    *,
    charges: tuple[str, ...] = ("base",),
    refused_in_view: bool | str = False,
) -> Callable[[HostBody], HostBody]:
    """
    Put a function into the table.

    Args:
        name: what contracts import.
        params: types of its parameters.
        result: type of its result, if any.
        charges: figures of `HostCosts` paid on entry; a view is refused after them.
        refused_in_view: whether views may not call it; a name is what the refusal calls the function.
    """

    def enter(body: HostBody) -> HostBody:
        refused = name if refused_in_view is True else refused_in_view or None
        TABLE[name] = HostFunction(name, params, result, charges, refused, body)
        return body

    return enter
