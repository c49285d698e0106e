"""A full disk under the worker: it says so, backs off, and goes on by itself when there is room again."""

import asyncio
import contextlib
import subprocess

import pytest

from tests.acceptance.harness import Ask, World

DISK_MIB = 12
TOLD_WITHIN_S = 20.0


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few MiB where the worker keeps its state."""
    place = tmp_path / "worker"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0700", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        refused = mounted.stderr.strip() if mounted.returncode else None
    except OSError as error:
        refused = str(error)
    if refused is not None:
        pytest.skip(f"no small file system can be mounted here ({refused}); tests/integration/oracle/store has a full file all the same")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place):
    """Take all room that is left, to the last byte."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return filler


async def test_a_full_disk_is_told_waited_out_and_no_request_is_lost(tmp_path, small_disk):
    async with World(tmp_path) as world:
        people = await world.add_people(3)
        await asyncio.to_thread(world.start_worker)
        assert (await world.hear(people[0], Ask(input_data="before"))).value == "before"
        filler = fill(small_disk)
        texts = [f"{number} " + "x" * 9_000 for number in range(9)]
        during = [asyncio.create_task(world.hear(people[index % 3], Ask(input_data=text), 60.0)) for index, text in enumerate(texts)]
        health = await until_health(world, lambda health: health["status"] == "trouble")
        assert any(problem.startswith("store: ") and "full" in problem for problem in health["problems"]), health
        assert '"store_trouble"' in world.worker.log_file.read_text()
        filler.unlink()
        heard = await asyncio.gather(*during)
        assert [told.value for told in heard] == texts
        assert await world.completions() == {told.request_id: 1 for told in heard} | {0: 1}
        await until_health(world, lambda health: health["status"] == "ok" and not health["jobs"])
        assert await asyncio.to_thread(world.worker.stop) == 0


async def test_code_that_finds_no_room_is_fetched_when_there_is_some(tmp_path, small_disk):
    async with World(tmp_path) as world:
        (person,) = await world.add_people(1)
        await asyncio.to_thread(world.start_worker)
        filler = fill(small_disk)
        asked = asyncio.create_task(world.hear(person, Ask(guest="sha256", input_data="abc"), 60.0))
        await until_health(world, lambda health: health["status"] == "trouble")
        filler.unlink()
        assert (await asked).value == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        await until_health(world, lambda health: health["status"] == "ok" and not health["jobs"])


async def until_health(world, holds):
    async with asyncio.timeout(TOLD_WITHIN_S):
        while not holds(health := await asyncio.to_thread(world.worker.health)):
            await asyncio.sleep(0.05)
    return health
