import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.errors import GuestExited, GuestTrapped, InvalidModule, OutputRefused, RequestError, Trap
from oracle.guest.outcome import killed, last_line, metrics_of, result_of
from oracle.guest.wire import Ending, How
from oracle.model import Limits, Metrics, OutputFormat

LIMITS = Limits(max_instructions=1_000_000_000, max_memory_mb=16, max_execution_seconds=5)
MB = 1024 * 1024
LONGEST_SENTENCE = 1500


def error_of(ending: Ending, kind: type[RequestError]) -> RequestError:
    with pytest.raises(kind) as raised:
        result_of(ending, LIMITS, OutputFormat.TEXT)
    return raised.value


def test_a_good_ending_is_output_and_metrics():
    ending = Ending(How.RETURNED, instructions=10, wall_ns=1_500_000, peak_memory_bytes=65536, stdout=b"hi", stderr=b"log")
    result = result_of(ending, LIMITS, OutputFormat.TEXT)
    assert (result.output, result.stderr_tail) == (b"hi", "log")
    assert result.metrics == Metrics(instructions=10, time_ms=2, peak_memory_bytes=65536)


@pytest.mark.parametrize(("wall_ns", "time_ms"), [(0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2)])
def test_each_millisecond_begun_counts(wall_ns, time_ms):
    assert metrics_of(Ending(How.RETURNED, wall_ns=wall_ns)).time_ms == time_ms


def test_out_of_instructions_names_limit_and_setting():
    error = error_of(Ending(How.TRAPPED, code=11, instructions=10**9), GuestTrapped)
    assert error.trap is Trap.OUT_OF_FUEL
    assert "1000000000 (resource_limits.max_instructions)" in str(error)
    assert error.metrics.instructions == 10**9


@pytest.mark.parametrize(
    ("code", "trap", "told"),
    [
        (0, Trap.STACK_OVERFLOW, "call stack"),
        (1, Trap.OUT_OF_BOUNDS, "memory out of bounds"),
        (7, Trap.ARITHMETIC, "divided an integer by zero"),
        (9, Trap.UNREACHABLE, "`unreachable`"),
        (4, Trap.OTHER, "null"),
        (999, Trap.OTHER, "trap 999"),
    ],
)
def test_a_trap_says_what_happened_and_where(code, trap, told):
    error = error_of(Ending(How.TRAPPED, code=code, detail="average, called by main", stderr=b"panicked at 'oh'\n"), GuestTrapped)
    assert error.trap is trap
    assert told in str(error)
    assert "(in average, called by main)" in str(error)
    assert "panicked at 'oh'" in str(error)


def test_an_abort_with_the_memory_full_is_out_of_memory():
    error = error_of(Ending(How.TRAPPED, code=9, peak_memory_bytes=15 * MB), GuestTrapped)
    assert error.trap is Trap.OUT_OF_MEMORY
    assert "15 of at most 16 MB (resource_limits.max_memory_mb)" in str(error)


def test_an_abort_with_memory_to_spare_says_nothing_of_memory():
    assert "memory" not in str(error_of(Ending(How.TRAPPED, code=9, peak_memory_bytes=8 * MB), GuestTrapped))


def test_a_module_that_starts_too_large_is_told_how_much_it_needs():
    error = error_of(Ending(How.NEEDS_MEMORY, peak_memory_bytes=17 * MB), GuestTrapped)
    assert error.trap is Trap.OUT_OF_MEMORY
    assert "starts with 17 MB and its limit is 16 MB" in str(error)


def test_an_exit_code_is_told_with_the_last_words():
    error = error_of(Ending(How.RETURNED, code=3, stderr=b"first\nno price\n\n"), GuestExited)
    assert (error.exit_code, str(error)) == (3, "The guest ended with exit code 3: no price")


def test_a_silent_exit_says_so():
    assert "wrote nothing to stderr" in str(error_of(Ending(How.RETURNED, code=1), GuestExited))


def test_too_much_output_is_refused_with_the_bound():
    assert "65536 bytes" in str(error_of(Ending(How.OUTPUT_FULL), OutputRefused))


def test_an_invalid_module_keeps_its_sentence():
    assert str(error_of(Ending(How.INVALID, detail="No `_start`."), InvalidModule)) == "No `_start`."


def test_a_defect_of_ours_is_not_shown_to_the_caller():
    error = error_of(Ending(How.DEFECT, detail="Traceback: secret path"), GuestTrapped)
    assert error.trap is Trap.KILLED
    assert "secret" not in str(error)


@pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGXCPU])
def test_a_process_ended_by_its_timer_was_out_of_time(number):
    error = killed(number, LIMITS)
    assert (error.trap, error.metrics.time_ms) == (Trap.OUT_OF_TIME, 5000)
    assert "5 s (resource_limits.max_execution_seconds)" in str(error)


@pytest.mark.parametrize("number", [0, signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_died_otherwise_was_killed(number):
    assert killed(number, LIMITS).trap is Trap.KILLED


endings = st.builds(
    lambda how, code, amount, stderr, detail: Ending(
        how, code, amount, amount, amount, stdout=stderr, stderr=stderr, detail="".join(c for c in detail if c.isprintable())
    ),
    st.sampled_from([how for how in How if how is not How.COMPILED]),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=2000),
    st.text(max_size=800),
)


@given(endings, st.sampled_from(OutputFormat))
def test_every_ending_is_a_result_or_one_printable_sentence(ending, output_format):
    sentence = "a result"
    try:
        result_of(ending, LIMITS, output_format)
    except RequestError as error:
        sentence = str(error)
    assert sentence.isprintable()
    assert 0 < len(sentence) < LONGEST_SENTENCE


def test_rusts_advice_on_backtraces_is_not_taken_for_the_reason():
    assert (
        last_line("index out of bounds\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n")
        == "index out of bounds"
    )


@given(st.text())
def test_last_words_are_one_short_printable_line(text):
    line = last_line(text)
    assert line.isprintable()
    assert len(line) <= 200
