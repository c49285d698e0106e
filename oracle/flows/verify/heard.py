"""
What the caller heard, held against a receipt: the value with which the contract's callback ended (PROTOCOL, "Requests").

An answer that lost against another of the same block went through all the same, and a long output may be replaced before it is handed on.
How the callback ended says which one arrived.
"""

import base64
import hashlib
import json
from typing import Any

from oracle.flows.verify.facts import AnswerSeen, Missing
from oracle.flows.verify.told import Unreadable, read_call
from oracle.model import OutputFormat
from oracle.model.receipt import Receipt

_NOTHING = (b"null", b"")


def heard_agrees(heard: bytes | None, receipt: Receipt, answer: AnswerSeen | Missing) -> bool | None:
    """
    Whether the caller heard the receipt's output; None: the node does not tell, or it is JSON in another spelling.

    `heard`: the JSON text that the callback returned.
    """
    expected_hex = receipt.outcome.output_sha256_hex
    if heard is None or expected_hex is None:
        return None if heard is None else heard in _NOTHING
    try:
        value: Any = json.loads(heard)
        output = _output(heard, value, receipt.request.response_format)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return False
    if hashlib.sha256(output).hexdigest() == expected_hex:
        return True
    return _as_answered(heard, value, answer) if receipt.request.response_format is OutputFormat.JSON else False


def _output(heard: bytes, value: Any, response_format: OutputFormat) -> bytes:
    """The guest's bytes; JSON has lost the white space around it."""
    match response_format:
        case OutputFormat.TEXT:
            return bytes(value.encode())
        case OutputFormat.BYTES:
            return base64.b64decode(value, validate=True)
        case OutputFormat.JSON:
            return heard


def _as_answered(heard: bytes, value: Any, answer: AnswerSeen | Missing) -> bool | None:
    """Whether it is the text of the worker's call, which check 23 holds against the receipt."""
    if isinstance(answer, Missing):
        return None
    try:
        told = read_call(answer.method, answer.args)
        if told.output is None:
            return None
        if told.output.strip() == heard.strip():
            return True
        return None if json.loads(told.output) == value else False
    except (Unreadable, ValueError, RecursionError):
        return None
