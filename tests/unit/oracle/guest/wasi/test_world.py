import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.guest.wasi.world import (
    CountedClock,
    DeadlinePassed,
    OutputFull,
    RunningClock,
    SeededBytes,
    Tail,
    World,
    wait_until_deadline,
)


def world(stdin: bytes = b"", max_stdout_bytes: int = 8) -> World:
    return World(stdin, (), (), CountedClock(0, 2**62), max_stdout_bytes=max_stdout_bytes)


@given(st.binary(max_size=300), st.lists(st.integers(0, 50)))
def test_the_input_is_read_in_order_whatever_the_sizes_asked_for(data: bytes, sizes: list[int]) -> None:
    reader = world(data)
    assert b"".join(reader.read_stdin(size) for size in sizes) == data[: sum(sizes)]


@given(st.lists(st.binary(max_size=200)), st.integers(1, 64))
def test_a_tail_holds_the_last_bytes_of_all_that_was_written(pieces: list[bytes], bound: int) -> None:
    tail = Tail(bound)
    for piece in pieces:
        tail.write(piece)
        assert len(tail._kept) <= 2 * bound
    assert tail.read() == b"".join(pieces)[-bound:]


def test_output_up_to_the_bound_is_kept_and_one_byte_more_ends_the_guest() -> None:
    writer = world(max_stdout_bytes=8)
    writer.write_stdout(b"12345678")
    with pytest.raises(OutputFull):
        writer.write_stdout(b"9")
    assert bytes(writer.stdout) == b"12345678"


def test_seeded_bytes_are_sha256_of_seed_and_counter() -> None:
    # Known answer made by hashlib alone; the counter is a u64, little-endian.
    expected = hashlib.sha256(b"seed" + bytes(8)).digest() + hashlib.sha256(b"seed\x01" + bytes(7)).digest()
    assert SeededBytes(b"seed")(64) == expected


@given(st.lists(st.integers(0, 100)))
def test_seeded_bytes_do_not_depend_on_how_they_are_asked_for(lengths: list[int]) -> None:
    stream = SeededBytes(b"x")
    assert b"".join(stream(length) for length in lengths) == SeededBytes(b"x")(sum(lengths))


def test_a_running_clock_starts_where_it_is_told_and_never_goes_back() -> None:
    clock = RunningClock(1_000, deadline_ns=0)
    readings = [clock.now_ns() for _ in range(100)]
    assert readings == sorted(readings)
    assert 1_000 <= readings[0] < 1_000 + 60_000_000_000


def test_a_counted_clock_says_the_same_in_every_run() -> None:
    assert [CountedClock(5, 0).now_ns() for _ in range(2)] == [1_005, 1_005]
    clock = CountedClock(0, time.monotonic_ns() + 10**12)
    clock.wait(10)
    assert clock.now_ns() == 1_010


def test_waiting_beyond_the_deadline_ends_the_guest() -> None:
    with pytest.raises(DeadlinePassed):
        wait_until_deadline(10**15, deadline_ns=time.monotonic_ns())
