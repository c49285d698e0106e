"""From the block with the event to the answer's transaction sent, one request at a time, small cached guest, real processes."""

import asyncio
import json
import statistics
import tempfile
from datetime import datetime

from benchmarks.report import Row
from tests.acceptance.harness import World

MEDIAN_GOAL_MS, P99_GOAL_MS = 15.0, 50.0
WARM_UP = 10


def run(*, quick: bool) -> list[Row]:
    latencies, round_trips = asyncio.run(_measure(40 if quick else 400))
    median, p99 = statistics.median(latencies), _percentile(latencies, 0.99)
    whole = statistics.median(round_trips)
    how = f"worker's clock against block time, {len(latencies)} requests"
    return [
        Row("event's block to answer sent, median", median, "ms", how, f"<= {MEDIAN_GOAL_MS:.0f} ms", median <= MEDIAN_GOAL_MS),
        Row("event's block to answer sent, p99", p99, "ms", how, f"<= {P99_GOAL_MS:.0f} ms", p99 <= P99_GOAL_MS),
        Row("request sent to answer in the caller's hands, median", whole, "ms", f"{whole / median:.1f} x event to sent"),
    ]


async def _measure(count: int) -> tuple[list[float], list[float]]:
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as home:
        async with World(home) as world:
            (person,) = await world.add_people(1)
            world.start_worker()
            round_trips = []
            for _ in range(WARM_UP + count):
                began = loop.time()
                await world.hear(person)
                round_trips.append((loop.time() - began) * 1e3)
            events = (await world.events())["execution_requested"]
            requested = {json.loads(event["request_data"])["request_id"]: event["timestamp"] for event in events}
            sent = _sent(world.worker.log_file.read_text())
    latencies = [(sent[request_id] - timestamp_ns / 1e9) * 1e3 for request_id, timestamp_ns in requested.items()]
    return latencies[WARM_UP:], round_trips[WARM_UP:]


def _sent(log: str) -> dict[int, float]:
    """Unix seconds at which each answer's transaction was taken by the node, from the worker's log."""
    lines = [json.loads(line) for line in log.splitlines() if '"answer_sent"' in line]
    return {line["request_id"]: datetime.fromisoformat(line["timestamp"]).timestamp() for line in lines}


def _percentile(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
