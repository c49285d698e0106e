"""Laws that hold whatever is done to the contract in whatever order, found by trying to break them."""

import contextlib
import json

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from localnet import NEAR, TGAS, InvalidTransaction
from localnet.values.actions import DeleteAccount, FunctionCall
from tests.acceptance.contract.stage import OUTLAYER, SOURCE, USED, Stage, arguments

people = st.sampled_from(["alice", "bob", "operator"])
deposits = st.sampled_from([NEAR // 500, NEAR // 10, 2 * NEAR])
inputs = st.sampled_from([0, 100, 10_000])
outputs = st.sampled_from([None, {"Text": "short"}, {"Text": "l" * 3_000}, {"Bytes": [255]}])
any_request = st.integers(0, 7)


class Contract(RuleBasedStateMachine):
    """Everything is sent without looking whether it may succeed; blocks are made when a rule says so."""

    def __init__(self):
        super().__init__()
        self.stage = Stage()
        self.asked = []

    def send(self, who, method, args, deposit=0, gas=100 * TGAS):
        if not self.stage.exists(f"{who}.test.near"):
            return
        account = self.stage.account(who)
        tx_hash = account.submit(OUTLAYER, (FunctionCall(method, json.dumps(args).encode(), gas, deposit),))
        if method == "request_execution":
            self.asked.append(tx_hash)

    @initialize(payers=st.lists(people, min_size=1, max_size=5))
    def begin(self, payers):
        for payer in payers:
            self.ask("alice", payer, NEAR, 100, compile_only=False)
        self.stage.chain.run_until_idle()

    @rule(who=people, payer=people, deposit=deposits, length=inputs, compile_only=st.booleans())
    def ask(self, who, payer, deposit, length, compile_only):
        changes = {"limits": None, "input_data": ""} if compile_only else {"input_data": "i" * length}
        self.send(who, "request_execution", arguments(payer_account_id=f"{payer}.test.near", **changes), deposit)

    @rule(request_id=any_request, success=st.booleans(), output=outputs, time_ms=st.sampled_from([0, 20, 10**9]))
    def answer(self, request_id, success, output, time_ms):
        response = {"success": success, "output": output, "error": None, "resources_used": USED | {"time_ms": time_ms}}
        self.send("operator", "resolve_execution", {"request_id": request_id, "response": response})

    @rule(request_id=any_request, output=outputs.filter(bool))
    def submit_output(self, request_id, output):
        self.send("operator", "submit_execution_output", {"request_id": request_id, "output": output})

    @rule(request_id=any_request)
    def extend(self, request_id):
        self.send("operator", "extend_execution", {"request_id": request_id})

    @rule(request_id=any_request)
    def owner_cancels(self, request_id):
        self.send("owner", "cancel_pending_requests", {"request_ids": [request_id, request_id]})

    @rule(who=people, request_id=any_request)
    def take_back(self, who, request_id):
        self.send(who, "cancel_stale_execution", {"request_id": request_id})
        self.send(who, "claim_refund", {})

    @rule(call=st.sampled_from([("withdraw_fees", {}), ("set_pricing", {"base_fee": "0"}), ("set_pricing", {"base_fee": str(10**22)})]))
    def owner_sets(self, call):
        self.send("owner", *call)

    @rule(who=people, what=st.sampled_from(["store_secrets", "delete_secrets", "create_project", "delete_project"]))
    def storage(self, who, what):
        secret = {"accessor": {"WasmHash": {"hash": "ab" * 32}}, "profile": "a"}
        args = {
            "store_secrets": secret | {"encrypted_secrets_base64": "c2VhbGVk", "access": "AllowAll"},
            "delete_secrets": secret,
            "create_project": {"name": "p", "source": SOURCE},
            "delete_project": {"project_name": "p"},
        }
        self.send(who, what, args[what], 0 if what.startswith("delete") else NEAR // 20)

    @precondition(lambda self: self.stage.exists("bob.test.near"))
    @rule()
    def bob_goes(self):
        self.stage.account("bob").submit("bob.test.near", (DeleteAccount("test.near"),))

    @precondition(lambda self: not self.stage.exists("bob.test.near"))
    @rule()
    def bob_comes_back(self):
        self.stage.accounts["bob.test.near"] = self.stage.account("test.near").create_account(
            "bob.test.near", balance_yocto=100 * NEAR, key=self.stage.account("alice").key
        )

    @rule(count=st.sampled_from([1, 2, 10, 201]))
    def blocks(self, count):
        self.stage.chain.advance_blocks(count, seconds_each=0)

    @rule()
    def past_deadline(self):
        self.stage.past_deadline()

    @invariant()
    def what_is_owed_is_covered_and_nothing_ends_twice(self):
        self.stage.check_law()

    @invariant()
    def each_request_is_pending_or_ended(self):
        made = {json.loads(event["request_data"])["request_id"] for event in self.stage.events["execution_requested"]}
        pending = set(self.stage.view("get_pending_request_ids", limit=500))
        assert pending == made - set(self.stage.completed)
        assert self.stage.balances()["pending_count"] == len(pending)

    @invariant()
    def what_an_end_tells_adds_up_to_its_payment(self):
        paid = {request["request_id"]: int(request["payment"]) for request in self.requests()}
        for event in self.stage.events["execution_completed"]:
            assert int(event["payment_charged"]) + int(event["payment_refunded"]) == paid[event["request_id"]]

    def requests(self):
        return [json.loads(event["request_data"]) for event in self.stage.events["execution_requested"]]

    def teardown(self):
        """In the end all yields time out: then everybody has heard, and no money has appeared or vanished."""
        for _ in range(3):
            self.stage.time_out()
        assert self.stage.view("get_pending_request_ids") == []
        for tx_hash in self.asked:
            # Bob may have gone before his transaction was taken; then no block has it.
            with contextlib.suppress(InvalidTransaction):
                assert self.stage.chain.transaction(tx_hash).status is not None
        assert self.stage.balances()["pending_payments"] == 0
        assert self.stage.total_yocto() == self.stage.supply
        self.stage.check_law()


TestContract = Contract.TestCase
TestContract.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
