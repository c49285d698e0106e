"""Prometheus' view of the worker: its snapshot and the store's counts, taken at each scrape, in a registry of their own."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from oracle.ports import Latencies, WorkerSnapshot

PREFIX = "oracle"


class _Told(Collector):
    """What was learnt for one scrape."""

    def __init__(self, version: str, snapshot: WorkerSnapshot, stored: Mapping[str, int]) -> None:
        self._version, self._snapshot, self._stored = version, snapshot, stored

    def collect(self) -> Iterable[Metric]:
        """All families; names carry their unit."""
        worker = self._snapshot
        yield InfoMetricFamily(f"{PREFIX}_build", "Version of the worker.", {"version": self._version})
        yield _gauge("cursor_height", "Last block whose events are stored.", worker.cursor_height)
        yield _gauge("head_height", "Newest final block heard of.", worker.head_height)
        yield _gauge("chain_up", "1 when the chain can be reached.", int(worker.chain_ok))
        yield _gauge("store_up", "1 when jobs can be written.", int(worker.store_ok))
        yield _gauge("running_guests", "Guests that run now.", worker.running_guests)
        jobs = GaugeMetricFamily(f"{PREFIX}_jobs", "Unfinished jobs by stage.", labels=["stage"])
        for stage, number in sorted(worker.jobs_by_stage.items()):
            jobs.add_metric([stage], number)
        yield jobs
        stored = GaugeMetricFamily(f"{PREFIX}_stored", "Jobs in the store by stage, and events that could not be read.", labels=["kind"])
        for kind, number in sorted(self._stored.items()):
            stored.add_metric([kind], number)
        yield stored
        answers = CounterMetricFamily(f"{PREFIX}_answers", "Answers brought to the chain since the start.", labels=["outcome"])
        answers.add_metric(["success"], worker.answered_ok)
        answers.add_metric(["failure"], worker.answered_failed)
        yield answers
        if worker.unquoted is not None:
            yield _gauge(
                "receipts_awaiting_quote",
                "Receipts whose answers went out without a quote, and that wait for one.",
                worker.unquoted.waiting,
            )
            given_up = CounterMetricFamily(f"{PREFIX}_receipts_never_quoted", "Receipts given up because too many wait for a quote.")
            given_up.add_metric([], worker.unquoted.given_up)
            yield given_up
        yield _histogram(worker.event_to_sent)


def metrics_text(version: str, snapshot: WorkerSnapshot, stored: Mapping[str, int]) -> bytes:
    """One scrape, in the text format."""
    registry = CollectorRegistry()
    registry.register(_Told(version, snapshot, stored))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def _gauge(name: str, help_text: str, value: int) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", help_text, value=value)


def _histogram(latencies: Latencies) -> HistogramMetricFamily:
    """Ours counts each bucket for itself, Prometheus counts everything up to a bound."""
    buckets: list[tuple[str, float]] = []
    total = 0
    bounds = [*(repr(bound_s) for bound_s in latencies.bounds_s), "+Inf"]
    for bound, count in zip(bounds, latencies.counts, strict=True):
        total += count
        buckets.append((bound, total))
    family = HistogramMetricFamily(f"{PREFIX}_event_to_sent_seconds", "From the block with the event to the answer's transaction sent.")
    family.add_metric([], buckets=buckets, sum_value=latencies.sum_s)
    return family
