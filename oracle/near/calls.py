"""
Answers as calls of the contract (PROTOCOL, "Requests").

A yield takes at most 1,024 bytes of serialised response, so the size of the response, as the contract will write it, decides between
`resolve_execution` and the call that leaves the output in the contract's state first. The guest's JSON goes out as the guest wrote it; what
Rust's parser would refuse is found here, because a call that cannot be parsed would never settle anything.
"""

import json
import math
from dataclasses import dataclass, replace

from oracle.model import Answer, OutputFormat
from oracle.model.nesting import depth_of
from oracle.near.keys import Call

MAX_YIELD_PAYLOAD_BYTES = 1_024
"""NEAR `max_yield_payload_size`."""
MAX_OUTPUT_BYTES = 65_536
"""What `submit_execution_output_and_resolve` takes at most (PROTOCOL)."""
MAX_JSON_DEPTH = 120
"""serde_json follows 128 levels; the arguments around the output use some."""

TGAS = 10**12
SMALL_ANSWER_GAS = 30 * TGAS
LARGE_ANSWER_GAS = 200 * TGAS
"""64 KiB as a list of numbers is up to 256 KiB of arguments: 13 Tgas to send, the rest to parse and store them."""
EXTEND_GAS = 20 * TGAS

_MARGIN_BYTES = 24
"""For a field that newer contracts write into the response beside those known here."""
_MAX_NOTE_BYTES = 160
_MAX_ERROR_BYTES = 480
"""Escaped and with the note and all figures at their longest, a failure stays below the yield's payload."""


class _Unfit(ValueError):
    """The output cannot be put into a call."""


def extend_call(contract_id: str, request_id: int) -> Call:
    """`extend_execution`."""
    return Call(contract_id, "extend_execution", _compact({"request_id": request_id}).encode(), EXTEND_GAS)


@dataclass(frozen=True, slots=True)
class Carried:
    """An answer as a call can carry it, which is what the contract is told; `output_json` is its output as JSON text."""

    answer: Answer
    output_json: str


def carried(answer: Answer) -> Carried:
    """Shorten texts that are too long; an output that cannot be carried becomes a failure with the reason why."""
    try:
        output = _output(answer)
    except _Unfit as unfit:
        answer = replace(answer, success=False, output=None, error=f"The output cannot be returned to the contract: {unfit}")
        output = "null"
    error, note = _shortened(answer.error, _MAX_ERROR_BYTES), _shortened(answer.compilation_note, _MAX_NOTE_BYTES)
    if (error, note) != (answer.error, answer.compilation_note):
        answer = replace(answer, error=error, compilation_note=note)
    return Carried(answer, output)


def answer_call(contract_id: str, told: Carried, receipt_sha256_hex: str | None = None) -> Call:
    """The call that settles a request with this answer; the receipt's hash only for contracts that keep it."""
    answer, output = told.answer, told.output_json
    head, tail = _response_parts(answer)
    if receipt_sha256_hex is not None:
        tail = f'{tail},"receipt_sha256":"{receipt_sha256_hex}"'
    response = f'{{{head},"output":{output},{tail}}}'
    # The contract writes what is None as well, and numbers and text as compactly as they are here.
    written = f'{response},"refund_usd":null' + ("" if receipt_sha256_hex is not None else ',"receipt_sha256":null')
    if len(written.encode()) + _MARGIN_BYTES <= MAX_YIELD_PAYLOAD_BYTES:
        args = f'{{"request_id":{answer.request_id},"response":{response}}}'
        return Call(contract_id, "resolve_execution", args.encode(), SMALL_ANSWER_GAS)
    args = f'{{"request_id":{answer.request_id},{head},"output":{output},{tail}}}'
    return Call(contract_id, "submit_execution_output_and_resolve", args.encode(), LARGE_ANSWER_GAS)


def _response_parts(answer: Answer) -> tuple[str, str]:
    """The members before and after `output`, as JSON without braces."""
    used = {
        "instructions": answer.metrics.instructions,
        "time_ms": answer.metrics.time_ms,
        "compile_time_ms": answer.metrics.compile_time_ms,
    }
    head = _compact({"success": answer.success})[1:-1]
    tail = _compact(
        {
            "error": answer.error,
            "resources_used": used,
            "compilation_note": answer.compilation_note,
        }
    )[1:-1]
    return head, tail


def _output(answer: Answer) -> str:
    """`output` as JSON text."""
    if answer.output is None:
        return "null"
    if len(answer.output) > MAX_OUTPUT_BYTES:
        raise _Unfit(f"it has {len(answer.output)} bytes, and an answer carries at most {MAX_OUTPUT_BYTES}")
    if answer.output_format is OutputFormat.BYTES:
        return f'{{"Bytes":{_compact(list(answer.output))}}}'
    try:
        text = answer.output.decode()
    except UnicodeDecodeError as error:
        raise _Unfit(f"it is not UTF-8 (byte {error.start})") from error
    if answer.output_format is OutputFormat.TEXT:
        return f'{{"Text":{_compact(text)}}}'
    _check_json(text)
    return f'{{"Json":{text.strip()}}}'


def _check_json(text: str) -> None:
    """Refuse what Python reads as JSON and Rust does not: NaN and infinities, numbers beyond a double, half surrogates, deep nesting."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _Unfit("it is JSON with half a surrogate pair in a string") from None
    except RecursionError:
        raise _Unfit(f"it is JSON nested deeper than {MAX_JSON_DEPTH} levels") from None
    except _Unfit:
        raise
    except ValueError as error:
        raise _Unfit(f"it is not JSON ({error})") from error
    if text.count("[") + text.count("{") > MAX_JSON_DEPTH and depth_of(value) > MAX_JSON_DEPTH:
        raise _Unfit(f"it is JSON nested deeper than {MAX_JSON_DEPTH} levels")


def _no_constant(name: str) -> object:
    raise _Unfit(f"it is not JSON ({name} is no JSON number)")


def _finite(digits: str) -> float:
    number = float(digits)  # a long integer too: Rust keeps as a double what passes 64 bits
    if not math.isfinite(number):
        raise _Unfit("it is JSON with a number beyond the range of a double")
    return number


def _shortened(text: str | None, max_bytes: int) -> str | None:
    """At most so many bytes once escaped, cut between characters."""
    if text is None:
        return None
    text = text.encode("utf-8", "replace").decode()
    if len(_compact(text).encode()) <= max_bytes:
        return text
    kept: list[str] = []
    left = max_bytes - 5  # quotes and the ellipsis
    for char in text:
        left -= len(_compact(char).encode()) - 2
        if left < 0:
            break
        kept.append(char)
    return "".join(kept) + "…"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
