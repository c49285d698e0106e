"""The guests that ship with the package (sources: examples/guests)."""

from pathlib import Path

import oracle


def shipped_guests() -> dict[str, Path]:
    """Names and wasm files, in the order of the names."""
    directory = Path(oracle.__file__ or "").parent / "guests"
    return {path.stem: path for path in sorted(directory.glob("*.wasm"))}


def shipped_guest(name: str) -> Path:
    """
    The wasm file of one.

    Raises:
        KeyError: there is none of that name.
    """
    return shipped_guests()[name]
