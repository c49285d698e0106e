"""The local chain: function calls and views of the main contract a second, through the Python API and over HTTP."""

import asyncio
import base64
import json
import time
from importlib import resources

from benchmarks.load import Call, Load
from benchmarks.report import Row
from localnet import NEAR, TGAS, Account, Chain
from localnet.server import ServerThread
from localnet.values.actions import FunctionCall
from localnet.values.transaction import Transaction

OUTLAYER, OPERATOR = "outlayer.test.near", "operator.test.near"
CALLS_GOAL, VIEWS_GOAL = 300, 800
ACCOUNTS = 8
REQUEST = json.dumps(
    {
        "source": {"WasmUrl": {"url": "https://example.com/guest.wasm", "hash": "ab" * 32}},
        "resource_limits": {"max_instructions": 1_000_000, "max_memory_mb": 16, "max_execution_seconds": 1},
        "input_data": "hello",
    }
).encode()


def run(*, quick: bool) -> list[Row]:
    count = 60 if quick else 1200
    chain, asker, operator = found()
    first_id = _warm_up(asker, operator)
    calls_a_second = _calls(chain, asker, operator, first_id, count)
    blocks_of_one = _calls_one_by_one(asker, count // 4)
    views_a_second = _rate(lambda: chain.view(OUTLAYER, "get_pricing"), count)
    askers = [chain.root.create_account(f"asker{index}.test.near", balance_yocto=10_000 * NEAR) for index in range(ACCOUNTS)]
    with ServerThread(chain) as server:
        http_views, http_calls, http_taken = asyncio.run(_over_http(server.rpc_url, chain, askers, count // 2))
    over_http = f"{ACCOUNTS} accounts, client in another process"
    python_api = "Python API, one process, outlayer contract"
    return [
        Row("function calls a second, 50 a block", calls_a_second, "calls/s", python_api, f">= {CALLS_GOAL}", calls_a_second >= CALLS_GOAL),
        Row("function calls a second, one a block", blocks_of_one, "calls/s", f"{blocks_of_one / calls_a_second:.2f} of 50 a block"),
        Row("views a second", views_a_second, "views/s", python_api, f">= {VIEWS_GOAL}", views_a_second >= VIEWS_GOAL),
        Row("views a second over HTTP", http_views, "views/s", f"{over_http}, {http_views / views_a_second:.2f} of the Python API"),
        Row(
            "function calls a second over HTTP, each in a block",
            http_calls,
            "calls/s",
            over_http,
        ),
        Row("function calls taken a second over HTTP", http_taken, "calls/s", f"{over_http}, not waited for"),
    ]


def found() -> tuple[Chain, Account, Account]:
    """A chain with the contract, somebody who asks and somebody who answers."""
    chain = Chain()
    wasm = (resources.files("localnet") / "contracts" / "outlayer.wasm").read_bytes()
    asker, operator = (chain.root.create_account(name, balance_yocto=100_000 * NEAR) for name in ("asker.test.near", OPERATOR))
    outlayer = chain.root.create_account(OUTLAYER, balance_yocto=1_000 * NEAR)
    outlayer.deploy(wasm, "new", {"owner_id": chain.root.account_id, "operator_id": OPERATOR})
    return chain, asker, operator


def _ask() -> FunctionCall:
    return FunctionCall("request_execution", REQUEST, 100 * TGAS, NEAR // 10)


def _resolve(request_id: int) -> FunctionCall:
    used = {"instructions": 5_000, "time_ms": 1}
    answer = {"request_id": request_id, "response": {"success": True, "output": {"Text": "hello"}, "resources_used": used}}
    return FunctionCall("resolve_execution", json.dumps(answer).encode(), 100 * TGAS, 0)


def _warm_up(asker: Account, operator: Account) -> int:
    asker.send(OUTLAYER, (_ask(),))
    operator.send(OUTLAYER, (_resolve(0),))
    return 1


def _calls(chain: Chain, asker: Account, operator: Account, first_id: int, count: int) -> float:
    """Requests and their answers in turn; each is one function call, and brings a callback, a refund and an event with it."""
    began, done, next_id = time.perf_counter(), 0, first_id
    while done < count:
        for _ in range(25):
            asker.submit(OUTLAYER, (_ask(),))
        chain.run_until_idle()
        for request_id in range(next_id, next_id + 25):
            operator.submit(OUTLAYER, (_resolve(request_id),))
        chain.run_until_idle()
        next_id, done = next_id + 25, done + 50
    elapsed = time.perf_counter() - began
    pending = chain.view(OUTLAYER, "get_pending_request_ids", {}).json()
    assert pending == [], f"the answers did not settle the requests: {pending[:3]}"
    return done / elapsed


def _calls_one_by_one(asker: Account, count: int) -> float:
    return _rate(lambda: asker.send(OUTLAYER, (_ask(),)), count)


def _rate(do, count: int) -> float:
    do()
    began = time.perf_counter()
    for _ in range(count):
        do()
    return count / (time.perf_counter() - began)


async def _over_http(url: str, chain: Chain, askers: list[Account], count: int) -> tuple[float, float, float]:
    """Views, calls that are waited for and calls that are not, from a process of their own; each account has its connection."""
    view = {"request_type": "call_function", "finality": "final", "account_id": OUTLAYER, "method_name": "get_pricing", "args_base64": ""}
    views = [[Call("query", view)] * (count // ACCOUNTS)] * ACCOUNTS
    waited, unheard = [], []
    for asker in askers:
        half = count // ACCOUNTS
        signed = _signed(chain, asker, 2 * half)
        waited.append([Call("send_tx", {"signed_tx_base64": each, "wait_until": "INCLUDED_FINAL"}) for each in signed[:half]])
        unheard.append([Call("broadcast_tx_async", [each]) for each in signed[half:]])
    return await _rate_over_http(url, views), await _rate_over_http(url, waited), await _rate_over_http(url, unheard)


def _signed(chain: Chain, asker: Account, count: int) -> list[str]:
    nonce, head = chain.access_key(asker.account_id, asker.key.public_key).nonce, chain.head
    made = (
        Transaction(asker.account_id, asker.key.public_key, nonce + index, OUTLAYER, head.hash, (_ask(),)) for index in range(1, count + 1)
    )
    return [base64.b64encode(each.sign(asker.key).encoded).decode() for each in made]


async def _rate_over_http(url: str, lists: list[list[Call]]) -> float:
    async with Load(url, lists) as load:
        return sum(map(len, lists)) / await load.send()
