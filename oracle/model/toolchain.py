"""What built a module from its source."""

import re
from dataclasses import dataclass

_NAME = re.compile(r"[ -~]{1,64}")
_FLAGS = re.compile(r"[ -~]{0,512}")
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Toolchain:
    """
    A compiler, and how it was called.

    All texts are printable ASCII: `name`, `version` and `target` (as the compiler spells it) have 1 to 64 characters, `flags` (with spaces
    between) at most 512. `recipe_sha256_hex`: of the whole call (docs/receipts.md, "Recipes").

    Raises:
        ValueError: a text is longer, or another.
    """

    name: str
    version: str
    target: str
    flags: str
    recipe_sha256_hex: str

    def __post_init__(self) -> None:
        for what in ("name", "version", "target"):
            _check(what, getattr(self, what), _NAME, "1 to 64 printable ASCII characters")
        _check("flags", self.flags, _FLAGS, "at most 512 printable ASCII characters")
        _check("recipe_sha256", self.recipe_sha256_hex, _SHA256_HEX, "64 hex digits in lower case")


def _check(what: str, value: str, shape: re.Pattern[str], wanted: str) -> None:
    if not shape.fullmatch(value):
        raise ValueError(f"{what} is {value[:80]!r}; {wanted} are needed")
