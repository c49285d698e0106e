"""Where the code of a request comes from. A `Project` is resolved by the contract before the event is written."""

from dataclasses import dataclass
from enum import StrEnum


class BuildTarget(StrEnum):
    """The target triple, as contracts and toolchains spell it."""

    WASIP1 = "wasm32-wasip1"
    WASIP2 = "wasm32-wasip2"


@dataclass(frozen=True, slots=True)
class GitHub:
    """A git repository at a commit; `repo` is `https://github.com/o/r` or `github.com/o/r` (on the local chain also file:// and http://)."""

    repo: str
    commit: str
    build_target: BuildTarget = BuildTarget.WASIP1


@dataclass(frozen=True, slots=True)
class WasmUrl:
    """A compiled module and the sha256 it must have (64 hex digits, lower case)."""

    url: str
    sha256_hex: str
    build_target: BuildTarget = BuildTarget.WASIP1


Source = GitHub | WasmUrl
