import asyncio
import socket
import subprocess
import sys
import threading

import pytest

from oracle.net import Fetcher
from oracle.net.fetch import FetchTimes
from oracle.net.lookup import Lookup


@pytest.fixture
def silent(monkeypatch):
    """Names under .example have a server that keeps silent until the event is set; counts the lookups that wait for it."""
    answers, waiting = threading.Event(), []

    def getaddrinfo(host, *_arguments, **_options):
        waiting.append(host)
        assert answers.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    answers.waiting = waiting
    yield answers
    answers.set()


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


async def test_names_that_nobody_answers_for_hold_up_no_other_work_in_threads(silent):
    fetcher = Fetcher(local_chain=False, times=FetchTimes(retry_after_s=()))
    fetches = [asyncio.create_task(fetcher.fetch(f"https://{number}.example/guest.wasm", max_bytes=1)) for number in range(40)]
    await until(lambda: silent.waiting)
    async with asyncio.timeout(10):
        assert await asyncio.to_thread(lambda: "done") == "done"
    silent.set()
    ends = await asyncio.gather(*fetches, return_exceptions=True)
    assert all("no address was found for its host" in str(end) for end in ends)


async def test_lookups_are_bounded_also_when_those_who_asked_are_gone(silent):
    lookup = Lookup(max_lookups=2)
    asked = [asyncio.create_task(lookup.resolve(f"{number}.example")) for number in range(3)]
    await until(lambda: len(silent.waiting) == 2)
    for task in asked[:2]:
        task.cancel()
    await asyncio.gather(*asked[:2], return_exceptions=True)
    assert len(silent.waiting) == 2
    silent.set()
    with pytest.raises(socket.gaierror):
        await asked[2]
    assert silent.waiting == ["0.example", "1.example", "2.example"]


async def test_a_name_of_this_machine_is_found_with_its_port_and_family():
    found = await Lookup().resolve("localhost", 80, socket.AF_INET)
    assert {(result["hostname"], result["host"], result["port"], result["family"]) for result in found} == {
        ("localhost", "127.0.0.1", 80, socket.AF_INET)
    }


@pytest.mark.parametrize(("name", "error"), [("no-such-name.invalid", OSError), ("a" * 64 + ".example", UnicodeError)])
async def test_what_is_no_name_is_the_resolvers_error(name, error):
    with pytest.raises(error):
        await Lookup().resolve(name)


async def test_an_address_with_a_scope_keeps_it(monkeypatch):
    entry = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 80, 0, 2))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_o: [entry])
    assert [result["host"] for result in await Lookup().resolve("router.example", 80)] == ["fe80::1%2"]


def test_a_stop_does_not_wait_for_a_lookup():
    script = (
        "import asyncio, socket, time; from oracle.net.lookup import Lookup\n"
        "socket.getaddrinfo = lambda *_, **__: time.sleep(600)\n"
        "async def main():\n"
        "    asking = asyncio.create_task(Lookup().resolve('silent.example'))\n"
        "    await asyncio.sleep(0)\n"
        "    asking.cancel()\n"
        "asyncio.run(main())"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=30, check=False).returncode == 0
