"""What a guest's process is, seen from outside."""

import asyncio
import os

import pytest_asyncio

from oracle.guest.compiler import Compiler
from oracle.guest.native import NativeCache
from oracle.guest.processes import ForkServer
from oracle.guest.supply import ProcessSupply
from oracle.guest.wire import Job, Task
from oracle.model import Limits

MB = 1024 * 1024


@pytest_asyncio.fixture
async def waiting(proc):
    """A fork server, and a process of its that waits for its job; forbidding new privileges is the last but one thing it does before."""
    server = await ForkServer.start()
    try:
        async with server.spawn() as process:
            await proc.until(lambda: process.pid and proc.status(process.pid).get("NoNewPrivs") == "1")
            await proc.until(lambda: proc.limit(process.pid, "Max core file size") == "0")
            yield server, process
    finally:
        server.close()


@pytest_asyncio.fixture
async def sleeper(tmp_path, shipped, proc):
    """The pid of a process whose guest sleeps."""
    supply, cache = ProcessSupply(spares=0), NativeCache(tmp_path)
    await supply.start()
    run = shipped("sleep_forever", limits=Limits())
    native_fd = await Compiler(supply, cache).native_code(run.wasm_path, run.wasm_sha256_hex)
    server = supply._server
    assert server is not None
    try:
        async with server.spawn() as process:
            job = Job(Task.EXECUTE, max_instructions=10**9, max_memory_bytes=16 * MB, max_seconds=60)
            doing = asyncio.create_task(process.do(job, [native_fd], 60))
            await proc.until(lambda: process.pid and proc.has_its_job(process.pid))
            yield process.pid
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
    finally:
        os.close(native_fd)
        supply.close()
        cache.close()


async def test_it_has_one_thread_no_privileges_and_nobodys_identity(waiting, proc):
    _, process = waiting
    status = proc.status(process.pid)
    assert status["Threads"] == "1"
    assert int(status["CapEff"], 16) == 0
    if os.geteuid() == 0:
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"65534"}
        assert status["Groups"] == ""


async def test_it_holds_no_descriptor_but_its_socket(waiting, proc):
    _, process = waiting
    names = proc.descriptors(process.pid)
    assert set(names) == {0, 1, 2, 3}
    assert {names[fd] for fd in (0, 1, 2)} == {"/dev/null"}
    assert names[3].startswith("socket:")


async def test_its_environment_and_the_fork_servers_are_empty(waiting, proc):
    server, process = waiting
    assert proc.read(server.pid, "environ") == proc.read(process.pid, "environ") == ""


async def test_the_fork_server_has_one_thread_and_a_session_of_its_own(waiting, proc):
    server, process = waiting
    assert proc.status(server.pid)["Threads"] == "1"
    assert os.getsid(server.pid) == os.getsid(process.pid) == server.pid != os.getsid(0)


async def test_a_job_comes_with_its_limits(sleeper, proc):
    for name in ("Max core file size", "Max file size", "Max processes"):
        assert proc.limit(sleeper, name) == "0"
    assert proc.limit(sleeper, "Max open files") == "8"
    assert int(proc.limit(sleeper, "Max data size")) == (512 + 16) * MB
    assert int(proc.limit(sleeper, "Max cpu time")) == 60 + 3
    assert int(proc.read(sleeper, "oom_score_adj")) == 1000
    assert proc.status(sleeper)["Threads"] == "1"
