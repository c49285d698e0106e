"""What metering costs on integer kernels, beside the same wasm unmetered and native C; and how long a warm guest takes to answer."""

import asyncio
import ctypes
import hashlib
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from wasmtime import Func, Instance, Module, Store

from benchmarks.report import Row
from oracle.guest import GuestPool, shipped_guest
from oracle.guest.engine import METERED, EngineSettings, new_engine
from oracle.model import Limits
from oracle.ports import GuestRun

KERNELS = Path(__file__).parent / "kernels"
SIZES = {"sieve": 10_000_000, "sha256": 60_000, "collatz": 200_000, "trial_division": 300_000, "xorshift": 40_000_000}
"""The argument of each kernel: 30 to 100 ms a run on a small machine."""
WORST_CASES = {"sieve_bytes": 4_000_000}
"""Shown beside the goal's kernels, so that nobody takes their mean for a bound: a loop whose body is a single store."""
GOAL_MEAN, GOAL_WORST, GOAL_HELLO_MS = 1.20, 1.75, 3.0
FUEL = 2**62

Run = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Kernel:
    """One computation, three ways; each takes the size and gives a number that must be the same."""

    name: str
    metered: Run
    unmetered: Run
    native: Run | None

    def seconds(self, repeats: int) -> dict[str, float]:
        """Least CPU time of several runs of each, taken in turn so that a busy moment of the machine hits all alike."""
        size = (SIZES | WORST_CASES)[self.name]
        runs = {"metered": self.metered, "unmetered": self.unmetered} | ({"native": self.native} if self.native else {})
        answers = {run(size) for run in runs.values()}
        if len(answers) != 1:
            raise RuntimeError(f"{self.name}: the three disagree: {answers}")
        best = dict.fromkeys(runs, math.inf)
        for _ in range(repeats):
            for kind, run in runs.items():
                start = time.thread_time()
                run(size)
                best[kind] = min(best[kind], time.thread_time() - start)
        return best


def build(source: Path, into: Path) -> tuple[Path, Path | None]:
    """Wasm by zig, native code by the machine's cc where there is one; both -O2."""
    wasm = into / f"{source.stem}.wasm"
    zig = [sys.executable, "-m", "ziglang", "cc", "--target=wasm32-freestanding", "-nostdlib", "-O2", "-s"]
    subprocess.run([*zig, "-Wl,--no-entry", "-Wl,--export=kernel", str(source), "-o", str(wasm)], check=True)
    compiler = shutil.which("cc")
    if compiler is None:
        return wasm, None
    native = into / f"{source.stem}.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", str(source), "-o", str(native)], check=True)
    return wasm, native


def wasm_run(wasm: Path, settings: EngineSettings) -> Run:
    engine = new_engine(settings)
    store = Store(engine)
    if settings.consume_fuel:
        store.set_fuel(FUEL)
    kernel = Instance(store, Module.from_file(engine, wasm), []).exports(store)["kernel"]
    if not isinstance(kernel, Func):
        raise TypeError(f"{wasm.name} exports no function `kernel`")
    return lambda size: kernel(store, size) & 0xFFFFFFFF


def native_run(library: Path | None) -> Run | None:
    if library is None:
        return None
    kernel = ctypes.CDLL(str(library)).kernel
    kernel.argtypes, kernel.restype = [ctypes.c_uint32], ctypes.c_uint32
    return kernel


def measure(name: str, directory: Path, repeats: int) -> dict[str, float]:
    wasm, library = build(KERNELS / f"{name}.c", directory)
    unmetered = replace(METERED, consume_fuel=False)
    return Kernel(name, wasm_run(wasm, METERED), wasm_run(wasm, unmetered), native_run(library)).seconds(repeats)


def metering(repeats: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as directory:
        best = {name: measure(name, Path(directory), repeats) for name in (*SIZES, *WORST_CASES)}
    ratios = {name: seconds["metered"] / seconds["unmetered"] for name, seconds in best.items()}
    natives = {name: seconds["metered"] / seconds["native"] for name, seconds in best.items() if "native" in seconds}
    rows = []
    for name, ratio in ratios.items():
        reference = f"unmetered {best[name]['unmetered'] * 1000:.1f} ms"
        if name in SIZES:
            rows.append(Row(f"metered / unmetered wasm, {name}", ratio, "times", reference, f"<= {GOAL_WORST}", ratio <= GOAL_WORST))
        else:
            rows.append(Row(f"metered / unmetered wasm, {name} (a worst case)", ratio, "times", reference))
    rows += [Row(f"metered wasm / native C, {n}", natives[n], "times", f"cc -O2 {best[n]['native'] * 1000:.1f} ms") for n in natives]
    mean = statistics.geometric_mean(ratios[name] for name in SIZES)
    rows.append(Row("metered / unmetered wasm, geometric mean", mean, "times", ", ".join(SIZES), f"<= {GOAL_MEAN}", mean <= GOAL_MEAN))
    if natives:
        native_mean = statistics.geometric_mean(natives[name] for name in SIZES)
        rows.append(Row("metered wasm / native C, geometric mean", native_mean, "times", ", ".join(SIZES)))
    return rows


async def hello_ms(runs: int, *, pause_s: float) -> list[float]:
    """Milliseconds from ask to answer, code in memory."""
    path = shipped_guest("echo")
    run = GuestRun(path, hashlib.sha256(path.read_bytes()).hexdigest(), b"hello", (), Limits())
    times = []
    with tempfile.TemporaryDirectory() as home:
        async with GuestPool(Path(home), concurrency=4) as pool:
            for _ in range(runs + 5):
                await asyncio.sleep(pause_s)
                start = time.perf_counter()
                await pool.run(run)
                times.append((time.perf_counter() - start) * 1000)
    return times[5:]


async def runs_a_second(runs: int) -> float:
    path = shipped_guest("echo")
    run = GuestRun(path, hashlib.sha256(path.read_bytes()).hexdigest(), b"hello", (), Limits())
    with tempfile.TemporaryDirectory() as home:
        async with GuestPool(Path(home), concurrency=4) as pool:
            await pool.run(run)
            start = time.perf_counter()
            await asyncio.gather(*(pool.run(run) for _ in range(runs)))
            return runs / (time.perf_counter() - start)


def latency(runs: int) -> list[Row]:
    times = sorted(asyncio.run(hello_ms(runs, pause_s=0.03)))
    median, worst = statistics.median(times), times[int(len(times) * 0.99)]
    bare = min(_bare_start_ms() for _ in range(5))
    reference = f"a bare python process: {bare:.1f} ms"
    return [
        Row("warm hello, ask to answer, median", median, "ms", reference, f"<= {GOAL_HELLO_MS}", median <= GOAL_HELLO_MS),
        Row("warm hello, ask to answer, p99", worst, "ms", reference),
        Row("hello, 4 at once, one process each", asyncio.run(runs_a_second(runs)), "runs/s", "all cores of this machine"),
    ]


def _bare_start_ms() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True)
    return (time.perf_counter() - start) * 1000


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - the shape of every benchmark
    return metering(repeats=2 if quick else 15) + latency(runs=20 if quick else 300)
