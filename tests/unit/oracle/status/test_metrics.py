from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from oracle.ports import Latencies, Unquoted, WorkerSnapshot
from oracle.status.metrics import metrics_text

SNAPSHOT = WorkerSnapshot(
    cursor_height=90,
    head_height=100,
    jobs_by_stage={"queued": 2, "running": 1},
    running_guests=1,
    answered_ok=7,
    answered_failed=3,
    chain_trouble=None,
    store_trouble=None,
    last_error=None,
    event_to_sent=Latencies(bounds_s=(0.01, 0.1), counts=(4, 5, 1), sum_s=0.75),
)


def samples(snapshot: WorkerSnapshot = SNAPSHOT) -> dict[str, float]:
    text = metrics_text("1.2.3", snapshot, {"done": 12, "unreadable": 1}).decode()
    return {
        sample.name + "".join(f" {value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_figure_of_the_snapshot_is_told():
    told = samples()
    expected = {
        "oracle_build_info 1.2.3": 1,
        "oracle_cursor_height": 90,
        "oracle_head_height": 100,
        "oracle_chain_up": 1,
        "oracle_store_up": 1,
        "oracle_running_guests": 1,
        "oracle_jobs queued": 2,
        "oracle_jobs running": 1,
        "oracle_stored done": 12,
        "oracle_stored unreadable": 1,
        "oracle_answers_total success": 7,
        "oracle_answers_total failure": 3,
    }
    assert {name: told[name] for name in expected} == expected


def test_receipts_without_quotes_are_told_where_there_is_a_tee():
    told = samples(replace(SNAPSHOT, unquoted=Unquoted(2, 5)))
    assert (told["oracle_receipts_awaiting_quote"], told["oracle_receipts_never_quoted_total"]) == (2, 5)
    assert not any("quote" in name for name in samples())


def test_the_histogram_counts_up_to_each_bound():
    told = samples()
    assert [told[f"oracle_event_to_sent_seconds_bucket {bound}"] for bound in ("0.01", "0.1", "+Inf")] == [4, 9, 10]
    assert (told["oracle_event_to_sent_seconds_count"], told["oracle_event_to_sent_seconds_sum"]) == (10, 0.75)


def test_trouble_is_a_zero():
    told = samples(replace(SNAPSHOT, chain_trouble="down", store_trouble="full"))
    assert (told["oracle_chain_up"], told["oracle_store_up"]) == (0, 0)


def test_two_scrapes_share_no_state():
    samples()
    assert samples(replace(SNAPSHOT, answered_ok=1))["oracle_answers_total success"] == 1
