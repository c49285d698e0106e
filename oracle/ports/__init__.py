"""
The outside worlds, each as the little the worker may do with it, and the values they speak in.

Honest twins of all of them live in `oracle.testing` and pass the same tests as the real ones. Failures are those of `oracle.errors`.
"""

from oracle.ports.chain import ReadContract, SubmitAnswers, WatchChain
from oracle.ports.clock import Clock, SystemClock
from oracle.ports.code import Code, Compiled, CompileSource, FetchBytes, ProvideCode
from oracle.ports.guests import GuestResult, GuestRun, RunGuests
from oracle.ports.jobs import ChainIdentity, SignedTransaction, StoreJobs
from oracle.ports.receipts import MakeReceipts, Vouch
from oracle.ports.snapshot import Latencies, Unquoted, WorkerSnapshot

__all__ = [
    "ChainIdentity",
    "Clock",
    "Code",
    "CompileSource",
    "Compiled",
    "FetchBytes",
    "GuestResult",
    "GuestRun",
    "Latencies",
    "MakeReceipts",
    "ProvideCode",
    "ReadContract",
    "RunGuests",
    "SignedTransaction",
    "StoreJobs",
    "SubmitAnswers",
    "SystemClock",
    "Unquoted",
    "Vouch",
    "WatchChain",
    "WorkerSnapshot",
]
