"""The envelope of JSON-RPC 2.0: what is taken, what is refused, and that hostile bytes cost little."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localnet.rpc.envelope import MAX_DEPTH, MAX_TOKENS, Request, read_request, write_error, write_result
from localnet.rpc.errors import MethodNotFound, ParseError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def body(**members):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "status", "params": [], **members}).encode()


def nested(depth):
    # The request itself is one level.
    return b'{"jsonrpc":"2.0","id":1,"method":"m","params":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@given(
    st.integers() | st.text(string.printable, max_size=256) | st.none(),
    st.text(max_size=100),
    st.lists(JSON, max_size=3) | st.dictionaries(st.text(max_size=8), JSON, max_size=3),
)
def test_a_request_is_read_as_it_was_written(request_id, method, params):
    assert read_request(body(id=request_id, method=method, params=params)) == Request(request_id, method, params)


@given(st.binary() | st.text().map(str.encode) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_other_bytes_are_a_parse_error(data):
    try:
        read_request(data)
    except ParseError:
        return
    assert json.loads(data)["method"] is not None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[]", "batch requests are not taken"),
        (b'[{"jsonrpc":"2.0","id":1,"method":"status"}]', "batch requests are not taken"),
        (b'"status"', "JSON RPC Request format"),
        (body(jsonrpc="1.0"), "JSON RPC Request format"),
        (body(method=7), "`method` is a string"),
        (body(method="m" * 101), "at most 100 characters"),
        (body(id=["x"]), "`id` is a number"),
        (body(id="x" * 257), "at most 256 characters"),
        (body(id=True), "`id` is a number"),
        (b'{"jsonrpc":"2.0","id":1e999,"method":"status"}', "`id` is a number below"),
        (b'{"jsonrpc":"2.0","id":-1e999,"method":"status"}', "`id` is a number below"),
        (b'{"jsonrpc":"2.0","id":NaN,"method":"status"}', "NaN is no JSON number"),
        (b'{"jsonrpc":"2.0","id":1,"method":"status","params":[' + b"9" * 5000 + b"]}", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"", "not JSON"),
    ],
)
def test_a_refusal_says_what_is_wrong(data, reason):
    with pytest.raises(ParseError, match=reason.replace("[", r"\[")):
        read_request(data)


def test_the_depth_limit_is_exact():
    read_request(nested(MAX_DEPTH))
    with pytest.raises(ParseError, match=f"deeper than {MAX_DEPTH} levels"):
        read_request(nested(MAX_DEPTH + 1))


def test_brackets_inside_strings_are_no_depth():
    assert read_request(body(params=["[" * 1000 + '\\"{'])).params == ["[" * 1000 + '\\"{']


@pytest.mark.parametrize("token", [b"[", b"{", b'"', b",", b'""', b'"\\"'])
def test_floods_of_tokens_are_refused_before_they_are_parsed(token):
    with pytest.raises(ParseError, match=f"at most {MAX_TOKENS} are taken"):
        read_request(token * (2 * MAX_TOKENS))


def test_a_flood_of_escapes_in_a_string_without_end_is_refused_at_once():
    with pytest.raises(ParseError):
        read_request(b'"' + b"\\\\" * 3_000_000)


def test_answers_carry_the_requests_id_and_are_ascii():
    request = Request("ä", "status", None)
    answer = write_result(request, {"log": "\ud800 ü"})
    assert answer.isascii()
    assert json.loads(answer) == {"jsonrpc": "2.0", "result": {"log": "\ud800 ü"}, "id": "ä"}
    assert json.loads(write_error(None, MethodNotFound("x")))["id"] is None
