"""
The walls around a guest's process, from inside: what it gives up before it sees its job.

The guest's first wall is WebAssembly itself. These are for one that has broken out of it: no descriptors, environment or privileges of the
worker, hard limits, and death with its parent.
"""

import contextlib
import ctypes
import os
import resource
import signal

from oracle.guest.wire import MAX_NATIVE_BYTES, Job, Task

MIB = 1024 * 1024
SOCKET_FD = 3
NOBODY = 65534
"""The overflow uid of Linux; owns nothing."""

ENGINE_ADDRESS_SPACE_BYTES = 6 * 1024 * MIB
"""A 4 GiB memory with its guards, and the interpreter."""
OWN_DATA_BYTES = 512 * MIB
"""Interpreter, engine, native code and input, beside the guest's memory."""
COMPILE_DATA_BYTES = 3 * 1024 * MIB
COMPILE_CPU_SECONDS = 240
SPARE_CPU_SECONDS = 3

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_libc = ctypes.CDLL(None, use_errno=True)


def leave_parent(socket_fd: int, parent_pid: int) -> None:
    """Keep one descriptor (it becomes SOCKET_FD) and no privileges; die with the parent. Ends the process if that is dead already."""
    if socket_fd != SOCKET_FD:
        os.dup2(socket_fd, SOCKET_FD, inheritable=False)
    os.closerange(SOCKET_FD + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    # When the machine runs out of memory, a guest is to go before the worker does.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:  # noqa: PTH123 - Path.open is slower to load
        score.write("1000")
    _give_up_root()
    # After the change of user, which clears it; and a parent that died before it was set is seen by its pid.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _give_up_root() -> None:
    if os.geteuid() != 0:
        return
    # In a user namespace without that uid there is nothing to change to; root there is nobody outside.
    with contextlib.suppress(OSError):
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def limit_to(job: Job) -> None:
    """Set the kernel's limits for a job; they are far above what an honest one needs."""
    if job.task is Task.COMPILE:
        limits = {
            resource.RLIMIT_CPU: COMPILE_CPU_SECONDS,
            resource.RLIMIT_DATA: COMPILE_DATA_BYTES,
            resource.RLIMIT_FSIZE: MAX_NATIVE_BYTES,
            resource.RLIMIT_NOFILE: 32,
        }
    else:
        limits = {
            resource.RLIMIT_CPU: job.max_seconds + SPARE_CPU_SECONDS,
            resource.RLIMIT_AS: ENGINE_ADDRESS_SPACE_BYTES + len(job.input_bytes),
            resource.RLIMIT_DATA: OWN_DATA_BYTES + job.max_memory_bytes + len(job.input_bytes),
            resource.RLIMIT_FSIZE: 0,
            resource.RLIMIT_NOFILE: 8,
            resource.RLIMIT_NPROC: 0,
        }
    for which, wanted in limits.items():
        _, hard = resource.getrlimit(which)
        bound = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(which, (bound, bound))
