"""Laws that hold after any sequence of transactions, found by trying to break them."""

from collections import Counter

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from localnet import NEAR, TGAS, Chain, GenesisAccount, InvalidTransaction, KeyPair
from localnet.parameters import parameters
from localnet.runtime.fees import Fees
from localnet.runtime.twin import Panic, PythonContracts
from localnet.state.tables import Table
from localnet.state.world import World
from localnet.values.actions import (
    AccessKey,
    AddKey,
    CreateAccount,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    FunctionCall,
    FunctionCallPermission,
    Stake,
    Transfer,
)
from localnet.values.outcome import Failure
from localnet.values.receipt import ActionReceipt
from localnet.vm import ReceiptIndex

NAMES = ("test.near", "a.test.near", "b.test.near", "c.test.near", "d.a.test.near", "ab" * 32, "nobody")
KEY = KeyPair.from_seed("root")
CALL_KEY = KeyPair.from_seed("calls")
GENESIS = 10**6 * NEAR

receivers = st.sampled_from(NAMES)
amounts = st.sampled_from([0, 0, 1, NEAR // 3, 50 * NEAR])
methods = st.sampled_from(["pay", "fail", "write", "chain", "wait", "resume", "missing"])
calls = st.builds(
    FunctionCall, methods, st.sampled_from([b"", b"test.near", b"b.test.near"]), st.sampled_from([5 * TGAS, 60 * TGAS]), amounts
)
others = st.one_of(
    st.builds(Transfer, amounts),
    st.just(CreateAccount()),
    st.just(AddKey(KEY.public_key, AccessKey(0, FunctionCallPermission(None, "b.test.near", ())))),
    st.just(AddKey(CALL_KEY.public_key, AccessKey(0, FunctionCallPermission(NEAR, "b.test.near", ())))),
    st.just(DeleteKey(CALL_KEY.public_key)),
    st.builds(DeployContract, st.sampled_from([b"python contract 0", bytes(3000)])),
    st.builds(Stake, amounts, st.just(KEY.public_key)),
)
batches = st.lists(calls, min_size=1, max_size=3) | st.lists(others | calls, min_size=1, max_size=2)


def pay(me):
    me.promise(me.context.input.decode() or "a.test.near", Transfer(me.context.attached_deposit_yocto // 2))


def fail(me):
    me.write(b"never", b"kept")
    raise Panic("as asked")


def write(me):
    me.write(b"count", (me.read(b"count") or b"") + b"x")


def chained(me):
    target = me.context.input.decode() or "b.test.near"
    first = me.promise(target, FunctionCall("fail", b"", 3 * TGAS, me.context.attached_deposit_yocto))
    second = me.promise("a.test.near", FunctionCall("write", b"", 3 * TGAS, 0), after=(first,))
    return ReceiptIndex(second)


def wait(me):
    index, data_id = me.yield_create("write", b"", 3 * TGAS)
    me.write(b"data id", data_id)
    return ReceiptIndex(index)


def resume(me):
    me.yield_resume(me.read(b"data id") or bytes(32), b"answer")


class Ledger(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        machine = PythonContracts()
        code = machine.add(pay=pay, fail=fail, write=write, chain=chained, wait=wait, resume=resume)
        self.time = 10**18
        accounts = tuple(GenesisAccount(name, GENESIS, KEY.public_key, code) for name in NAMES[:4])
        self.chain = Chain(key=KEY, accounts=accounts, clock=lambda: self.time, machine=machine)
        self.nonces = Counter()
        self.seen = Counter()

    def account(self, name, key=KEY):
        account = type(self.chain.root)(self.chain, name, key)
        account._last_nonce = self.nonces[name, key.public_key]
        return account

    @rule(signer=st.sampled_from(NAMES[:4]), receiver=receivers, listed=batches, use_call_key=st.booleans())
    def send(self, signer, receiver, listed, use_call_key):
        account = self.account(signer, CALL_KEY if use_call_key else KEY)
        try:
            account.submit(receiver, listed)
        except (InvalidTransaction, LookupError):
            pass
        except Exception as error:
            if type(error).__name__ not in {"UnknownAccessKey", "UnknownAccount"}:
                raise
        self.nonces[signer, account.key.public_key] = account._last_nonce

    @rule(name=st.sampled_from(NAMES[2:4]), beneficiary=receivers)
    def delete(self, name, beneficiary):
        self.send(name, name, [DeleteAccount(beneficiary)], use_call_key=False)

    @rule(count=st.integers(1, 4))
    def blocks(self, count):
        for _ in range(count):
            self.chain.produce_block()

    @rule()
    def idle(self):
        self.chain.run_until_idle()

    @rule()
    def time_out(self):
        self.chain.advance_blocks(201)

    @invariant()
    def no_money_appears_or_vanishes(self):
        store = self.chain._store
        held = travelling = 0
        fees = Fees(parameters())
        for (table, _), rows in store._rows.items():
            if table == Table.ACCOUNT:
                held += sum(account.amount_yocto + account.locked_yocto for account in rows.values())
            elif table in {Table.QUEUE, Table.POSTPONED, Table.YIELD}:
                travelling += sum(fees.money_in(receipt) for receipt in rows.values() if isinstance(receipt, ActionReceipt))
        assert held + travelling + self.chain.burnt_yocto == 4 * GENESIS

    @invariant()
    def a_failed_call_left_nothing(self):
        for name in NAMES:
            assert World(self.chain._store).data(name, b"never") is None

    @invariant()
    def storage_usage_is_what_is_stored(self):
        world = World(self.chain._store)
        for name in NAMES[:4]:
            account = world.account(name)
            if account is None:
                continue
            stored = 100 + len(world.code(name) or b"")
            stored += sum(len(key) + len(value) + 40 for key, value in world.scan(Table.DATA, name))
            keys = self.chain.access_keys(name)
            stored += sum(key_bytes(entry.access_key) for entry in keys)
            assert stored == account.storage_usage_bytes

    @invariant()
    def nonces_only_rise_while_a_key_lives(self):
        for name in NAMES[:4]:
            key = World(self.chain._store).access_key(name, KEY.public_key)
            if key is not None:
                assert key.nonce >= self.seen[name]
                self.seen[name] = key.nonce

    def teardown(self):
        self.chain.run_until_idle()
        self.chain.advance_blocks(202)
        self.chain.run_until_idle()
        self.no_money_appears_or_vanishes()
        waiting = (Table.YIELD, Table.YIELD_STATUS, Table.YIELD_TIMEOUT, Table.POSTPONED, Table.AWAITING, Table.PENDING_COUNT, Table.QUEUE)
        assert not [table for table, _ in self.chain._store._rows if table in waiting]
        for height in range(self.chain.head.height + 1):
            for run in self.chain.block(height).executed:
                assert run.outcome.gas_burnt > 0
                if isinstance(run.outcome.status, Failure):
                    assert all(self.chain.receipt(made).predecessor_id == "system" for made in run.outcome.receipt_ids)


def key_bytes(access_key):
    permission = access_key.permission
    if not isinstance(permission, FunctionCallPermission):
        return 33 + 8 + 1 + 40
    allowance = 1 if permission.allowance_yocto is None else 17
    return 33 + 8 + 1 + allowance + 4 + len(permission.receiver_id) + 4 + 40


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
