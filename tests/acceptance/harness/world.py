"""A chain with our contracts on it, a worker, and people who ask; and what must hold of them whatever happened."""

import asyncio
import base64
import hashlib
import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import aiohttp

from tests.acceptance.harness.client import NEAR, TGAS, Client, Signer, call, new_account
from tests.acceptance.harness.processes import ChainProcess, WorkerProcess

OUTLAYER, CLIENT, OPERATOR = "outlayer.test.near", "client.test.near", "worker.test.near"
PATIENCE_S = 30.0


def contract(name):
    return (resources.files("localnet") / "contracts" / f"{name}.wasm").read_bytes()


def guest_path(name):
    return Path(str(resources.files("oracle") / "guests" / f"{name}.wasm"))


@dataclass
class Ask:
    """Arguments of one request; the guest is one of the package's, by file URL, unless a source is given."""

    guest: str = "echo"
    input_data: str = "hello"
    limits: dict = field(default_factory=lambda: {"max_instructions": 100_000_000, "max_memory_mb": 16, "max_execution_seconds": 5})
    response_format: str = "Text"
    source: dict | None = None
    more: dict = field(default_factory=dict)
    deposit: int = NEAR

    def arguments(self):
        path = guest_path(self.guest)
        source = self.source or {"WasmUrl": {"url": path.as_uri(), "hash": hashlib.sha256(path.read_bytes()).hexdigest()}}
        return {
            "source": source,
            "resource_limits": self.limits,
            "input_data": self.input_data,
            "response_format": self.response_format,
            **self.more,
        }

    def action(self):
        return call("request_execution", self.arguments(), deposit=self.deposit, gas=100 * TGAS)


@dataclass(frozen=True)
class Heard:
    """What came of a request: the value that its caller received, and what the contract told of it."""

    value: object
    request_id: int
    completed: dict | None
    """`data` of its `execution_completed`; None when another transaction, a cancel, ended it."""
    extended: int
    """How often its yield was renewed."""

    @property
    def reason(self):
        return self.completed["error_message"]


