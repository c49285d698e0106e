"""JSON in other spellings: what is one value, what only seems to be, and what cannot be told."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.flows.verify.facts import AnswerSeen, BlockSeen, Missing
from oracle.flows.verify.heard import heard_agrees
from oracle.flows.verify.json_value import read_value, same_value
from oracle.model import OutputFormat
from oracle.model.receipt import Outcome
from tests.unit.oracle.flows.verify.good import Good

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def same(one, other):
    return same_value(read_value(one.encode()), read_value(other.encode()))


@given(VALUES, st.integers(0, 3))
def test_white_space_and_escapes_are_no_part_of_a_value(value, indent):
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        read = read_value(plain)
    except ValueError:
        return  # half a surrogate pair has no UTF-8
    assert same_value(read, read_value(json.dumps(value, indent=indent).encode())) is True


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ("1.50", "1.5", True),
        ("1e2", "100.0", True),
        ("-0.0", "0", True),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', True),
        ('"\\u0041\\n"', '"A\\u000a"', True),
        ("0.1", "0.1000000000000000055511151231257827", None),
        ("12345678901234567890123", "1.2345678901234568e22", None),
        ("9007199254740993", "9007199254740992", None),
        ("1e400", "1e401", False),
        ("1", "true", False),
        ("0", "false", False),
        ("0", "null", False),
        ("1", '"1"', False),
        ("[1,2]", "[2,1]", False),
        ("[1]", "[1,1]", False),
        ('{"a":1}', '{"a":1,"b":null}', False),
        ("1.5", "1.6", False),
    ],
)
def test_what_is_the_same_value(one, other, verdict):
    assert same(one, other) is verdict
    assert same(f'{{"x":[{other}]}}', f' {{ "x" : [ {one} ] }}') is verdict


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "[Infinity]", '{"a":1,"a":1}', "[" * 129 + "]" * 129, "[" * 100_000, "1e9999999999999999999", "[1]x"]
)
def test_what_has_no_value_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        read_value(text.encode())


def test_numbers_are_read_as_they_are_written():
    assert read_value(b"[0.1000000000000000055511151231257827]") == [Decimal("0.1000000000000000055511151231257827")]


OUTPUT = b'\n\t {"b": 1.50, "a": [true, 1e2, 0.1000000000000000055511151231257827]}\n\n'
AS_TREE = b'{"a":[true,100.0,0.1000000000000000055511151231257827],"b":1.5}'


def receipt_of(output):
    plain = Good().receipt(outcome=Outcome(True, hashlib.sha256(output).hexdigest(), len(output)))
    return replace(plain, request=replace(plain.request, response_format=OutputFormat.JSON))


@pytest.mark.parametrize(
    ("heard", "agrees"),
    [
        (OUTPUT, True),
        (OUTPUT.strip(), True),
        (AS_TREE, True),
        (AS_TREE.replace(b"0055511151231257827", b""), None),  # as a contract that keeps numbers as doubles hands it on
        (AS_TREE.replace(b"true", b"1"), False),
        (AS_TREE.replace(b"1.5}", b"1.6}"), False),
        (AS_TREE.replace(b'"b"', b'"b":2,"b"'), False),
        (b"null", False),
        (b"[" * 100_000, False),
        (None, None),
    ],
)
def test_what_the_caller_heard_is_held_against_the_guests_own_bytes_without_the_workers_call(heard, agrees):
    assert heard_agrees(heard, receipt_of(OUTPUT), Missing("not asked"), OUTPUT) is agrees


def test_bytes_that_are_not_the_receipts_tell_nothing():
    assert heard_agrees(AS_TREE, receipt_of(OUTPUT), Missing("not asked"), AS_TREE) is None
    assert heard_agrees(AS_TREE, receipt_of(OUTPUT), Missing("not asked")) is None


def test_an_output_with_a_key_twice_is_heard_as_it_is_or_cannot_be_told():
    output = b' {"a":1,"a":2}\n'
    assert heard_agrees(output.strip(), receipt_of(output), Missing("not asked"), output) is True
    assert heard_agrees(b'{"a":2}', receipt_of(output), Missing("not asked"), output) is None


@pytest.mark.parametrize(("heard", "agrees"), [(AS_TREE, True), (AS_TREE.replace(b"true", b"1"), False)])
def test_without_the_guests_bytes_it_is_held_against_the_workers_call(heard, agrees):
    args = b'{"request_id":7,"response":{"success":true,"output":{"Json":%b},"error":null,"resources_used":{"instructions":1,"time_ms":1}}}'
    answer = AnswerSeen("tx", "w", "k", "c", "resolve_execution", args % OUTPUT.strip(), None, BlockSeen(1, "b", 1))
    assert heard_agrees(heard, receipt_of(OUTPUT), answer) is agrees
