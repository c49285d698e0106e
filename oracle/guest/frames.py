"""The functions of a trap, told for people; names come from the module and may be anything."""

import re
from collections.abc import Iterable

MAX_NAMES = 5
MAX_NAME_LENGTH = 80

_HASH = re.compile(r"h[0-9a-f]{16}")
_ESCAPES = {"$u7b$": "{", "$u7d$": "}", "$LT$": "<", "$GT$": ">", "$u20$": " ", "$RF$": "&", "$C$": ",", "..": "::"}
# What lies between a Rust program's mistake and its trap.
_PANIC = re.compile(r"(__rust_|rust_panic|rust_begin_unwind|(std|core)::panicking|std::sys::backtrace|std::process::abort|std::rt::)")


def told(names: Iterable[str]) -> str:
    """Innermost first, recursion once, without the machinery of a Rust panic: `average, called by main, _start`."""
    kept: list[str] = []
    everything: list[str] = []
    for name in names:
        readable = readable_name(name)
        if readable in everything[-1:]:
            continue
        everything.append(readable)
        if kept or not _PANIC.match(readable):
            kept.append(readable)
        if len(kept) == MAX_NAMES:
            break
    innermost, *callers = kept or everything[:1] or [""]
    return f"{innermost}, called by {', '.join(callers)}" if callers else innermost


def readable_name(name: str) -> str:
    """Rust's legacy mangling (`_ZN4main4mainE`) undone, printable and short."""
    name = _demangled(name)
    return "".join(c if c.isprintable() else "?" for c in name)[:MAX_NAME_LENGTH]


def _demangled(name: str) -> str:
    if not name.startswith("_ZN"):
        return name
    parts: list[str] = []
    rest = name[3:]
    while digits := re.match(r"[0-9]{1,4}", rest):
        length, start = int(digits[0]), digits.end()
        parts.append(rest[start : start + length])
        rest = rest[start + length :]
    if rest != "E" or not parts:
        return name
    if len(parts) > 1 and _HASH.fullmatch(parts[-1]):
        parts.pop()
    path = "::".join(part.removeprefix("_") if part.startswith("_$") else part for part in parts)
    for escape, character in _ESCAPES.items():
        path = path.replace(escape, character)
    return path
