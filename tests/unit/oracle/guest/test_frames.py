import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.guest.frames import MAX_NAME_LENGTH, MAX_NAMES, readable_name, told

# As rustc 1.85 and wasmtime name the frames of `v[i]` out of bounds.
RUST_PANIC = [
    "__rust_start_panic",
    "rust_panic",
    "_ZN3std9panicking20rust_panic_with_hook17h7e79e80e6e580572E",
    "_ZN3std9panicking19begin_panic_handler28_$u7b$$u7b$closure$u7d$$u7d$17h6ab63c705aaaaaaaE",
    "_ZN3std3sys9backtrace26__rust_end_short_backtrace17hd22345615472eafeE",
    "rust_begin_unwind",
    "_ZN4core9panicking9panic_fmt17ha2ea05a5a1295637E",
    "_ZN4core9panicking18panic_bounds_check17hfb35abd02fb31427E",
    "_ZN10word_count4main17h0123456789abcdefE",
    "_start",
]


def test_callers_follow_the_function_that_trapped():
    assert told(["average", "main", "_start"]) == "average, called by main, _start"


def test_a_rust_panic_is_told_from_the_programs_own_function_on():
    assert told(RUST_PANIC) == "word_count::main, called by _start"


def test_a_panic_without_a_function_of_the_programs_own_is_told_by_its_innermost():
    assert told(RUST_PANIC[:3]) == "__rust_start_panic"


def test_recursion_is_told_once_and_long_stacks_are_cut():
    assert told(["deeper"] * 1000) == "deeper"
    assert told(map(str, range(100))).count(",") == MAX_NAMES - 1


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("_ZN4main4mainE", "main::main"),
        ("_ZN4core3ptr28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "core::ptr::{{closure}}"),
        ("_ZN99shortE", "_ZN99shortE"),
        ("_ZN", "_ZN"),
        ("_RNvC4main", "_RNvC4main"),
        ("bell\x07", "bell?"),
    ],
)
def test_names_are_made_readable_or_left_alone(name, readable):
    assert readable_name(name) == readable


@given(st.text() | st.text("_ZN0123456789Eh$u7b.").map(lambda text: "_ZN" + text))
def test_any_name_is_told_printable_and_short(name):
    assert readable_name(name).isprintable()
    assert len(readable_name(name)) <= MAX_NAME_LENGTH
