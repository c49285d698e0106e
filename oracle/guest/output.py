"""Whether an output is what the response format promises, and what the contract's own parser (serde_json) will read."""

import json
import math

from oracle.errors import OutputRefused
from oracle.model import Metrics, OutputFormat

_BYTE_ORDER_MARK = "\ufeff"
MAX_JSON_DEPTH = 64
"""Well below what JSON parsers in contracts take (serde_json: 128)."""
MAX_ENCODED_BYTES = 2 * 64 * 1024 + 2
"""What an output may be once written as JSON (contract: output.rs, MAX_ENCODED_BYTES). Only text can pass it: base64 adds a third."""


def check_output(output: bytes, output_format: OutputFormat, metrics: Metrics) -> None:
    """
    Accept or refuse.

    Raises:
        OutputRefused: not UTF-8, not JSON, or JSON that contracts cannot read (nested too deeply, half a surrogate pair, a number beyond
            a double), or text that is too long once it is escaped.
    """
    if output_format is OutputFormat.BYTES:
        return
    try:
        text = output.decode()
    except UnicodeDecodeError as error:
        raise OutputRefused(
            f"The output is not {output_format.value}: byte {error.start} (0x{output[error.start]:02x}) is no UTF-8. "
            "Write UTF-8, or ask for response_format Bytes.",
            metrics=metrics,
        ) from error
    if output_format is OutputFormat.JSON:
        _check_json(text, metrics)
    else:
        _check_encoded_length(text, metrics)


def _check_encoded_length(text: str, metrics: Metrics) -> None:
    encoded_bytes = len(json.dumps(text, ensure_ascii=False).encode())
    if encoded_bytes > MAX_ENCODED_BYTES:
        raise OutputRefused(
            f"The output has {encoded_bytes} bytes once escaped as JSON, and at most {MAX_ENCODED_BYTES} are taken. "
            "Ask for response_format Bytes, which comes as base64.",
            metrics=metrics,
        )


def _check_json(text: str, metrics: Metrics) -> None:
    if text.startswith(_BYTE_ORDER_MARK):
        raise OutputRefused("The output is JSON behind a byte order mark, which JSON does not have. Write it without.", metrics=metrics)
    if _depth(text) > MAX_JSON_DEPTH:
        raise OutputRefused(f"The output is JSON nested deeper than {MAX_JSON_DEPTH} levels. Flatten it.", metrics=metrics)
    try:
        value = json.loads(text, parse_int=_finite, parse_float=_finite, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise OutputRefused(
            "The output is JSON with half a surrogate pair in a string, which contracts cannot read. Escape both halves, or write UTF-8.",
            metrics=metrics,
        ) from error
    except _BeyondDouble as error:
        raise OutputRefused(
            f"The output is JSON with {error}, which contracts cannot read. Write it as a string.", metrics=metrics
        ) from error
    except ValueError as error:
        raise OutputRefused(
            f"The output is not JSON: {error}. Write one JSON value and nothing else, or ask for response_format Text.", metrics=metrics
        ) from error


class _BeyondDouble(ValueError):
    """A number that JSON allows and a double does not hold, in words."""


def _finite(digits: str) -> float:
    """Only judged, never kept: integers up to 64 bits reach the contract as they were written."""
    number = float(digits)
    if not math.isfinite(number):
        raise _BeyondDouble(f"a number beyond the range of a double ({digits[:20]}…)")
    return number


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _depth(text: str) -> int:
    """How deep brackets nest outside strings; counted before the parser recurses into them."""
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest
