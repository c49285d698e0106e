import asyncio
import gzip
import subprocess
import sys

import pytest
from aiohttp import web

from oracle.errors import ConfigurationError, EvidenceRefused, TeeUnavailable
from oracle.tee.evm import AppContracts
from tests.unit.oracle.tee.dstack_app import ALLOWED, NOT_ALLOWED, OFFCHAIN_LOOKUP, SECRET, Evm, app_contract, node_that, saying

COMPOSE_HASH = "bb" * 32
APP_ID = "aa" * 20


@pytest.fixture(scope="module")
def evm():
    return Evm()


async def test_what_the_owner_allows_and_takes_back_is_what_is_told(evm):
    app_id = evm.deploy(app_contract())
    async with node_that(evm.handle) as url:
        contracts = AppContracts(url, chain_id=evm.web3.eth.chain_id)
        assert await contracts.allows(app_id, COMPOSE_HASH) is False
        evm.call(app_id, "addComposeHash(bytes32)", bytes.fromhex(COMPOSE_HASH))
        assert await contracts.allows(app_id.removeprefix("0x").lower(), COMPOSE_HASH) is True
        assert await contracts.allows(app_id, "cc" * 32) is False
        evm.call(app_id, "removeComposeHash(bytes32)", bytes.fromhex(COMPOSE_HASH))
        assert await contracts.allows(app_id, COMPOSE_HASH) is False


async def test_where_there_is_no_contract_nothing_is_allowed_or_forbidden(evm):
    async with node_that(evm.handle) as url:
        with pytest.raises(EvidenceRefused, match="there is no contract at 0x"):
            await AppContracts(url).allows(APP_ID, COMPOSE_HASH)


async def test_another_contract_is_no_app(evm):
    refuses_all = evm.deploy(bytes.fromhex("6005600c60003960056000f3" + "60006000fd"))
    async with node_that(evm.handle) as url:
        with pytest.raises((EvidenceRefused, TeeUnavailable)):
            await AppContracts(url).allows(refuses_all, COMPOSE_HASH)


async def test_a_node_of_another_chain_is_refused(evm):
    async with node_that(evm.handle) as url:
        with pytest.raises(EvidenceRefused, match=rf"of chain {evm.web3.eth.chain_id}; chain 8453 is expected"):
            await AppContracts(url, chain_id=8453).allows(APP_ID, COMPOSE_HASH)


@pytest.mark.parametrize(("word", "allowed"), [(ALLOWED, True), (NOT_ALLOWED, False)])
async def test_the_answer_of_a_public_node_is_read(word, allowed):
    async with node_that(saying(word)) as url:
        assert await AppContracts(url).allows(APP_ID, COMPOSE_HASH) is allowed


async def test_a_node_is_asked_with_the_selector_and_the_hash():
    asked = {}

    async def handle(request):
        body = await request.json()
        asked[body["method"]] = body["params"]
        result = "0x" + "0" * 64 if body["method"] == "eth_call" else "0x01"
        return web.json_response({"jsonrpc": "2.0", "id": body["id"], "result": result})

    async with node_that(handle) as url:
        await AppContracts(url).allows(APP_ID, COMPOSE_HASH)
    called = asked["eth_call"][0]
    assert called["data"] == "0x2f6622e5" + COMPOSE_HASH  # Solidity's selector: keccak256("allowedComposeHashes(bytes32)")
    assert called["to"].lower() == "0x" + APP_ID


@pytest.mark.parametrize(
    "answer",
    [
        {"result": "0x"},
        {"result": "0x" + "0" * 63 + "2"},
        {"result": "0x01"},
        {"result": None},
        {"result": 7},
        {"error": {"code": -32005, "message": "limit exceeded"}},
        {"error": "busy"},
        {},
        OFFCHAIN_LOOKUP,
    ],
)
async def test_an_answer_that_says_neither_is_an_error(answer):
    async with node_that(saying(answer)) as url:
        with pytest.raises((TeeUnavailable, EvidenceRefused), match=r"http://127\.0\.0\.1:\d+/…: ") as refused:
            await AppContracts(url).allows(APP_ID, COMPOSE_HASH)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"[" * 100_000, b" " * 300_000])
async def test_garbage_is_an_error_of_ours(body):
    async def handle(_request):
        return web.Response(body=body)

    async with node_that(handle) as url:
        with pytest.raises(TeeUnavailable):
            await AppContracts(url).allows(APP_ID, COMPOSE_HASH)


async def test_an_answer_without_end_is_read_no_further_than_its_bound():
    sent = []

    async def handle(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65_536)
            sent.append(65_536)

    async with node_that(handle) as url:
        with pytest.raises(TeeUnavailable, match=r"with more than 262,144 bytes"):
            await AppContracts(url).allows(APP_ID, COMPOSE_HASH)
    assert sum(sent) < 16 * 2**20  # what the sockets' buffers take


async def test_a_compressed_answer_is_not_taken():
    async def handle(request):
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=gzip.compress(b" " * 2**20), headers={"Content-Encoding": "gzip"})

    async with node_that(handle) as url:
        with pytest.raises(TeeUnavailable, match="no JSON"):
            await AppContracts(url).allows(APP_ID, COMPOSE_HASH)


async def test_a_node_that_hangs_is_left_after_a_time():
    waits = asyncio.Event()

    async def handle(_request):
        await waits.wait()

    async with node_that(handle) as url:
        with pytest.raises(TeeUnavailable, match=r"did not answer within 0\.05 seconds"):
            await AppContracts(url, timeout_s=0.05).allows(APP_ID, COMPOSE_HASH)
        waits.set()


async def test_a_node_that_is_not_there_is_told_without_its_key():
    with pytest.raises(TeeUnavailable) as refused:
        await AppContracts(f"http://127.0.0.1:1/{SECRET}").allows(APP_ID, COMPOSE_HASH)
    assert SECRET not in str(refused.value)


def test_web3_leaves_the_recursion_limit_as_it_was():
    code = "import sys, oracle.tee.evm_wire; print(sys.getrecursionlimit())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"1000"


async def test_without_the_extra_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "web3", None)
    monkeypatch.delitem(sys.modules, "oracle.tee.evm_wire", raising=False)
    with pytest.raises(ConfigurationError, match=r"near-compute-oracle\[evm\]"):
        await AppContracts("http://127.0.0.1:1").allows(APP_ID, COMPOSE_HASH)


@pytest.mark.parametrize(("app_id", "compose_hash"), [("aa", COMPOSE_HASH), (APP_ID, "bb"), ("0x" + APP_ID + "00", COMPOSE_HASH)])
async def test_what_is_no_id_or_hash_asks_nobody(app_id, compose_hash):
    with pytest.raises(EvidenceRefused, match="40 hex digits"):
        await AppContracts("http://127.0.0.1:1").allows(app_id, compose_hash)
