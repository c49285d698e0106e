"""From a key in memory to a key on chain, on a simulated machine and the local chain: quote, collateral and verification included."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.report import Row
from oracle.logging import configure_logging
from oracle.near import Rpc, SigningKey
from oracle.ports import SystemClock
from oracle.settings import TeeSettings, read_settings
from oracle.wiring.tee import open_machine, registrar_of, trust_of
from tests.acceptance.harness.tee import TeeWorld
from tests.acceptance.harness.world import OPERATOR

GOAL_S = 3.0


def run(*, quick: bool) -> list[Row]:
    configure_logging("console", "warning")
    firsts, nexts, starts = asyncio.run(_measure(1 if quick else 5))
    first, following, start = max(firsts), statistics.median(nexts), statistics.median(starts)
    goal = f"<= {GOAL_S:.0f} s"
    return [
        Row("registration with new collateral, slowest", first, "s", f"in process, {len(firsts)} chains", goal, first <= GOAL_S),
        Row("registration with stored collateral, median", following, "s", f"in process, {len(nexts)} keys", goal, following <= GOAL_S),
        Row("`oracle run` to registered and listening, median", start, "s", f"{len(starts)} processes, their imports included"),
    ]


async def _measure(rounds: int) -> tuple[list[float], list[float], list[float]]:
    firsts, nexts, starts = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as home:
            async with TeeWorld(home) as world, Rpc((world.chain.rpc_url,), SystemClock()) as rpc:
                firsts.append(await _register(world, rpc))
                nexts += [await _register(world, rpc) for _ in range(3)]
                began = time.monotonic()
                await asyncio.to_thread(world.start_worker)
                starts.append(time.monotonic() - began)
    return firsts, nexts, starts


async def _register(world: TeeWorld, rpc: Rpc) -> float:
    """With nothing kept: every time collateral is fetched anew."""
    told = {name.lower(): value for name, value in world.settings().items() if name.lower() in TeeSettings.model_fields}
    with tempfile.TemporaryDirectory() as empty:
        settings = read_settings(TeeSettings, **{**told, "oracle_home": Path(empty)})
        trust = trust_of(settings)
        async with open_machine(settings, trust) as machine:
            registrar = registrar_of(settings, trust, machine, rpc, lambda _: None)
            began = time.monotonic()
            await registrar.register(SigningKey.generate(OPERATOR))
            return time.monotonic() - began
