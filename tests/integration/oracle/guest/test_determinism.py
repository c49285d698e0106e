"""The same wasm, input, environment and seed give the same output, fuel and memory: in every process, cold or warm."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.guest import GuestPool
from oracle.model import OutputFormat
from oracle.ports import GuestRun

SEED = b"seed"
MODULES = [("random", b"6"), ("word_count", b'{"text":"a b a"}'), ("primes", b"1000")]


async def seen(pool: GuestPool, run: GuestRun) -> tuple[bytes, int, int]:
    result = await pool.run(run)
    return result.output, result.metrics.instructions, result.metrics.peak_memory_bytes


@pytest.mark.parametrize(("name", "data"), MODULES)
async def test_cold_and_warm_runs_in_different_installations_agree(tmp_path, shipped, name, data):
    run = shipped(name, input_bytes=data, random_seed=SEED, environment=(("A", "1"),))
    answers = set()
    for home in (tmp_path / "one", tmp_path / "one", tmp_path / "two"):
        async with GuestPool(home, 1) as pool:
            answers |= {await seen(pool, run), await seen(pool, run)}
    assert len(answers) == 1


CLOCKED = """(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\40\\00\\00\\00\\20\\00\\00\\00")
  (func (export "_start") (local $n i32)
    (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 64)))
    (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 72)))
    (drop (call $random (i32.const 80) (i32.const 16)))
    (local.set $n (i32.load8_u (i32.const 80)))
    (loop $again
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (i32.gt_s (local.get $n) (i32.const 0))))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""


async def test_a_seed_fixes_clock_and_random_bytes_and_with_them_the_fuel(tmp_path, written):
    def run(seed: bytes | None) -> GuestRun:
        return written(CLOCKED, random_seed=seed, clock_start_ns=5_000, output_format=OutputFormat.BYTES)

    async with GuestPool(tmp_path / "home", 2) as pool:
        same = {await seen(pool, run(SEED)) for _ in range(3)}
        assert len(same) == 1
        output, fuel, _ = same.pop()
        assert (int.from_bytes(output[:8], "little"), int.from_bytes(output[8:16], "little")) == (6_000, 7_000)
        assert len({await seen(pool, run(None)) for _ in range(3)}) == 3
        assert (await seen(pool, run(b"another")))[:2] != (output, fuel)


async def test_without_a_seed_the_clock_starts_at_the_blocks_time(tmp_path, written):
    run = written(CLOCKED, clock_start_ns=10**18, output_format=OutputFormat.BYTES)
    async with GuestPool(tmp_path / "home", 1) as pool:
        output = (await pool.run(run)).output
    first, second = int.from_bytes(output[:8], "little"), int.from_bytes(output[8:16], "little")
    assert 10**18 <= first <= second < 10**18 + 60 * 10**9


@pytest.fixture(scope="module")
def twice(home: Path) -> Iterator[Callable[[GuestRun], set[tuple[bytes, int, int]]]]:
    """Run in a pool that lives as long as the module, for tests that are no coroutines."""
    with asyncio.Runner() as runner:
        pool = runner.run(_opened(home))

        async def run_twice(run: GuestRun) -> set[tuple[bytes, int, int]]:
            return {await seen(pool, run), await seen(pool, run)}

        yield lambda run: runner.run(run_twice(run))
        runner.run(pool.__aexit__(None, None, None))


async def _opened(home: Path) -> GuestPool:
    return await GuestPool(home, 2).__aenter__()


@settings(max_examples=25, deadline=None)
@given(data=st.binary(max_size=2_000), environment=st.dictionaries(st.sampled_from("ABC"), st.text("xyz", max_size=9)))
def test_any_input_and_environment_give_the_same_fuel_twice(twice, shipped, data, environment):
    assert len(twice(shipped("sha256", input_bytes=data, environment=tuple(environment.items()), random_seed=SEED))) == 1
