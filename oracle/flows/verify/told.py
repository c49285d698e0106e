"""
The answer as it stands in a call to the contract, held against a receipt.

Both calls that settle a request are read (PROTOCOL, "Requests"): `resolve_execution`, and the one that brings a long output along.
"""

import hashlib
import itertools
import json
from dataclasses import dataclass
from typing import Any

from oracle.model import Metrics
from oracle.model.receipt import Outcome

METHODS = ("resolve_execution", "submit_execution_output_and_resolve")
MAX_ARGS_BYTES = 4 * 1024 * 1024
"""NEAR `max_arguments_length`."""
MAX_GUESSED_BYTES = 2
"""Of white space; 48 guesses."""
_JSON_OUTPUT = '"output":{"Json":'


class Unreadable(ValueError):
    """The call does not say what an answer says; `str()` is the reason."""


@dataclass(frozen=True, slots=True)
class Told:
    """
    What the contract was told.

    `output`: the bytes where the format keeps them, or of a Json output its text as it stands in the call, which the guest may have
    surrounded with white space; None: no output.
    """

    request_id: int
    success: bool
    output: bytes | None
    is_json: bool
    error: str | None
    metrics: Metrics
    receipt_sha256_hex: str | None


def read_call(method: str, args: bytes) -> Told:
    """
    Read a call.

    Raises:
        Unreadable
    """
    if method not in METHODS:
        raise Unreadable(f"a call of {method[:60]!r}")
    if len(args) > MAX_ARGS_BYTES:
        raise Unreadable(f"arguments of {len(args):,} bytes")
    try:
        text = args.decode()
        call: Any = json.loads(text)
        said = call["response"] if method == METHODS[0] else call
        output, is_json = _output(said.get("output"), text)
        used = said["resources_used"]
        return Told(
            request_id=_whole(call["request_id"]),
            success=bool(said["success"]),
            output=output,
            is_json=is_json,
            error=said.get("error"),
            metrics=Metrics(_whole(used["instructions"]), _whole(used["time_ms"]), 0, used.get("compile_time_ms")),
            receipt_sha256_hex=said.get("receipt_sha256"),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Unreadable(f"arguments of {method} that cannot be read ({type(error).__name__})") from error


def agrees_with(told: Told, outcome: Outcome, carried: bytes | None) -> bool | None:
    """
    Whether the output is the receipt's; None: a Json output may have lost white space, and `carried` (the guest's own bytes) would tell.
    """
    if told.output is None or outcome.output_sha256_hex is None:
        return (told.output is None) == (outcome.output_sha256_hex is None)
    if hashlib.sha256(told.output).hexdigest() == outcome.output_sha256_hex:
        return True
    if not told.is_json:
        return False
    if carried is not None and hashlib.sha256(carried).hexdigest() == outcome.output_sha256_hex:
        return carried.decode("utf-8", "replace").strip().encode() == told.output
    missing = (outcome.output_length or 0) - len(told.output)
    if missing <= 0:
        return False
    return True if _with_white_space(told.output, missing, outcome.output_sha256_hex) else None


def _with_white_space(text: bytes, missing: int, sha256_hex: str) -> bool:
    """Whether so many bytes of JSON's white space around the text give the hash; a line's end, most of the time."""
    if missing > MAX_GUESSED_BYTES:
        return False
    for guess in itertools.product(b" \t\n\r", repeat=missing):
        for before in range(missing + 1):
            whole = bytes(guess[:before]) + text + bytes(guess[before:])
            if hashlib.sha256(whole).hexdigest() == sha256_hex:
                return True
    return False


def _output(value: Any, text: str) -> tuple[bytes | None, bool]:
    match value:
        case None:
            return None, False
        case {"Bytes": list(numbers)}:
            return bytes(numbers), False
        case {"Text": str(words)}:
            return words.encode(), False
        case {"Json": _}:
            return _json_text(value["Json"], text), True
    raise ValueError("an output of no known format")


def _json_text(value: Any, text: str) -> bytes:
    """The guest's own spelling, cut out of the call: no two numbers that are spelled differently are taken for the same."""
    start = text.index(_JSON_OUTPUT) + len(_JSON_OUTPUT)
    found, end = json.JSONDecoder().raw_decode(text, start)
    if found != value or text[end : end + 1] != "}":
        raise ValueError("the output stands at another place than is read")
    return text[start:end].encode()


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("no whole number")
    return value
