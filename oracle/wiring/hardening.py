"""A process that holds a key which nobody else may have: no core dumps, and nothing of the same user looks into its memory."""

import ctypes
import os
import resource

import structlog

_PR_SET_DUMPABLE = 4
"""prctl(2), linux/prctl.h."""

_log = structlog.get_logger()


def harden_process() -> None:
    """
    Forbid core dumps and tracing of this process by others of its user; children that are started as programs decide for themselves.

    Where the kernel refuses, a log line says so: the machine's own walls are the first ones, this is the second.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        _log.warning("process_not_hardened", reason=os.strerror(ctypes.get_errno()))
