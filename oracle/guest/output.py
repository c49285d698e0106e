"""Whether an output is what the response format promises."""

import json

from oracle.errors import OutputRefused
from oracle.model import Metrics, OutputFormat

MAX_JSON_DEPTH = 64
"""Well below what JSON parsers in contracts take (serde_json: 128)."""


def check_output(output: bytes, output_format: OutputFormat, metrics: Metrics) -> None:
    """
    Accept or refuse.

    Raises:
        OutputRefused: not UTF-8, not JSON, or JSON nested too deeply.
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


def _check_json(text: str, metrics: Metrics) -> None:
    if _depth(text) > MAX_JSON_DEPTH:
        raise OutputRefused(f"The output is JSON nested deeper than {MAX_JSON_DEPTH} levels. Flatten it.", metrics=metrics)
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except ValueError as error:
        raise OutputRefused(
            f"The output is not JSON: {error}. Write one JSON value and nothing else, or ask for response_format Text.", metrics=metrics
        ) from error


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
