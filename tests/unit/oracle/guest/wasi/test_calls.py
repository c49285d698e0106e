import struct

import pytest

from oracle.guest.wasi.errno import Errno
from oracle.guest.wasi.memory import Fault, TooManyBuffers
from oracle.guest.wasi.world import Exited, OutputFull

BUFFERS, DATA, RESULT = 0, 1024, 512


def test_a_read_fills_the_buffers_in_order_and_tells_how_much(make_guest):
    guest = make_guest(stdin=b"hello world")
    guest.put_buffers(BUFFERS, (DATA, 5), (DATA + 100, 4))
    assert guest.calls.fd_read(0, BUFFERS, 2, RESULT) == Errno.SUCCESS
    assert (guest.memory.read(DATA, 5), guest.memory.read(DATA + 100, 4), guest.u32(RESULT)) == (b"hello", b" wor", 9)


def test_a_read_at_the_end_of_the_input_gives_nothing(make_guest):
    guest = make_guest()
    guest.put_buffers(BUFFERS, (DATA, 5))
    assert guest.calls.fd_read(0, BUFFERS, 1, RESULT) == Errno.SUCCESS
    assert guest.u32(RESULT) == 0


@pytest.mark.parametrize(("fd", "stream"), [(1, "stdout"), (2, "stderr")])
def test_a_write_gathers_its_buffers(make_guest, fd, stream):
    guest = make_guest()
    guest.memory.write(DATA, b"hello world")
    guest.put_buffers(BUFFERS, (DATA + 6, 5), (DATA, 5))
    assert guest.calls.fd_write(fd, BUFFERS, 2, RESULT) == Errno.SUCCESS
    written = guest.world.stdout if stream == "stdout" else guest.world.stderr.read()
    assert (bytes(written), guest.u32(RESULT)) == (b"worldhello", 10)


def test_one_write_of_more_than_an_answer_ends_the_guest_with_the_answer_full(make_guest):
    guest = make_guest()
    guest.world.max_stdout_bytes = 100
    guest.put_buffers(BUFFERS, (DATA, 60_000))
    with pytest.raises(OutputFull):
        guest.calls.fd_write(1, BUFFERS, 1, RESULT)
    assert len(guest.world.stdout) == 100


@pytest.mark.parametrize(("call", "fd"), [("fd_read", 1), ("fd_read", 3), ("fd_write", 0), ("fd_write", 7)])
def test_a_descriptor_that_is_not_there_or_of_the_other_direction_is_bad(make_guest, call, fd):
    assert getattr(make_guest().calls, call)(fd, BUFFERS, 0, RESULT) == Errno.BADF


def test_a_closed_descriptor_is_bad(make_guest):
    guest = make_guest()
    assert guest.calls.fd_close(1) == Errno.SUCCESS
    assert guest.calls.fd_close(1) == Errno.BADF
    assert guest.calls.fd_write(1, BUFFERS, 0, RESULT) == Errno.BADF


def test_addresses_outside_the_memory_are_faults_and_nothing_is_lost(make_guest):
    guest = make_guest(stdin=b"hello")
    guest.put_buffers(BUFFERS, (65_534, 5))
    with pytest.raises(Fault):
        guest.calls.fd_read(0, BUFFERS, 1, RESULT)
    with pytest.raises(Fault):
        guest.calls.fd_read(0, 65_530, 1, RESULT)
    with pytest.raises(Fault):
        guest.calls.random_get(0, 2**32 - 1)
    assert guest.world.stdin_position == 0


def test_a_vector_of_too_many_buffers_is_refused_before_it_is_read(make_guest):
    with pytest.raises(TooManyBuffers):
        make_guest().calls.fd_write(1, 0, 2**32 - 1, RESULT)


def test_environment_and_arguments_are_strings_with_a_closing_nul(make_guest):
    guest = make_guest(environment=(b"A=1", b"LONG=value"))
    assert guest.calls.environ_sizes_get(RESULT, RESULT + 4) == Errno.SUCCESS
    assert (guest.u32(RESULT), guest.u32(RESULT + 4)) == (2, 15)
    assert guest.calls.environ_get(0, DATA) == Errno.SUCCESS
    assert guest.memory.read(DATA, 15) == b"A=1\0LONG=value\0"
    assert (guest.u32(0), guest.u32(4)) == (DATA, DATA + 4)
    guest.calls.args_sizes_get(RESULT, RESULT + 4)
    assert (guest.u32(RESULT), guest.u32(RESULT + 4)) == (1, 6)


@pytest.mark.parametrize("clock_id", [0, 1])
def test_both_clocks_tell_the_guests_time(make_guest, clock_id):
    guest = make_guest()
    assert guest.calls.clock_time_get(clock_id, 0, RESULT) == Errno.SUCCESS
    assert guest.u64(RESULT) == 1_001_000


@pytest.mark.parametrize("clock_id", [2, 3, 99])
def test_cpu_clocks_are_not_offered(make_guest, clock_id):
    guest = make_guest()
    assert guest.calls.clock_time_get(clock_id, 0, RESULT) == guest.calls.clock_res_get(clock_id, RESULT) == Errno.NOTSUP


def test_random_bytes_fill_exactly_what_was_asked_for(make_guest):
    guest = make_guest()
    assert guest.calls.random_get(10, 5) == Errno.SUCCESS
    assert guest.memory.read(9, 7) == b"\0" + b"\x07" * 5 + b"\0"


def test_an_exit_ends_the_guest_with_its_code(make_guest):
    with pytest.raises(Exited) as stopped:
        make_guest().calls.proc_exit(42)
    assert stopped.value.code == 42


def test_stdio_is_no_terminal_and_cannot_be_sought_in(make_guest):
    guest = make_guest()
    assert guest.calls.fd_fdstat_get(1, DATA) == Errno.SUCCESS
    file_type, _, rights, _ = struct.unpack("<BxHxxxxQQ", guest.memory.read(DATA, 24))
    assert (file_type, bool(rights & 1 << 6)) == (0, True)
    assert guest.calls.fd_seek(1, 0, 0, RESULT) == Errno.SPIPE


def test_there_are_no_directories_files_or_sockets(make_guest):
    guest = make_guest()
    assert guest.calls.fd_prestat_get(3, DATA) == Errno.BADF
    assert guest.calls.refuse(3, 1, 2, 3) == Errno.BADF
    assert guest.calls.refuse(1, 1, 2, 3) == Errno.NOTSUP
