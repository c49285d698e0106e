"""Where a chain is served, and how that ends."""

import asyncio
import json
import socket
import threading
import urllib.request

import aiohttp
import pytest

from localnet.server import CannotListen, Server, ServerOptions, ServerThread, serve


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


def test_a_thread_serves_code_without_an_event_loop(chain):
    with ServerThread(chain) as server:
        assert fetch(f"{server.rpc_url}/health")["status"] == "ok"
    with pytest.raises(OSError, match="refused"):
        fetch(f"{server.rpc_url}/health")
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("localnet")]
    # The chain stays open.
    chain.produce_block()


def test_a_thread_tells_who_started_it_why_it_cannot_listen(chain):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=rf"port {port} of 127\.0\.0\.1: Address already in use; choose another with --port"):
            ServerThread(chain, ServerOptions(port=port)).__enter__()


async def test_an_address_that_is_not_ours_is_refused_by_name(chain):
    with pytest.raises(CannotListen, match=r"port 0 of 192\.0\.2\.1: Cannot assign requested address"):
        async with serve(chain, ServerOptions(host="192.0.2.1")):
            pass


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 64 + ".example"])
async def test_a_host_without_an_address_is_refused_by_name(chain, host):
    with pytest.raises(CannotListen, match="no address was found for it; give one of this machine with --host"):
        async with serve(chain, ServerOptions(host=host)):
            pass


async def test_stopping_lets_go_who_waits_for_a_block(chain):
    async with aiohttp.ClientSession() as session:
        async with serve(chain) as server:
            waiting = asyncio.create_task(session.get(f"{server.blocks_url}/v0/block/{chain.head.height + 1}?wait=60"))
            async with session.get(f"{server.rpc_url}/health") as response:
                assert response.status == 200
        async with await waiting as response:
            assert response.status == 404


async def test_a_port_can_be_taken_again_at_once(chain):
    async with serve(chain) as server, aiohttp.ClientSession() as session, session.get(f"{server.rpc_url}/health") as response:
        assert response.status == 200
    async with serve(chain, ServerOptions(port=server.port)) as again:
        assert again == server


async def test_an_error_of_the_caller_comes_through_as_it_is(chain):
    with pytest.raises(ZeroDivisionError):
        async with serve(chain):
            raise ZeroDivisionError


def test_an_ipv6_address_is_written_in_brackets():
    assert Server("::1", 3030).rpc_url == "http://[::1]:3030"
