"""The main contract on a chain in memory, with its owner, its operator and those who ask. Its law is checked after every block."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from importlib import resources

from localnet import NEAR, TGAS, Chain, FinalOutcome, GenesisAccount, KeyPair
from localnet.values.actions import FunctionCall
from localnet.values.errors import UnknownAccount
from localnet.values.outcome import Failure

OUTLAYER = "outlayer.test.near"
START_NS = 1_750_000_000 * 10**9
BASE_FEE = 10**21
MAX_GAS = 300 * TGAS
LIMITS = {"max_instructions": 10_000_000, "max_memory_mb": 64, "max_execution_seconds": 10}
SOURCE = {"WasmUrl": {"url": "https://example.com/guest.wasm", "hash": "ab" * 32}}
USED = {"instructions": 5_000_000, "time_ms": 20}
KEY = KeyPair.from_seed("stage")
IMPLICIT = "ab" * 32
PLAYERS = ("owner", "operator", "alice", "bob", "client", "asker")
GENESIS_YOCTO = 10_000 * NEAR


def artifact(name):
    return (resources.files("localnet") / "contracts" / name).read_bytes()


@dataclass(frozen=True)
class Asked:
    """A request that waits: its number, and the transaction whose result it will be."""

    request_id: int
    tx_hash: bytes


@dataclass
class Stage:
    """Time stands still unless it is moved, keys follow from their names: every run burns the same gas."""

    with_clients: bool = True
    """Whether the contracts that ask are there; what is deployed shows in hashes, and their digits in the gas of logs."""
    contract_gas: dict = field(default_factory=dict)
    """Gas that a method of the contract burnt when it was last run with success, by method."""

    def __post_init__(self):
        names = [*(f"{name}.test.near" for name in PLAYERS), OUTLAYER, "test.near"]
        self.chain = Chain(
            key=KEY, accounts=tuple(GenesisAccount(name, GENESIS_YOCTO, KEY.public_key, None) for name in names), clock=lambda: START_NS
        )
        # The implicit account is not there before somebody sends it money.
        self.accounts = {name: type(self.chain.root)(self.chain, name, KEY) for name in [*names, IMPLICIT]}
        self.succeeded, self.events, self.completed = set(), defaultdict(list), Counter()
        self.supply = self.total_yocto()
        self.chain.on_block(self._see)
        # Its reserve is small, so that what is owed can be seen against it.
        self.accounts[OUTLAYER].transfer("test.near", GENESIS_YOCTO - 10 * NEAR)
        self.accounts[OUTLAYER].deploy(artifact("outlayer.wasm"), "new", self.names("owner", "operator"))
        if self.with_clients:
            self._deploy_clients()

    def _deploy_clients(self):
        self.accounts["client.test.near"].deploy(artifact("example_client.wasm"), "new", {"oracle_id": OUTLAYER, "source": SOURCE})
        self.accounts["asker.test.near"].deploy(artifact("test_client.wasm"))

    def names(self, *who):
        return {f"{name}_id": f"{name}.test.near" for name in who}

    def account(self, name):
        return self.accounts[name if "." in name else f"{name}.test.near"]

    def call(self, who, method, args=None, *, deposit=0, gas=MAX_GAS, contract_id=OUTLAYER) -> FinalOutcome:
        """Call a method and run to the end; it must not fail."""
        return self.account(who).call(contract_id, method, args or {}, deposit_yocto=deposit, gas=gas).raise_for_failure()

    def refused(self, who, method, args=None, *, deposit=0, gas=MAX_GAS, contract_id=OUTLAYER) -> str:
        """Call a method that must fail; why it did."""
        outcome = self.account(who).call(contract_id, method, args or {}, deposit_yocto=deposit, gas=gas)
        assert outcome.failure is not None, outcome
        return json.dumps(outcome.failure.to_json())

    def view(self, method, contract_id=OUTLAYER, **args):
        """Call a view; its value from JSON, None for nothing."""
        value = self.chain.view(contract_id, method, args).value
        if contract_id == OUTLAYER:
            self.succeeded.add(method)
        return json.loads(value) if value else None

    def ask(self, who="alice", *, deposit=NEAR // 10, gas=MAX_GAS, **changes) -> Asked:
        """Ask for a run; it waits for its answer."""
        before = len(self.events["execution_requested"])
        outcome = self.account(who).call(OUTLAYER, "request_execution", arguments(**changes), deposit_yocto=deposit, gas=gas)
        outcome.raise_for_failure()
        assert len(self.events["execution_requested"]) == before + 1
        return Asked(self.last_request["request_id"], outcome.hash)

    @property
    def last_request(self):
        """`request_data` of the newest request."""
        return json.loads(self.events["execution_requested"][-1]["request_data"])

    def answer(self, request_id, *, success=True, output=None, error=None, used=None, **more) -> FinalOutcome:
        """The operator answers."""
        response = {"success": success, "output": output, "error": error, "resources_used": used or USED, **more}
        return self.call("operator", "resolve_execution", {"request_id": request_id, "response": response})

    def answer_large(self, request_id, output, gas=MAX_GAS) -> FinalOutcome:
        """The operator answers with an output that goes by the contract's state."""
        args = {"request_id": request_id, "success": True, "output": output, "resources_used": USED}
        return self.call("operator", "submit_execution_output_and_resolve", args, gas=gas)

    def result(self, asked):
        """What the caller received, from JSON."""
        return self.chain.transaction(asked.tx_hash).json()

    def outcome(self, request_id):
        return self.view("get_outcome", request_id=request_id)

    def time_out(self, blocks=201):
        """Let the yields that wait time out."""
        self.chain.advance_blocks(blocks, seconds_each=0)
        self.chain.run_until_idle()

    def past_deadline(self):
        """Put the clock beyond the deadline of every request, without the blocks of a time-out."""
        self.chain.advance_time(601)

    def _see(self, block):
        for run in block.executed:
            if run.receipt.receiver_id != OUTLAYER or isinstance(run.outcome.status, Failure):
                continue
            for action in run.receipt.actions:
                if isinstance(action, FunctionCall):
                    self.succeeded.add(action.method_name)
                    self.contract_gas[action.method_name] = run.outcome.gas_burnt
            for log in run.outcome.logs:
                event = json.loads(log.removeprefix("EVENT_JSON:"))
                self.events[event["event"]] += event["data"]
                if event["event"] == "execution_completed":
                    self.completed.update(entry["request_id"] for entry in event["data"])
            if "new" in self.succeeded:
                self.check_law()

    def check_law(self):
        """The contract holds what it owes, and ends no request twice."""
        balances = self.balances()
        assert balances["balance"] >= balances["required"], balances
        assert balances["required"] >= balances["pending_payments"] + balances["claims"] + balances["storage_stake"]
        assert all(times == 1 for times in self.completed.values()), self.completed

    def balances(self):
        told = self.chain.view(OUTLAYER, "get_balances", {}).json()
        self.succeeded.add("get_balances")
        return {name: int(amount) for name, amount in told.items()}

    def exists(self, account_id):
        try:
            self.chain.account(account_id)
        except UnknownAccount:
            return False
        return True

    def total_yocto(self):
        """All money there is, the burnt included; exact while nothing is on its way."""
        held = 0
        for name in self.accounts:
            if self.exists(name):
                held += self.chain.account(name).amount_yocto
        return held + self.chain.burnt_yocto


def arguments(*, limits=LIMITS, source=SOURCE, input_data="hello", **more):
    """Arguments of `request_execution`."""
    return {"source": source, "resource_limits": limits, "input_data": input_data, **more}
