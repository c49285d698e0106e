"""What a receipt costs: written and signed, and with a quote from a simulated machine in a process of its own."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import base58
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.report import Row
from oracle.model import Answer, Job, Metrics, Origin, Stage
from oracle.ports import SystemClock
from oracle.tee.dstack import Dstack
from oracle.tee.making import ReceiptMaker, Standing
from oracle.tee.quoting import ReceiptQuotes
from oracle.testing.chain import request
from oracle.testing.receipts import receipt

SIGNED_GOAL_MS, QUOTED_GOAL_MS = 0.3, 5.0
BATCH = 100


def run(*, quick: bool) -> list[Row]:
    return asyncio.run(_measure(20 if quick else 400))


async def _measure(count: int) -> list[Row]:
    alone = _maker(None)
    signed = await _cpu_ms(lambda: alone.make(JOB, ANSWER), count)
    how = f"CPU time of our process, median of {count}"
    rows = [Row("receipt made, written and signed", signed, "ms", how, f"<= {SIGNED_GOAL_MS} ms", signed <= SIGNED_GOAL_MS)]
    command = (sys.executable, "-m", "oracle", "tee", "simulate", "--json")
    simulator = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert simulator.stdout is not None
        told = json.loads(await simulator.stdout.readline())
        async with Dstack(told["environment"]["DSTACK_SIMULATOR_ENDPOINT"]) as socket:
            return [*rows, *await _quoted(socket, count, signed)]
    finally:
        simulator.terminate()
        await simulator.wait()


async def _quoted(socket: Dstack, count: int, signed_ms: float) -> list[Row]:
    each = _maker(ReceiptQuotes(socket, SystemClock()))
    began_s = time.perf_counter()
    quoted = await _cpu_ms(lambda: each.make(JOB, ANSWER), count)
    wall_ms = (time.perf_counter() - began_s) * 1e3 / count
    together = _maker(ReceiptQuotes(socket, SystemClock(), batch_ms=20))

    async def batch() -> Sequence[object]:
        return await asyncio.gather(*(together.make(JOB, replace(ANSWER, output=b"%d" % number)) for number in range(BATCH)))

    batched = await _cpu_ms(batch, max(3, count // 40)) / BATCH
    own = quoted - signed_ms
    return [
        Row("a quote of its own adds", own, "ms", f"CPU time of our process; {wall_ms:.1f} ms in all", "<= 5 ms", own <= QUOTED_GOAL_MS),
        Row(f"a receipt of a batch of {BATCH}, quote and proof included", batched, "ms", f"{batched / signed_ms:.1f} x without a quote"),
    ]


async def _cpu_ms(work: Callable[[], Awaitable[object]], count: int) -> float:
    spent = []
    for _ in range(count):
        began = time.process_time()
        await work()
        spent.append((time.process_time() - began) * 1e3)
    return statistics.median(spent)


def _maker(quotes: ReceiptQuotes | None) -> ReceiptMaker:
    key, plain = Ed25519PrivateKey.from_private_bytes(bytes(32)), receipt()
    public_key = "ed25519:" + base58.b58encode(key.public_key().public_bytes_raw()).decode()
    worker = replace(plain.worker, public_key=public_key)
    standing = Standing(plain.chain, plain.engine, worker, plain.settings_sha256_hex, plain.policy_sha256_hex)
    return ReceiptMaker(standing, key.sign, SystemClock(), quotes)


ANSWER = Answer(7, success=True, output=b"x" * 200, metrics=Metrics(5, 6, 7))
JOB = Job(
    request(7),
    Origin("8GkZaPGkSBGPcQZZyV4ZNcMFqxVJyzQCYcyCJ3qVTQFo", "4hcGSaBFWkWVZ3mHhBhDTrBWzS9MT4uy5KVbwhE6qKfi", 40, 41),
    Stage.ANSWERING,
    wasm_sha256_hex="ec" * 32,
    input_sha256_hex="1a" * 32,
    answer=ANSWER,
)
