"""Logs of the contract: what is read, what is passed over, and that nothing a log may say ever raises."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from oracle.model import BuildTarget, Completed, Extended, GitHub, Limits, Origin, OutputFormat, Requested, SecretsRef, Unreadable, WasmUrl
from oracle.near.events import MAX_LOG_CHARS, events_of_log, events_of_logs
from oracle.near.wire import request_from_json

ORIGIN = Origin("tx", "receipt", 42, 7, "ed25519:k", 5)

# An event of the public OutLayer contract (shape: PROTOCOL, "Events"; values as its event monitor's tests have them).
REQUEST_DATA = {
    "request_id": 12,
    "sender_id": "alice.testnet",
    "predecessor_id": "client.testnet",
    "code_source": {"GitHub": {"repo": "https://github.com/near/guest", "commit": "main", "build_target": "wasm32-wasip2"}},
    "resource_limits": {"max_instructions": 10_000_000_000, "max_memory_mb": 256, "max_execution_seconds": 30},
    "input_data": '{"prompt":"hi"}',
    "input_data_in_state": False,
    "secrets_ref": {"profile": "default", "account_id": "alice.testnet"},
    "response_format": "Json",
    "payment": "100000000000000000000000",
    "attached_usd": None,
    "timestamp": 1_700_000_000_000_000_000,
    "compile_only": False,
    "force_rebuild": False,
    "store_on_fastfs": False,
    "use_bound_identity": False,
    "project_uuid": None,
    "project_id": None,
}


def log_of(event, *entries, standard="near-outlayer"):
    return "EVENT_JSON:" + json.dumps({"standard": standard, "version": "1.0.0", "event": event, "data": list(entries)})


def requested(**changes):
    data = {"request_data": json.dumps({**REQUEST_DATA, **changes}), "data_id": [1] * 32, "timestamp": 1}
    return log_of("execution_requested", data)


def test_a_request_is_read_with_where_it_came_from():
    (event,) = events_of_log(requested(), ORIGIN)
    request = event.request
    assert event.origin == ORIGIN
    assert (request.request_id, request.sender_id, request.predecessor_id) == (12, "alice.testnet", "client.testnet")
    assert request.source == GitHub("https://github.com/near/guest", "main", BuildTarget.WASIP2)
    assert request.limits == Limits(10_000_000_000, 256, 30)
    assert request.secrets_ref == SecretsRef("default", "alice.testnet")
    assert (request.response_format, request.payment) == (OutputFormat.JSON, 10**23)
    assert request.input_data == '{"prompt":"hi"}'


def test_missing_optional_fields_have_the_contracts_defaults():
    least = {
        "request_id": 1,
        "sender_id": "a",
        "code_source": {"WasmUrl": {"url": "https://x/y", "hash": "AB" * 32}},
        "payment": 5,
        "timestamp": 1,
    }
    request = request_from_json(json.dumps(least))
    assert request.source == WasmUrl("https://x/y", "ab" * 32)
    assert (request.limits, request.input_data, request.response_format) == (None, "", OutputFormat.TEXT)
    assert (request.predecessor_id, request.payment, request.compile_only) == ("a", 5, False)
    assert request_from_json(json.dumps({**least, "resource_limits": {}})).limits == Limits()


def test_older_and_newer_contracts_are_read_alike():
    flat = {"repo": "github.com/o/r", "commit": "c", "build_target": None}
    (event,) = events_of_log(requested(code_source=flat, something_new={"deep": [1]}, payment=7, attached_usd="3"), ORIGIN)
    assert event.request.source == GitHub("github.com/o/r", "c")
    assert (event.request.payment, event.request.attached_usd) == (7, "3")
    renamed = {name: value for name, value in REQUEST_DATA.items() if name != "code_source"} | {"execution_source": flat}
    assert request_from_json(json.dumps(renamed)).source == GitHub("github.com/o/r", "c")


def test_an_input_in_the_state_is_not_an_empty_input():
    (event,) = events_of_log(requested(input_data="", input_data_in_state=True), ORIGIN)
    assert event.request.input_data is None
    (event,) = events_of_log(requested(input_data="", input_data_in_state=False), ORIGIN)
    assert event.request.input_data == ""


def test_what_nobody_can_run_is_read_so_that_it_can_be_answered():
    odd = {"WasmUrl": {"url": "", "hash": "short", "build_target": "x86_64"}}
    (event,) = events_of_log(requested(code_source=odd, resource_limits={"max_instructions": 0}), ORIGIN)
    assert event.request.source == WasmUrl("", "short")
    assert event.request.limits.max_instructions == 1


def test_a_completion_is_read_with_and_without_its_number():
    entry = {"sender_id": "a", "success": False, "error_message": "no", "payment_charged": "1"}
    assert events_of_log(log_of("execution_completed", entry), ORIGIN) == [Completed(None, False, "no")]
    assert events_of_log(log_of("execution_completed", {**entry, "request_id": 3}), ORIGIN) == [Completed(3, False, "no")]


def test_an_extension_counts_from_the_block_that_tells_it():
    assert events_of_log(log_of("execution_extended", {"request_id": 3, "data_id": [0] * 32}), ORIGIN) == [Extended(3, 42)]


def test_other_standards_events_and_texts_are_passed_over():
    for log in (
        "hello",
        "EVENT_JSON:{",
        log_of("execution_requested", {}, standard="nep171"),
        log_of("system_event", {"x": 1}),
        "EVENT_JSON:",
    ):
        assert events_of_log(log, ORIGIN) == []
    assert events_of_log(log_of("execution_extended", {"request_id": 3}, standard="mine"), ORIGIN, standard="mine") == [Extended(3, 42)]


def test_what_looks_like_ours_and_cannot_be_read_is_recorded_with_its_reason():
    cases = {
        requested(request_id="12"): "request_id",
        requested(request_id=2**63): "request_id",
        requested(payment="-1"): "amount",
        requested(payment="9" * 40): "payment",
        requested(response_format="Xml"): "response_format",
        requested(code_source={}): "code_source",
        requested(timestamp=-1): "timestamp",
        log_of("execution_requested", {"request_data": "{"}): "JSON",
        log_of("execution_requested", {"request_data": {}}): "request_data",
        log_of("execution_requested", {"request_data": "[" * 5_000}): "recursion",
        log_of("execution_completed", {"success": "yes"}): "success",
        log_of("execution_extended", {}): "request_id",
        log_of("execution_extended", *[{"request_id": 1}] * 65): "data",
        'EVENT_JSON:{"standard":"near-outlayer"': "JSON",
        "EVENT_JSON:" + "[" * 50_000 + "near-outlayer": "recursion",
        "EVENT_JSON:near-outlayer" + "x" * MAX_LOG_CHARS: "at most 65536",
    }
    for log, reason in cases.items():
        (event,) = events_of_log(log, ORIGIN)
        assert isinstance(event, Unreadable), log[:80]
        assert reason in event.reason, event.reason
        assert len(event.log) <= 2_000
        assert (event.block_height, event.receipt_id) == (42, "receipt")


def test_a_bad_log_does_not_hide_the_good_one_beside_it():
    kinds = [type(event) for event in events_of_logs(["x", requested(request_id=-1), requested()], ORIGIN)]
    assert kinds == [Unreadable, Requested]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(sorted(REQUEST_DATA))


@given(st.text())
@example("near-outlayer\ud800")
def test_no_text_raises(text):
    for log in (text, "EVENT_JSON:" + text, "EVENT_JSON:near-outlayer" + text):
        for event in events_of_log(log, ORIGIN):
            assert isinstance(event, Unreadable)
            event.log.encode()
            event.reason.encode()


@given(st.sampled_from(["execution_requested", "execution_completed", "execution_extended", "other"]), st.lists(json_values, max_size=3))
def test_no_data_raises(name, entries):
    events_of_log(log_of(name, *entries), ORIGIN)


@given(st.dictionaries(fields, json_values, max_size=5))
def test_no_value_of_a_field_raises_and_what_is_read_can_be_written_to_a_guest(changes):
    (event,) = events_of_log(requested(**changes), ORIGIN)
    if isinstance(event, Requested):
        (event.request.input_data or "").encode()
        assert 0 <= event.request.request_id < 2**63
