"""Processes taken away at the worst moment: a result or a typed error, never a hang, and nothing left behind."""

import asyncio
import errno
import os
import signal
import sys

import pytest

from oracle.errors import ConfigurationError, GuestTrapped, Trap
from oracle.guest import GuestPool
from oracle.model import Limits
from oracle.model.limits import BYTES_A_MB


def server_pid(pool: GuestPool) -> int:
    server = pool._processes._server
    assert server is not None
    return server.pid


@pytest.fixture
def running(proc):
    """Of a pool: the processes that have their job."""
    return lambda pool: [pid for pid in proc.children(server_pid(pool)) if proc.has_its_job(pid)]


async def test_a_run_whose_process_is_killed_once_is_begun_anew(home, shipped, proc, running):
    async with GuestPool(home, 1) as pool:
        run = asyncio.create_task(pool.run(shipped("sleep_forever", limits=Limits(max_execution_seconds=2))))
        await proc.until(lambda: running(pool))
        os.kill(running(pool)[0], signal.SIGKILL)
        with pytest.raises(GuestTrapped) as raised:
            await run
        assert raised.value.trap is Trap.OUT_OF_TIME


async def test_a_run_whose_process_is_killed_every_time_is_a_typed_error(home, shipped, proc, running):
    async with GuestPool(home, 1) as pool:
        run = asyncio.create_task(pool.run(shipped("sleep_forever")))
        while not run.done():
            for pid in running(pool):
                os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.001)
        with pytest.raises(GuestTrapped, match="Killed") as raised:
            await run
        assert raised.value.trap is Trap.KILLED


async def test_a_crash_of_the_process_is_not_tried_again(home, shipped, proc, running):
    async with GuestPool(home, 1) as pool:
        run = asyncio.create_task(pool.run(shipped("sleep_forever")))
        await proc.until(lambda: running(pool))
        os.kill(running(pool)[0], signal.SIGABRT)
        with pytest.raises(GuestTrapped, match="Aborted"):
            await run


async def test_when_the_fork_server_is_killed_its_processes_die_and_the_run_is_begun_anew(home, shipped, proc, running):
    async with GuestPool(home, 2) as pool:
        old = server_pid(pool)
        run = asyncio.create_task(pool.run(shipped("sleep_forever", limits=Limits(max_execution_seconds=2))))
        await proc.until(lambda: running(pool))
        orphans = proc.children(old)
        os.kill(old, signal.SIGKILL)
        await proc.until(lambda: not any(proc.lives(pid) for pid in orphans))
        with pytest.raises(GuestTrapped) as raised:
            await run
        assert raised.value.trap is Trap.OUT_OF_TIME
        assert server_pid(pool) != old
        assert (await pool.run(shipped("echo", input_bytes=b"again"))).output == b"again"


async def test_a_guest_for_which_there_is_no_memory_waits_until_another_has_ended(home, shipped, proc, running):
    limits = Limits(max_memory_mb=100)
    async with GuestPool(home, 2, memory_bytes=300 * BYTES_A_MB) as pool:
        sleeping = asyncio.create_task(pool.run(shipped("sleep_forever", limits=limits)))
        await proc.until(lambda: running(pool))
        waiting = asyncio.create_task(pool.run(shipped("echo", input_bytes=b"my turn", limits=limits)))
        await proc.until(lambda: pool._places._waiting)
        assert len(running(pool)) == 1
        sleeping.cancel()
        assert (await waiting).output == b"my turn"


async def test_spares_that_died_meanwhile_are_not_used(home, shipped, proc, running):
    async with GuestPool(home, 2) as pool:
        await proc.until(lambda: len(proc.children(server_pid(pool))) >= 2)
        for pid in proc.children(server_pid(pool)):
            os.kill(pid, signal.SIGKILL)
        assert (await pool.run(shipped("echo", input_bytes=b"alive"))).output == b"alive"


