"""The state machine of one request: laws over any sequence of events, and each road once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.errors import OutOfOrder
from oracle.job import (
    CodeReady,
    Extend,
    Failed,
    GetCode,
    GuestDone,
    Ran,
    Release,
    Renewed,
    Restarted,
    RunGuest,
    Settled,
    Submit,
    WindowClosing,
    loses_nothing_by_a_crash,
    step,
)
from oracle.model import Job, Metrics, Origin, Stage
from oracle.testing.chain import request
from oracle.testing.code import TOOLCHAIN

ORDER = list(Stage)
SHA = "ab" * 32
USED = Metrics(instructions=5, time_ms=2, peak_memory_bytes=65_536)

metrics = st.builds(Metrics, st.integers(0, 10**12), st.integers(0, 10**6), st.integers(0, 2**32), st.none() | st.integers(0, 10**6))
toolchains = st.sampled_from([None, TOOLCHAIN])
events = st.one_of(
    st.just(Restarted()),
    st.builds(CodeReady, st.just(SHA), st.none() | st.integers(0, 10**6), st.none() | st.text(max_size=20), toolchains),
    st.builds(GuestDone, st.binary(max_size=40), metrics, st.none() | st.builds(Ran, st.just(SHA), st.just("cd" * 32), toolchains)),
    st.builds(Failed, st.text(min_size=1, max_size=40), metrics),
    st.builds(WindowClosing, st.booleans()),
    st.builds(Renewed, st.integers(0, 10**9)),
    st.builds(Settled, st.sampled_from(["event", "gone"])),
)
jobs = st.builds(
    lambda compile_only, unlimited: Job(request(7, compile_only=compile_only, **({"limits": None} if unlimited else {})), Origin()),
    st.booleans(),
    st.booleans(),
)


def live(job, sequence):
    """Every (job before, event, job after, commands) on the way; what has no road is passed over, as the worker does."""
    for event in sequence:
        try:
            after, commands = step(job, event)
        except OutOfOrder:
            continue
        yield job, event, after, commands
        job = after


@given(jobs, st.lists(events, max_size=30))
def test_a_job_never_goes_back_a_stage(job, sequence):
    for before, _, after, _ in live(job, sequence):
        assert ORDER.index(after.stage) >= ORDER.index(before.stage)


@given(jobs, st.lists(events, max_size=30))
def test_a_job_has_at_most_one_answer_and_keeps_it(job, sequence):
    answers = []
    for before, _, after, commands in live(job, sequence):
        answers += [command.answer for command in commands if isinstance(command, Submit)]
        if before.answer is not None:
            assert after.answer == before.answer
    assert all(answer == answers[0] for answer in answers)


@given(jobs, st.lists(events, max_size=30), events)
def test_an_event_told_twice_changes_nothing_more(job, sequence, event):
    for *_, after, _ in live(job, sequence):
        job = after
    try:
        once, _ = step(job, event)
    except OutOfOrder:
        return
    try:
        twice, commands = step(once, event)
    except OutOfOrder:
        return
    if not isinstance(event, Restarted | WindowClosing):
        assert twice == once
        assert not [command for command in commands if not isinstance(command, Release)]


@given(jobs, st.lists(events, max_size=30))
def test_after_a_crash_the_command_of_the_stage_is_asked_for_again(job, sequence):
    last_long = [GetCode()]
    for _, event, after, commands in live(job, sequence):
        long = [command for command in commands if isinstance(command, GetCode | RunGuest | Submit)]
        if not isinstance(event, Restarted):
            last_long = long or last_long
        same, again = step(after, Restarted())
        assert same == after
        assert again == ([] if after.stage is Stage.DONE else last_long)


@given(jobs, st.lists(events, max_size=30))
def test_what_the_store_need_not_hear_at_once_is_found_again_for_nothing(job, sequence):
    for before, _, after, _ in live(job, sequence):
        if loses_nothing_by_a_crash(before, after):
            again = before if after == before else step(before, CodeReady(after.wasm_sha256_hex, toolchain=after.toolchain))[0]
            assert again == after


@given(jobs, st.lists(events, max_size=30))
def test_a_settled_job_asks_for_nothing_and_stays_as_it_is(job, sequence):
    done, commands = step(job, Settled("event"))
    assert commands == [Release()]
    for event in sequence:
        assert step(done, event) == (done, [])


@given(jobs, st.lists(events, max_size=30))
def test_an_answer_is_a_failure_exactly_when_it_has_an_error(job, sequence):
    for _, _, after, _ in live(job, sequence):
        if after.answer is not None:
            assert after.answer.success == (after.answer.error is None)
            assert after.answer.request_id == after.request_id


def test_a_request_runs_from_event_to_answer():
    job, commands = step(Job(request(1), Origin()), Restarted())
    assert commands == [GetCode()]
    job, commands = step(job, CodeReady(SHA, 120, "built"))
    assert (job.stage, commands) == (Stage.RUNNING, [RunGuest(SHA)])
    job, commands = step(job, GuestDone(b"out", USED))
    assert job.stage is Stage.ANSWERING
    assert job.answer.output == b"out"
    assert job.answer.metrics == replace(USED, compile_time_ms=120)
    assert job.answer.compilation_note == "built"
    assert commands == [Submit(job.answer)]


def test_a_job_knows_what_built_the_module_that_ran():
    job, _ = step(Job(request(1), Origin()), CodeReady(SHA, 120, toolchain=TOOLCHAIN))
    assert job.toolchain == TOOLCHAIN
    other = replace(TOOLCHAIN, version="2")
    assert step(job, GuestDone(b"out", USED, Ran("cd" * 32, "ef" * 32, other)))[0].toolchain == other
    assert step(job, Failed("why", USED))[0].toolchain == TOOLCHAIN


def test_compile_only_is_answered_without_a_guest():
    for only in (request(1, compile_only=True), request(1, limits=None)):
        job, commands = step(Job(only, Origin()), CodeReady(SHA, 80))
        assert (job.stage, job.answer.success, job.answer.output) == (Stage.ANSWERING, True, None)
        assert job.answer.metrics.compile_time_ms == 80
        assert commands == [Submit(job.answer)]


def test_a_closing_window_is_announced_or_answered_in_time():
    running = Job(request(1), Origin(), Stage.RUNNING, wasm_sha256_hex=SHA)
    assert step(running, WindowClosing(can_extend=True)) == (running, [Extend()])
    late, commands = step(running, WindowClosing(can_extend=False))
    assert (late.stage, late.answer.success) == (Stage.ANSWERING, False)
    assert commands == [Release(), Submit(late.answer)]
    assert "yield window" in late.answer.error


def test_a_renewed_yield_counts_from_the_later_block():
    job = Job(request(1), Origin(), yield_height=50)
    renewed, _ = step(job, Renewed(250))
    assert renewed.yield_height == 250
    assert step(renewed, Renewed(50))[0].yield_height == 250


def test_an_event_without_a_road_is_out_of_order():
    with pytest.raises(OutOfOrder, match="request 1: GuestDone while queued"):
        step(Job(request(1), Origin()), GuestDone(b"", USED))


def test_a_stage_without_what_it_rests_on_is_out_of_order():
    with pytest.raises(OutOfOrder, match="running without"):
        step(Job(request(1), Origin(), Stage.RUNNING), Restarted())
