"""The answer as it stands in a call: a Json output by its own spelling, and no other place of the text taken for it."""

import hashlib

import pytest

from oracle.flows.verify.told import Unreadable, agrees_with, read_call
from oracle.model.receipt import Outcome


def call(output, before=b""):
    used = b'"resources_used":{"instructions":1,"time_ms":1}'
    return b'{"request_id":7,' + before + b'"response":{"success":true,"output":{"Json":' + output + b"}," + used + b"}}"


def agreed(output, guests, carried=None):
    outcome = Outcome(success=True, output_sha256_hex=hashlib.sha256(guests).hexdigest(), output_length=len(guests))
    return agrees_with(read_call("resolve_execution", call(output)), outcome, carried)


def test_a_json_output_is_the_text_in_the_call():
    assert read_call("resolve_execution", call(b'{"a": 1.50}')).output == b'{"a": 1.50}'


@pytest.mark.parametrize("elsewhere", [b"2", b'{"b":1}', b"[1]"])
def test_an_output_that_stands_before_the_response_is_not_read_as_its_own(elsewhere):
    with pytest.raises(Unreadable):
        read_call("resolve_execution", call(b"1", before=b'"x":{"output":{"Json":' + elsewhere + b"}},"))


@pytest.mark.parametrize(
    ("guests", "verdict"),
    [(b"[1]", True), (b"[1]\n", True), (b" [1]\n", True), (b"[2]", False), (b"[]", False), (b"[1]\n\n\n", None), (b"[2]\n", None)],
)
def test_white_space_that_json_lost_is_guessed_up_to_two_bytes_and_another_value_is_none(guests, verdict):
    assert agreed(b"[1]", guests) is verdict


@pytest.mark.parametrize(("guests", "verdict"), [(b"[1]\n\n\n", True), (b"\n\n\n[2]", False)])
def test_an_output_that_is_carried_tells(guests, verdict):
    assert agreed(b"[1]", guests, guests) is verdict


def test_a_text_of_the_receipts_length_is_no_json_that_was_trimmed():
    args = b'{"request_id":7,"response":{"success":true,"output":{"Text":"[1]"},"resources_used":{"instructions":1,"time_ms":1}}}'
    outcome = Outcome(success=True, output_sha256_hex=hashlib.sha256(b"[1]\n").hexdigest(), output_length=4)
    assert agrees_with(read_call("resolve_execution", args), outcome, b"[1]\n") is False