async def test_a_machine_without_room_for_the_next_process_takes_no_result_away(home, shipped, monkeypatch):
    async with GuestPool(home, 1) as pool:
        await pool.run(shipped("echo"))

        def no_room():
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        monkeypatch.setattr(pool._processes._server, "spawn", no_room)
        assert (await pool.run(shipped("echo", input_bytes=b"done"))).output == b"done"


async def test_nothing_is_left_behind_after_many_runs(home, shipped, proc, running):
    async with GuestPool(home, 4) as pool:
        await pool.run(shipped("echo"))
        open_before = proc.open_descriptors(os.getpid())
        for _ in range(25):
            ends = await asyncio.gather(
                *(pool.run(shipped("exit_three" if i % 5 == 0 else "echo")) for i in range(20)), return_exceptions=True
            )
            assert len(ends) == 20
        await proc.until(lambda: len(proc.children(server_pid(pool))) == 4)
        assert all(proc.lives(pid) for pid in proc.children(server_pid(pool)))
        # One descriptor more at most: exit_three's native code, which is kept. Spares hold two each, before as after.
        assert proc.open_descriptors(os.getpid()) <= open_before + 1 + 2 * 4
        assert proc.open_descriptors(server_pid(pool)) <= 6 + 4
    assert server_pid(pool) not in proc.children(os.getpid())


async def test_leaving_the_pool_ends_every_process(home, shipped, proc, running):
    async with GuestPool(home, 2) as pool:
        run = asyncio.create_task(pool.run(shipped("sleep_forever")))
        await proc.until(lambda: running(pool))
        pids = [server_pid(pool), *proc.children(server_pid(pool))]
        run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    await proc.until(lambda: not any(proc.lives(pid) for pid in pids))


async def test_a_killed_worker_takes_all_its_processes_along(home, shipped, proc, running):
    run = shipped("sleep_forever")
    program = (
        "import asyncio, sys; from pathlib import Path; from oracle.guest import GuestPool; from oracle.model import Limits;"
        "from oracle.ports import GuestRun\n"
        "async def main():\n"
        "    async with GuestPool(Path(sys.argv[1]), 2) as pool:\n"
        "        print(pool._processes._server.pid, flush=True)\n"
        "        await pool.run(GuestRun(Path(sys.argv[2]), sys.argv[3], b'', (), Limits()))\n"
        "asyncio.run(main())"
    )
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(home), str(run.wasm_path), run.wasm_sha256_hex, stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdout is not None
    server = int(await worker.stdout.readline())
    await proc.until(lambda: any(proc.has_its_job(pid) for pid in proc.children(server)))
    pids = [server, *proc.children(server)]
    worker.kill()
    await worker.wait()
    await proc.until(lambda: not any(proc.lives(pid) for pid in pids))


async def test_a_damaged_cache_entry_is_compiled_anew(home, shipped):
    run = shipped("echo", input_bytes=b"sound")
    async with GuestPool(home, 1) as pool:
        await pool.run(run)
        path = pool._native.path_of(run.wasm_sha256_hex)
    damaged = path.read_bytes()[:-1]
    path.write_bytes(damaged)
    async with GuestPool(home, 1) as pool:
        assert (await pool.run(run)).output == b"sound"
    assert path.read_bytes() != damaged


async def test_an_interpreter_that_cannot_fork_guests_is_a_configuration_error(home, monkeypatch):
    monkeypatch.setattr("oracle.guest.processes._PROGRAM", "raise SystemExit(1)")
    with pytest.raises(ConfigurationError, match="guests cannot be run here"):
        async with GuestPool(home, 1):
            pass


async def test_a_machine_that_starts_no_program_is_a_configuration_error_and_holds_no_descriptor(home, proc, monkeypatch):
    async with GuestPool(home, 1):
        pass  # what is opened once is open now
    before = proc.open_descriptors(os.getpid())
    monkeypatch.setattr("oracle.guest.processes.sys.executable", "/no/such/python")
    with pytest.raises(ConfigurationError, match="No such file"):
        async with GuestPool(home, 1):
            pass
    assert proc.open_descriptors(os.getpid()) == before
