"""Answers as calls: which call, what is in it, and that whatever a guest wrote ends in a call that the contract can read."""

import json

from hypothesis import given
from hypothesis import strategies as st

from oracle.model import Answer, Metrics, OutputFormat
from oracle.near.calls import MAX_OUTPUT_BYTES, MAX_YIELD_PAYLOAD_BYTES, answer_call, carried, extend_call

RECEIPT = "ab" * 32
USED = Metrics(instructions=2**64 - 1, time_ms=60_000, peak_memory_bytes=2**30, compile_time_ms=300_000)


def success(output, output_format=OutputFormat.TEXT, **more):
    return Answer(3, True, output, output_format, **more)


def args_of(answer, receipt_sha256_hex=None):
    call = answer_call("outlayer.near", carried(answer), receipt_sha256_hex)
    return call, json.loads(call.args)


def test_a_small_text_goes_into_the_response():
    call, args = args_of(success(b"hi \xe2\x82\xac", metrics=USED))
    assert (call.receiver_id, call.method) == ("outlayer.near", "resolve_execution")
    assert args["request_id"] == 3
    assert args["response"]["output"] == {"Text": "hi €"}
    assert args["response"]["resources_used"] == {"instructions": 2**64 - 1, "time_ms": 60_000, "compile_time_ms": 300_000}
    assert (args["response"]["success"], args["response"]["error"]) == (True, None)


def test_json_goes_out_as_the_guest_wrote_it():
    call, args = args_of(success(b' {"b":1.50,"a":[1e2]}\n', OutputFormat.JSON))
    assert b'"output":{"Json":{"b":1.50,"a":[1e2]}}' in call.args
    assert args["response"]["output"] == {"Json": {"b": 1.5, "a": [100.0]}}


def test_bytes_are_a_list_of_numbers():
    _, args = args_of(success(b"\x00\xff", OutputFormat.BYTES))
    assert args["response"]["output"] == {"Bytes": [0, 255]}


def test_compile_only_has_no_output():
    _, args = args_of(success(None))
    assert (args["response"]["success"], args["response"]["output"]) == (True, None)


def test_a_response_that_passes_the_yields_payload_goes_through_the_state():
    call, args = args_of(success(b"x" * MAX_YIELD_PAYLOAD_BYTES))
    assert call.method == "submit_execution_output_and_resolve"
    assert args["output"] == {"Text": "x" * MAX_YIELD_PAYLOAD_BYTES}
    assert (args["request_id"], args["success"], args["error"]) == (3, True, None)
    assert "resources_used" in args


@given(st.integers(500, 1_024))
def test_what_is_resolved_directly_fits_the_payload_with_all_that_the_contract_adds(length):
    for receipt in (None, RECEIPT):
        call, args = args_of(success(b"x" * length, metrics=USED), receipt)
        if call.method == "resolve_execution":
            as_written = {**args["response"], "refund_usd": None, "receipt_sha256": receipt}
            assert len(json.dumps(as_written, separators=(",", ":")).encode()) <= MAX_YIELD_PAYLOAD_BYTES


def test_a_receipts_hash_goes_with_small_answers_and_with_large_ones():
    for length in (2, MAX_YIELD_PAYLOAD_BYTES):
        call, args = args_of(success(b"x" * length), RECEIPT)
        assert (args.get("response") or args)["receipt_sha256"] == RECEIPT
        assert call.method == ("resolve_execution" if length == 2 else "submit_execution_output_and_resolve")
    assert b"receipt" not in args_of(success(b"x"))[0].args


def test_what_is_carried_is_what_the_contract_is_told():
    for answer in (success(b"\xff"), Answer(3, False, error="why " * 500, compilation_note="note " * 100), success(b"fits")):
        told = carried(answer).answer
        _, args = args_of(answer)
        response = args["response"]
        assert (told.success, told.error, told.compilation_note) == (response["success"], response["error"], response["compilation_note"])
        assert carried(told).answer == told


def test_what_the_contract_could_not_read_becomes_a_failure_with_the_reason():
    cases = [
        (b"\xff", OutputFormat.TEXT, "not UTF-8"),
        (b"\xff", OutputFormat.JSON, "not UTF-8"),
        (b"{", OutputFormat.JSON, "not JSON"),
        (b"", OutputFormat.JSON, "not JSON"),
        (b"NaN", OutputFormat.JSON, "NaN"),
        (b"[-Infinity]", OutputFormat.JSON, "Infinity"),
        (b"1e400", OutputFormat.JSON, "beyond the range"),
        (b"1" + b"0" * 400, OutputFormat.JSON, "beyond the range"),
        (b'"\\ud800"', OutputFormat.JSON, "surrogate"),
        (b"[" * 200 + b"]" * 200, OutputFormat.JSON, "deeper than 120"),
        (b"[" * 30_000 + b"]" * 30_000, OutputFormat.JSON, "deeper than 120"),
        (b"x" * (MAX_OUTPUT_BYTES + 1), OutputFormat.TEXT, "at most 65536"),
    ]
    for output, output_format, reason in cases:
        call, args = args_of(success(output, output_format, metrics=USED))
        assert call.method == "resolve_execution"
        assert args["response"]["success"] is False
        assert reason in args["response"]["error"], args["response"]["error"]
        assert args["response"]["resources_used"]["instructions"] == USED.instructions


def test_the_longest_output_is_carried():
    call, args = args_of(success(b"\xff" * MAX_OUTPUT_BYTES, OutputFormat.BYTES))
    assert call.method == "submit_execution_output_and_resolve"
    assert len(args["output"]["Bytes"]) == MAX_OUTPUT_BYTES


@given(st.text(min_size=1), st.none() | st.text())
def test_a_failure_always_fits_the_yields_payload(error, note):
    for sentence in (error, error * 500):
        call, args = args_of(Answer(2**63 - 1, False, error=sentence, metrics=USED, compilation_note=note), RECEIPT)
        assert call.method == "resolve_execution"
        shown = args["response"]["error"]
        assert sentence == shown or shown.endswith("…") or "?" in shown


@given(st.binary(max_size=300), st.sampled_from(OutputFormat))
def test_any_output_becomes_a_call_that_rust_can_read(output, output_format):
    call, args = args_of(success(output, output_format))
    call.args.decode()
    response = args["response"]
    if response["success"] and output_format is OutputFormat.JSON:
        assert response["output"]["Json"] == json.loads(output)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=3), max_leaves=8
    )
)
def test_json_that_python_writes_is_carried_when_it_is_json(value):
    text = json.dumps(value)
    _, args = args_of(success(text.encode(), OutputFormat.JSON))
    readable = not any(name in text for name in ("NaN", "Infinity", "\\ud"))
    if readable and "surrogate" not in (args["response"]["error"] or ""):
        assert args["response"]["output"] == {"Json": value}
        assert args["response"]["success"]


def test_an_extension_names_its_request():
    call = extend_call("outlayer.near", 9)
    assert (call.method, json.loads(call.args)) == ("extend_execution", {"request_id": 9})
