import struct

import pytest

from oracle.guest.wasi.errno import Errno
from oracle.guest.wasi.poll import poll

# The layouts of WASI snapshot-01, written out a second time on purpose.
CLOCK = struct.Struct("<QB7xI4xQQH6x")
EVENT = struct.Struct("<QHB5xQH6x")
ABSOLUTE = 1


def clock(userdata, timeout_ns, flags=0, clock_id=1):
    return CLOCK.pack(userdata, 0, clock_id, timeout_ns, 0, flags)


def descriptor(userdata, tag, fd):
    return CLOCK.pack(userdata, tag, fd, 0, 0, 0)


def events(answer):
    return [fields[:3] for fields in EVENT.iter_unpack(answer)]


def test_the_shapes_have_the_sizes_of_the_standard():
    assert (CLOCK.size, EVENT.size) == (48, 32)


def test_the_shortest_wait_comes_true_alone(make_guest):
    world = make_guest().world
    assert events(poll(world, clock(1, 50_000) + clock(2, 20_000))) == [(2, 0, 0)]


def test_equal_waits_come_true_together(make_guest):
    assert events(poll(make_guest().world, clock(1, 5_000) + clock(2, 5_000))) == [(1, 0, 0), (2, 0, 0)]


def test_a_moment_in_the_past_is_there_at_once(make_guest):
    world = make_guest().world
    assert events(poll(world, clock(3, 1, flags=ABSOLUTE))) == [(3, 0, 0)]
    assert world.clock.now_ns() == 1_002_000


def test_stdin_and_stdout_are_ready_without_waiting(make_guest):
    world = make_guest(stdin=b"abc").world
    answer = poll(world, clock(1, 10**18) + descriptor(2, 1, 0) + descriptor(3, 2, 1))
    assert events(answer) == [(2, 0, 1), (3, 0, 2)]
    assert EVENT.unpack_from(answer)[3] == 3


def test_a_bad_descriptor_and_an_unknown_clock_are_told_in_their_events(make_guest):
    answer = poll(make_guest().world, descriptor(1, 1, 9) + clock(2, 5, clock_id=3))
    assert events(answer) == [(1, Errno.BADF, 1), (2, Errno.NOTSUP, 0)]


def test_an_unknown_kind_of_subscription_is_invalid(make_guest):
    assert poll(make_guest().world, descriptor(1, 3, 0)) == Errno.INVAL


@pytest.mark.parametrize("count", [0, 1025, 2**32 - 1])
def test_no_subscription_or_too_many_are_invalid(make_guest, count):
    assert make_guest().calls.poll_oneoff(0, 0, count, 512) == Errno.INVAL


def test_events_are_written_where_the_guest_wants_them(make_guest):
    guest = make_guest()
    guest.memory.write(0, clock(77, 1_000))
    assert guest.calls.poll_oneoff(0, 1024, 1, 512) == Errno.SUCCESS
    assert (guest.u32(512), guest.u64(1024)) == (1, 77)
