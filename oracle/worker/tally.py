"""Figures of the worker since its start, and what it shows of itself."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from oracle.model import Answer, Job
from oracle.ports import Latencies, WorkerSnapshot

BOUNDS_S = (0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Tally:
    """Counts what has been done and remembers what is wrong."""

    def __init__(self) -> None:
        self.running_guests = 0
        self.store_trouble: str | None = None
        self.last_error: str | None = None
        self._ok = self._failed = 0
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0

    def sent(self, answer: Answer, seconds: float) -> None:
        """An answer was brought to the chain, so long after its request was seen."""
        if answer.success:
            self._ok += 1
        else:
            self._failed += 1
        self._counts[bisect_left(BOUNDS_S, seconds)] += 1
        self._sum_s += seconds

    def snapshot(self, cursor_height: int, head_height: int, chain_trouble: str | None, unfinished: Iterable[Job]) -> WorkerSnapshot:
        """Everything at this moment."""
        return WorkerSnapshot(
            cursor_height=cursor_height,
            head_height=max(cursor_height, head_height),
            jobs_by_stage=dict(Counter(job.stage.value for job in unfinished)),
            running_guests=self.running_guests,
            answered_ok=self._ok,
            answered_failed=self._failed,
            chain_trouble=chain_trouble,
            store_trouble=self.store_trouble,
            last_error=self.last_error,
            event_to_sent=Latencies(BOUNDS_S, tuple(self._counts), self._sum_s),
        )
