import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from eth_utils import keccak

from oracle.errors import ConfigurationError, EvidenceRefused, TeeUnavailable
from oracle.tee.evm import AppContracts

COMPOSE_HASH = "bb" * 32
APP_ID = "aa" * 20


def _app_contract():
    """
    The part of dstack's DstackApp (auth-eth/contracts/DstackApp.sol) that is asked, in EVM code: a hash is its own slot.

    60 PUSH1, 63 PUSH4, 35 CALLDATALOAD, 1c SHR, 80 DUP1, 14 EQ, 57 JUMPI, 5b JUMPDEST, 54 SLOAD, 55 SSTORE, 52 MSTORE, f3 RETURN,
    fd REVERT, 00 STOP
    """
    entries = ("allowedComposeHashes(bytes32)", "addComposeHash(bytes32)", "removeComposeHash(bytes32)")
    bodies = [bytes.fromhex(body) for body in ("5b6004355460005260206000f3", "5b60016004355500", "5b60006004355500")]
    dispatch, otherwise = bytes.fromhex("60003560e01c"), bytes.fromhex("60006000fd")
    target = len(dispatch) + 10 * len(entries) + len(otherwise)
    for signature, body in zip(entries, bodies, strict=True):
        dispatch += b"\x80\x63" + keccak(text=signature)[:4] + bytes([0x14, 0x60, target, 0x57])
        target += len(body)
    runtime = dispatch + otherwise + b"".join(bodies)
    # The constructor copies the rest of the code (39 CODECOPY) and returns it.
    return bytes.fromhex(f"60{len(runtime):02x}600c60003960{len(runtime):02x}6000f3") + runtime


class Evm:
    """An EVM in this process, with JSON-RPC in front of it."""

    def __init__(self):
        limit = sys.getrecursionlimit()
        from web3 import EthereumTesterProvider, Web3  # noqa: PLC0415  it takes seconds to load

        self.web3 = Web3(EthereumTesterProvider())
        self.owner = self.web3.eth.accounts[0]
        sys.setrecursionlimit(limit)  # py-evm raises it as well; see oracle.tee.evm_wire

    def deploy(self, code):
        sent = self.web3.eth.send_transaction({"from": self.owner, "data": code, "gas": 1_000_000})
        return self.web3.eth.get_transaction_receipt(sent)["contractAddress"]

    def call(self, address, signature, argument):
        data = keccak(text=signature)[:4] + argument
        self.web3.eth.send_transaction({"from": self.owner, "to": address, "data": data, "gas": 200_000})

    async def handle(self, request):
        asked = await request.json()
        ask = self.web3.provider.request_func(self.web3, self.web3.middleware_onion)
        answer = ask(asked["method"], asked["params"])
        if isinstance(answer.get("result"), int):
            answer["result"] = hex(answer["result"])
        return web.Response(text=self.web3.to_json(answer | {"id": asked["id"]}), content_type="application/json")


@asynccontextmanager
async def node_that(handle):
    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v3/secret-key"
    finally:
        await runner.cleanup()


@pytest.fixture(scope="module")
def evm():
    return Evm()


async def test_what_the_owner_allows_and_takes_back_is_what_is_told(evm):
    app_id = evm.deploy(_app_contract())
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


def recorded(**answers):
    """A node that says what nodes of public chains say, method by method."""

    async def handle(request):
        asked = await request.json()
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"]} | answers[asked["method"]])

    return handle


CODE, CHAIN = {"result": "0x6080604052"}, {"result": "0x2105"}


@pytest.mark.parametrize(("word", "allowed"), [("0" * 63 + "1", True), ("0" * 64, False)])
async def test_the_answer_of_a_public_node_is_read(word, allowed):
    async with node_that(recorded(eth_chainId=CHAIN, eth_getCode=CODE, eth_call={"result": "0x" + word})) as url:
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
        # EIP-3668: OffchainLookup(address,string[],bytes,bytes4,bytes)
        {"error": {"code": 3, "message": "execution reverted", "data": "0x556f1830" + "0" * 640}},
    ],
)
async def test_an_answer_that_says_neither_is_an_error(answer):
    async with node_that(recorded(eth_chainId=CHAIN, eth_getCode=CODE, eth_call=answer)) as url:
        with pytest.raises((TeeUnavailable, EvidenceRefused), match=r"http://127\.0\.0\.1:\d+/…: ") as refused:
            await AppContracts(url).allows(APP_ID, COMPOSE_HASH)
    assert "secret-key" not in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"[" * 100_000, b" " * 300_000])
async def test_garbage_is_an_error_of_ours(body):
    async def handle(_request):
        return web.Response(body=body)

    async with node_that(handle) as url:
        with pytest.raises(TeeUnavailable):
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
        await AppContracts("http://127.0.0.1:1/secret-key").allows(APP_ID, COMPOSE_HASH)
    assert "secret-key" not in str(refused.value)


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
    with pytest.raises(ValueError, match="40 hex digits"):
        await AppContracts("http://127.0.0.1:1").allows(app_id, compose_hash)