class World:
    """Everything of one test, in one directory."""

    def __init__(self, home, block_time="instant", worker_settings=None):
        self.home = Path(home)
        self.chain = ChainProcess(self.home / "chain", block_time)
        self.worker_settings = worker_settings or {}
        self.worker = self.client = None
        self.people = []

    async def __aenter__(self):
        try:
            return await self._enter()
        except BaseException:
            await self.__aexit__()
            raise

    async def _enter(self):
        self.chain.start()
        self.client = await Client(self.chain.rpc_url).__aenter__()
        key = json.loads((self.chain.home / "validator_key.json").read_text())
        self.root = Signer.from_secret_key(key["account_id"], key["secret_key"])
        self.operator = Signer.named(OPERATOR)
        await self._found()
        return self

    async def __aexit__(self, *_):
        if self.client is not None:
            await self.client.__aexit__()
        if self.worker is not None:
            self.worker.kill()
        self.chain.kill()

    async def _found(self):
        owner = {"owner_id": self.root.account_id, "operator_id": OPERATOR}
        founding = [
            (Signer.named(OUTLAYER), new_account(Signer.named(OUTLAYER), 50 * NEAR, contract("outlayer"), owner)),
            (self.operator, new_account(self.operator, 1000 * NEAR)),
        ]
        for signer, actions in founding:
            await self.client.commit(self.root, signer.account_id, actions)

    async def add_people(self, count, balance=2000 * NEAR):
        """Accounts that ask, one key each."""
        new = [Signer.named(f"p{len(self.people) + index}.test.near") for index in range(count)]
        for person in new:
            await self.client.commit(self.root, person.account_id, new_account(person, balance))
        self.people += new
        return new

    def settings(self):
        return {
            "NEAR_NETWORK_ID": "localnet",
            "NEAR_RPC_URL": self.chain.rpc_url,
            "NEARDATA_API_URL": self.chain.blocks_url,
            "OFFCHAINVM_CONTRACT_ID": OUTLAYER,
            "OPERATOR_ACCOUNT_ID": OPERATOR,
            "OPERATOR_PRIVATE_KEY": self.operator.secret_key,
            "START_BLOCK_HEIGHT": "1",
            **self.worker_settings,
        }

    def start_worker(self):
        if self.worker is None:
            self.worker = WorkerProcess(self.home / "worker", self.settings())
        return self.worker.start()

    async def ask(self, signer, ask=None, wait_until="INCLUDED"):
        return await self.client.send(signer, OUTLAYER, [(ask or Ask()).action()], wait_until=wait_until)

    async def hear(self, signer, ask=None, patience_s=PATIENCE_S):
        """Ask, and wait for what comes of it."""
        outcome = await self.ask(signer, ask)
        return await self.heard(outcome["transaction"]["hash"], signer.account_id, patience_s)

    async def heard(self, tx_hash, signer_id, patience_s=PATIENCE_S):
        """What came of a transaction with a request in it, asked for until it is there."""
        until = time.monotonic() + patience_s
        while True:
            outcome = await self.client.rpc("tx", {"tx_hash": tx_hash, "sender_account_id": signer_id, "wait_until": "NONE"})
            status = outcome.get("status") or {}
            if "SuccessValue" in status:
                return _heard(outcome)
            assert "Failure" not in status, json.dumps(status)
            if time.monotonic() > until:
                worker = "" if self.worker is None else self.worker.tail()
                raise AssertionError(f"{tx_hash} has no result after {patience_s} s; pending: {await self.pending()}\n{worker}")
            await asyncio.sleep(0.03)

    async def pending(self):
        return await self.client.view(OUTLAYER, "get_pending_request_ids", from_index=0, limit=1000)

    async def until_settled(self, timeout_s=120.0):
        """Wait until the contract owes nobody anything."""
        async with asyncio.timeout(timeout_s):
            while await self.pending():
                await asyncio.sleep(0.05)

    async def head_height(self):
        return (await self.client.rpc("status", []))["sync_info"]["latest_block_height"]

    async def fast_forward(self, blocks):
        """So many empty blocks at once, a second of the chain's time each."""
        await self.client.rpc("sandbox_fast_forward", {"delta_height": blocks})

    async def outcome(self, request_id):
        """`get_outcome`: how a request ended; None while it has not."""
        return await self.client.view(OUTLAYER, "get_outcome", request_id=request_id)

    async def balances(self):
        """`get_balances`: what the contract holds and owes, in yoctoNEAR."""
        told = await self.client.view(OUTLAYER, "get_balances")
        return SimpleNamespace(**{name: int(amount) for name, amount in told.items()})

    async def completions(self):
        """How often each request was completed, read from the chain's own blocks."""
        return Counter(event["request_id"] for event in (await self.events())["execution_completed"])

    async def events(self):
        """What the main contract logged in receipts that succeeded, by the kind of event, oldest first."""
        found = defaultdict(list)
        head = await self.head_height()
        async with aiohttp.ClientSession() as session:
            for height in range(1, head + 1):
                async with session.get(f"{self.chain.blocks_url}/v0/block/{height}") as response:
                    text = await response.text()
                if "EVENT_JSON:" not in text:
                    continue
                for log in _logs(json.loads(text)):
                    event = json.loads(log.removeprefix("EVENT_JSON:"))
                    found[event["event"]] += event["data"]
        return found


def _heard(outcome):
    events = defaultdict(list)
    for receipt in outcome["receipts_outcome"]:
        for log in receipt["outcome"]["logs"]:
            event = json.loads(log.removeprefix("EVENT_JSON:"))
            events[event["event"]] += event["data"]
    (requested,), (*completed,) = events["execution_requested"], events["execution_completed"]
    request_id = json.loads(requested["request_data"])["request_id"]
    assert [event["request_id"] for event in completed] in ([request_id], [])
    value = json.loads(base64.b64decode(outcome["status"]["SuccessValue"]))
    return Heard(value, request_id, completed[0] if completed else None, len(events["execution_extended"]))


def _logs(block):
    for shard in (block or {}).get("shards", []):
        for entry in shard["receipt_execution_outcomes"]:
            outcome = entry["execution_outcome"]["outcome"]
            if outcome["executor_id"] == OUTLAYER and "Failure" not in outcome["status"]:
                yield from (log for log in outcome["logs"] if log.startswith("EVENT_JSON:"))
