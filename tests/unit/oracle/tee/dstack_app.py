"""A DstackApp contract on an EVM in this process, and nodes of public chains, recorded or hostile."""

import sys
from contextlib import asynccontextmanager

from aiohttp import web
from eth_utils import keccak

SECRET = "secret-key"
CODE, BASE = {"result": "0x6080604052"}, {"result": "0x2105"}
ALLOWED, NOT_ALLOWED = {"result": "0x" + "0" * 63 + "1"}, {"result": "0x" + "0" * 64}
OFFCHAIN_LOOKUP = {"error": {"code": 3, "message": "execution reverted", "data": "0x556f1830" + "0" * 640}}
"""EIP-3668: OffchainLookup(address,string[],bytes,bytes4,bytes)."""


def app_contract():
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
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v3/{SECRET}"
    finally:
        await runner.cleanup()


def recorded(**answers):
    """A node that says what nodes of public chains say, method by method."""

    async def handle(request):
        asked = await request.json()
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"]} | answers[asked["method"]])

    return handle


def saying(word):
    """A node of Base on which every contract is a DstackApp that says this."""
    return recorded(eth_chainId=BASE, eth_getCode=CODE, eth_call=word)
