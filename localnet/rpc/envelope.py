"""
JSON-RPC 2.0 around a call: bytes to a request, a result or an error to bytes.

A request is bounded before it is parsed: in bytes by the HTTP server, in tokens and depth here, so that hostile JSON costs no more than
its bytes.
"""

import json
import re
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

from localnet.rpc.errors import ParseError, RpcError

MAX_REQUEST_BYTES = 10 * 1024 * 1024
"""nearcore's `json_payload_max_size`."""
MAX_DEPTH = 32
"""Objects and arrays inside each other; the deepest params of a method have 4."""
MAX_TOKENS = 100_000
"""Quotes, commas and opening brackets; code and arguments travel as one base64 string, which has none of them."""

_MAX_ID_CHARACTERS = 256
_GREATEST_NUMBER = sys.float_info.max
_MAX_METHOD_CHARACTERS = 100
# Possessive and with the last quote optional: a string that does not end is taken in one go, and nothing is tried twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True, slots=True)
class Request:
    """One call."""

    id: str | int | float | None
    method: str
    params: Any
    """An object, an array or None, as JSON gave it; each method reads it with `Params`."""


def read_request(body: bytes) -> Request:
    """
    Read one call.

    Raises:
        ParseError: not JSON, too deep, a batch, or not a request of JSON-RPC 2.0.
    """
    tokens = sum(body.count(token) for token in (b'"', b",", b"[", b"{"))
    if tokens > MAX_TOKENS:
        raise ParseError(f"the JSON has {tokens} quotes, commas and opening brackets; at most {MAX_TOKENS} are taken")
    if _is_deeper_than(MAX_DEPTH, body):
        raise ParseError(f"the JSON is nested deeper than {MAX_DEPTH} levels, or its brackets do not match")
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except ValueError as error:
        raise ParseError(f"the request is not JSON: {error}") from error
    if isinstance(value, list):
        raise ParseError("batch requests are not taken, as by NEAR's nodes; send each request as an object of its own")
    if not isinstance(value, dict) or value.get("jsonrpc", "2.0") != "2.0":
        raise ParseError('JSON RPC Request format was expected: {"jsonrpc": "2.0", "id": .., "method": .., "params": ..}')
    method = value.get("method")
    if not isinstance(method, str) or len(method) > _MAX_METHOD_CHARACTERS:
        raise ParseError(f"`method` is a string of at most {_MAX_METHOD_CHARACTERS} characters")
    return Request(_read_id(value.get("id")), method, value.get("params"))


def write_result(request: Request, result: Any) -> bytes:
    """The answer to a call that went well."""
    return _write({"jsonrpc": "2.0", "result": result, "id": request.id})


def write_error(request_id: str | float | None, error: RpcError) -> bytes:
    """The answer to a call that was refused or failed."""
    return _write({"jsonrpc": "2.0", "error": error.to_json(), "id": request_id})


def _write(value: Any) -> bytes:
    # ASCII only: a text from a contract may hold what UTF-8 cannot write.
    return json.dumps(value, separators=(",", ":")).encode()


def _read_id(value: Any) -> str | int | float | None:
    # 1e999 is JSON, but reads as infinity, which is none.
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _GREATEST_NUMBER):
        return value
    if isinstance(value, str) and len(value) <= _MAX_ID_CHARACTERS:
        return value
    raise ParseError(f"`id` is a number below 1.8e308, null, or a string of at most {_MAX_ID_CHARACTERS} characters")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _is_deeper_than(most: int, body: bytes) -> bool:
    """
    Whether brackets are left after the innermost pairs were taken away `most` times: nothing here walks the bytes in Python.
    """
    brackets = _STRING.sub(b"", body).translate(_SQUARE, _NOT_BRACKETS)
    for _ in range(most):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
