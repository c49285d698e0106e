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
from oracle.flows.verify.json_value import read_value, same_value
from oracle.flows.verify.told import Unreadable, read_call
from oracle.model import OutputFormat
from oracle.model.receipt import Receipt

_NOTHING = (b"null", b"")


def heard_agrees(heard: bytes | None, receipt: Receipt, answer: AnswerSeen | Missing, carried: bytes | None = None) -> bool | None:
    """
    Whether the caller heard the receipt's output; None: the node does not tell, or JSON in another spelling cannot be compared.

    `heard`: the JSON text that the callback returned. `carried`: the guest's own bytes, where the bundle has them.
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
    if receipt.request.response_format is not OutputFormat.JSON:
        return False
    if carried is not None and hashlib.sha256(carried).hexdigest() == expected_hex:
        return _same_json(heard, carried)
    return _as_answered(heard, answer)


def _output(heard: bytes, value: Any, response_format: OutputFormat) -> bytes:
    """The guest's bytes; JSON has lost the white space around it."""
    match response_format:
        case OutputFormat.TEXT:
            return bytes(value.encode())
        case OutputFormat.BYTES:
            return base64.b64decode(value, validate=True)
        case OutputFormat.JSON:
            return heard


def _as_answered(heard: bytes, answer: AnswerSeen | Missing) -> bool | None:
    """Whether it is the JSON of the worker's call, which check 23 holds against the receipt."""
    if isinstance(answer, Missing):
        return None
    try:
        told = read_call(answer.method, answer.args)
    except Unreadable:
        return None
    return None if told.output is None else _same_json(heard, told.output)


def _same_json(heard: bytes, output: bytes) -> bool | None:
    """The text itself, or another spelling of the same value; None: the output has more than one, or more digits than were handed on."""
    if heard.strip() == output.strip():
        return True
    try:
        found = read_value(heard)  # what is spelled anew has no key twice
    except ValueError:
        return False
    try:
        return same_value(found, read_value(output))
    except ValueError:
        return None
