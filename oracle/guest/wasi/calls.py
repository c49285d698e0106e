"""What each call of WASI preview 1 does; arguments are unsigned, the result is an errno."""

# ruff: noqa: D102 - WASI documents each call under its name

import struct

from oracle.guest.wasi.errno import Errno
from oracle.guest.wasi.memory import GuestMemory
from oracle.guest.wasi.poll import EVENT, MAX_SUBSCRIPTIONS, SUBSCRIPTION, poll
from oracle.guest.wasi.world import Exited, World

STDIN, STDOUT, STDERR = 0, 1, 2
RIGHT_READ = 1 << 1
RIGHT_WRITE = 1 << 6
RIGHT_POLL = 1 << 27
CLOCK_REALTIME, CLOCK_MONOTONIC = 0, 1
RANDOM_CHUNK_BYTES = 64 * 1024
FDSTAT = struct.Struct("<BxHxxxxQQ")
FILESTAT_BYTES = 64


class Calls:
    """Methods carry the names of the calls; a call without a method is refused by `refuse`."""

    def __init__(self, world: World, memory: GuestMemory) -> None:
        self._world, self._memory = world, memory

    def refuse(self, fd: int = STDERR + 1, *_rest: int) -> int:
        """Answer a call for files or sockets, of which there are none: no such descriptor, or not on this one."""
        return Errno.NOTSUP if fd in self._world.open_fds else Errno.BADF

    def _put_strings(self, strings: tuple[bytes, ...], pointers_at: int, bytes_at: int) -> int:
        for text in strings:
            self._memory.write_u32(pointers_at, bytes_at)
            self._memory.write(bytes_at, text + b"\0")
            pointers_at, bytes_at = pointers_at + 4, bytes_at + len(text) + 1
        return Errno.SUCCESS

    def _put_sizes(self, strings: tuple[bytes, ...], count_at: int, bytes_at: int) -> int:
        self._memory.write_u32(count_at, len(strings))
        self._memory.write_u32(bytes_at, sum(len(text) + 1 for text in strings))
        return Errno.SUCCESS

    def args_get(self, pointers_at: int, bytes_at: int) -> int:
        return self._put_strings(self._world.arguments, pointers_at, bytes_at)

    def args_sizes_get(self, count_at: int, bytes_at: int) -> int:
        return self._put_sizes(self._world.arguments, count_at, bytes_at)

    def environ_get(self, pointers_at: int, bytes_at: int) -> int:
        return self._put_strings(self._world.environment, pointers_at, bytes_at)

    def environ_sizes_get(self, count_at: int, bytes_at: int) -> int:
        return self._put_sizes(self._world.environment, count_at, bytes_at)

    def clock_res_get(self, clock_id: int, result_at: int) -> int:
        if clock_id not in {CLOCK_REALTIME, CLOCK_MONOTONIC}:
            return Errno.NOTSUP
        self._memory.write_u64(result_at, 1)
        return Errno.SUCCESS

    def clock_time_get(self, clock_id: int, _precision_ns: int, result_at: int) -> int:
        if clock_id not in {CLOCK_REALTIME, CLOCK_MONOTONIC}:
            return Errno.NOTSUP
        self._memory.write_u64(result_at, self._world.clock.now_ns())
        return Errno.SUCCESS

    def fd_close(self, fd: int) -> int:
        if fd not in self._world.open_fds:
            return Errno.BADF
        self._world.open_fds.remove(fd)
        return Errno.SUCCESS

    def fd_fdstat_get(self, fd: int, result_at: int) -> int:
        if fd not in self._world.open_fds:
            return Errno.BADF
        rights = RIGHT_POLL | (RIGHT_READ if fd == STDIN else RIGHT_WRITE)
        # File type 0 (unknown): a character device would pass for a terminal and make C's stdio flush each line.
        self._memory.write(result_at, FDSTAT.pack(0, 0, rights, 0))
        return Errno.SUCCESS

    def fd_fdstat_set_flags(self, fd: int, _flags: int) -> int:
        return Errno.SUCCESS if fd in self._world.open_fds else Errno.BADF

    def fd_filestat_get(self, fd: int, result_at: int) -> int:
        if fd not in self._world.open_fds:
            return Errno.BADF
        self._memory.write(result_at, bytes(FILESTAT_BYTES))
        return Errno.SUCCESS

    def fd_prestat_get(self, _fd: int, _result_at: int) -> int:
        # How a C library finds the directories it was given: the first BADF ends its list.
        return Errno.BADF

    def fd_prestat_dir_name(self, _fd: int, _path_at: int, _length: int) -> int:
        return Errno.BADF

    def fd_seek(self, fd: int, _offset: int, _whence: int, _result_at: int) -> int:
        return Errno.SPIPE if fd in self._world.open_fds else Errno.BADF

    def fd_tell(self, fd: int, _result_at: int) -> int:
        return Errno.SPIPE if fd in self._world.open_fds else Errno.BADF

    def fd_read(self, fd: int, buffers_at: int, count: int, result_at: int) -> int:
        if fd != STDIN or fd not in self._world.open_fds:
            return Errno.BADF
        self._memory.check(result_at, 4)
        total = 0
        for at, length in self._memory.buffers(buffers_at, count):
            self._memory.check(at, length)
            data = self._world.read_stdin(length)
            self._memory.write(at, data)
            total += len(data)
            if len(data) < length:
                break
        self._memory.write_u32(result_at, total)
        return Errno.SUCCESS

    def fd_write(self, fd: int, buffers_at: int, count: int, result_at: int) -> int:
        if fd not in {STDOUT, STDERR} or fd not in self._world.open_fds:
            return Errno.BADF
        self._memory.check(result_at, 4)
        total = 0
        for at, length in self._memory.buffers(buffers_at, count):
            self._memory.check(at, length)
            if fd == STDOUT:
                # One byte beyond the room is enough to know that it is too much.
                self._world.write_stdout(self._memory.read(at, min(length, self._world.max_stdout_bytes + 1)))
            else:
                kept = min(length, self._world.stderr.max_bytes)
                self._world.stderr.write(self._memory.read(at + length - kept, kept))
            total += length
        self._memory.write_u32(result_at, total & 0xFFFFFFFF)
        return Errno.SUCCESS

    def poll_oneoff(self, subscriptions_at: int, events_at: int, count: int, result_at: int) -> int:
        if not 0 < count <= MAX_SUBSCRIPTIONS:
            return Errno.INVAL
        self._memory.check(events_at, count * EVENT.size)
        self._memory.check(result_at, 4)
        events = poll(self._world, self._memory.read(subscriptions_at, count * SUBSCRIPTION.size))
        if isinstance(events, Errno):
            return events
        self._memory.write(events_at, events)
        self._memory.write_u32(result_at, len(events) // EVENT.size)
        return Errno.SUCCESS

    def proc_exit(self, code: int) -> int:
        raise Exited(code)

    def random_get(self, at: int, length: int) -> int:
        self._memory.check(at, length)
        for done in range(0, length, RANDOM_CHUNK_BYTES):
            self._memory.write(at + done, self._world.random(min(RANDOM_CHUNK_BYTES, length - done)))
        return Errno.SUCCESS

    def sched_yield(self) -> int:
        return Errno.SUCCESS
