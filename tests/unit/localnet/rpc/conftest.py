"""Chains behind HTTP: contracts in Python, a client that knows JSON-RPC's envelope and nothing else."""

import io
import json
import threading
from base64 import b64encode
from contextlib import asynccontextmanager
from types import SimpleNamespace

import aiohttp
import pytest

from localnet.runtime.twin import Panic
from localnet.server import ServerOptions, serve
from localnet.values.actions import FunctionCall

TGAS = 10**12


class Answered(Exception):
    """The server answered with an error; `error` is it."""

    def __init__(self, error):
        super().__init__(f"{error['cause']['name']}: {error['data']}")
        self.error, self.cause, self.info, self.data = error, error["cause"]["name"], error["cause"]["info"], error["data"]


class Client:
    """Speaks to one server."""

    def __init__(self, server, session):
        self.server, self.session = server, session

    async def post(self, body, **more):
        async with self.session.post(self.server.rpc_url, data=io.BytesIO(body), **more) as response:
            return response.status, await response.json()

    async def call(self, method, params=None):
        request = {"jsonrpc": "2.0", "id": "dontcare", "method": method, "params": params}
        status, answer = await self.post(json.dumps(request).encode())
        assert status == 200
        assert answer["id"] == "dontcare"
        if "error" in answer:
            raise Answered(answer["error"])
        return answer["result"]

    async def commit(self, transaction):
        text = transaction if isinstance(transaction, str) else b64encode(transaction.encoded).decode()
        return await self.call("broadcast_tx_commit", [text])

    async def query(self, kind, **params):
        return await self.call("query", {"request_type": kind, "finality": "final", **params})

    async def get(self, path):
        async with self.session.get(self.server.blocks_url + path) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else await response.text()


@pytest.fixture
def answered():
    """What the client raises when it is answered with an error."""
    return Answered


@pytest.fixture
def serving():
    """A function that serves a chain and gives a client of it."""

    @asynccontextmanager
    async def start(chain, **options):
        async with serve(chain, ServerOptions(**options)) as server, aiohttp.ClientSession() as session:
            yield Client(server, session)

    return start


@pytest.fixture
async def client(chain, alice, greeter, serving):
    """A client of a chain with alice and the greeter on it, which are used to sign and name only."""
    async with serving(chain, transaction_timeout_s=5) as client:
        yield client


@pytest.fixture
def greeter(chain, greeter_code):
    """The contract on an account of its own."""
    return chain.create_account("greeter").deploy(greeter_code)


@pytest.fixture
def greeter_code(contracts):
    """A contract with a method for each way a call may go."""

    def boom(call):
        raise Panic("it went wrong")

    def store(call):
        call.write(b"key", call.context.input)

    def ask(call):
        index, data_id = call.yield_create("answer", b"", 20 * TGAS)
        call.write(b"data_id", data_id)
        return _index(index)

    def tell(call):
        assert call.yield_resume(call.read(b"data_id"), b'"told"')

    def relay(call):
        return _index(call.promise("greeter.test.near", FunctionCall("greet", call.context.input, 10 * TGAS, 0)))

    def greet(call):
        call.log("greeting")
        return b'"hello ' + call.context.input + b'"'

    def answer(call):
        return call.context.promise_results[0] or b"null"

    return contracts.add(
        boom=boom, store=store, ask=ask, tell=tell, relay=relay, greet=greet, answer=answer, read=lambda call: call.read(b"key")
    )


@pytest.fixture
def holder(chain, contracts):
    """A contract whose call lasts until its gate is opened."""
    held = SimpleNamespace(entered=threading.Event(), gate=threading.Event(), call=FunctionCall("hold", b"", 10 * TGAS, 0))

    def hold(call):
        held.entered.set()
        held.gate.wait(10)

    held.account_id = chain.create_account("holder").deploy(contracts.add(hold=hold)).account_id
    return held


def _index(number):
    from localnet.vm.values import ReceiptIndex  # noqa: PLC0415 (loads what most tests here do not need)

    return ReceiptIndex(number)


@pytest.fixture
def signed():
    """A function that signs a call and gives base64."""

    def sign(account, receiver, method, args=b"", *, deposit_yocto=0, gas=100 * TGAS):
        receiver_id = getattr(receiver, "account_id", receiver)
        return b64encode(account.sign(receiver_id, [FunctionCall(method, args, gas, deposit_yocto)]).encoded).decode()

    return sign
