"""The shipped contracts on the chain, through the Python API: real wasm, promises, yields, keys and refunds."""

import json
from importlib.resources import files

import pytest

from localnet import NEAR, TGAS, Account, Chain, KeyPair
from localnet.parameters import parameters
from localnet.runtime.block import minted_yocto
from localnet.runtime.fees import Fees
from localnet.state.tables import Table
from localnet.state.world import World
from localnet.values.actions import FunctionCallPermission
from localnet.values.receipt import ActionReceipt

GENESIS_YOCTO = 10**9 * NEAR + 2 * 1_000 * NEAR
DEPOSIT = NEAR // 10
WASM_URL = {"WasmUrl": {"url": "https://example.com/guest.wasm", "hash": "ab" * 32, "build_target": "wasm32-wasip1"}}
REQUEST = {
    "source": WASM_URL,
    "resource_limits": {"max_instructions": 1_000_000, "max_memory_mb": 16, "max_execution_seconds": 1},
    "input_data": "hello",
}
ANSWER = {"success": True, "output": {"Text": "42"}, "error": None, "resources_used": {"instructions": 500_000, "time_ms": 10}}


def artifact(name):
    return files("localnet").joinpath("contracts", f"{name}.wasm").read_bytes()


@pytest.fixture
def oracle(localnet):
    account = localnet.create_account("outlayer")
    return account.deploy(artifact("outlayer"), "new", {"owner_id": "test.near", "operator_id": "test.near"}, gas=200 * TGAS)


@pytest.fixture
def client(localnet, oracle):
    account = localnet.create_account("client")
    return account.deploy(artifact("example_client"), "new", {"oracle_id": oracle.account_id, "source": WASM_URL})


@pytest.fixture
def alice(localnet):
    return localnet.create_account("alice")


def ask(alice, oracle):
    return alice.call(oracle.account_id, "request_execution", REQUEST, deposit_yocto=DEPOSIT, gas=300 * TGAS)


def resolve(signer: Account, oracle, answer=None, request_id=0):
    arguments = {"request_id": request_id, "response": answer or ANSWER}
    return signer.call(oracle.account_id, "resolve_execution", arguments, gas=100 * TGAS)


def money(chain: Chain, names):
    """What accounts hold and receipts carry, with what was burnt and without what the protocol gave."""
    world, fees = World(chain._store), Fees(parameters())
    accounts = [world.account(name) for name in names]
    held = sum(account.amount_yocto + account.locked_yocto for account in accounts if account is not None)
    waiting = [receipt for _, receipt in world.scan(Table.QUEUE, "")]
    waiting += [receipt for name in names for table in (Table.POSTPONED, Table.YIELD) for _, receipt in world.scan(table, name)]
    carried = sum(fees.money_in(receipt) for receipt in waiting if isinstance(receipt, ActionReceipt))
    return held + carried + chain.burnt_yocto - minted_yocto(world)


NAMES = ("test.near", "near", "registrar", "outlayer.test.near", "client.test.near", "alice.test.near")


def test_a_request_waits_for_its_answer_and_gives_it_to_who_asked(localnet, oracle, alice):
    asked = ask(alice, oracle)
    assert asked.status is None
    assert not localnet.has_work
    event = json.loads(asked.logs[0].removeprefix("EVENT_JSON:"))
    assert event["event"] == "execution_requested"
    before = alice.balance_yocto

    resolve(localnet.root, oracle).raise_for_failure()

    done = localnet.transaction(asked.hash)
    assert done.json() == "42"
    assert not done.pending
    # base 1e21, half of a million instructions for nothing (rounded down), 10 ms at 1e17
    price = 10**21 + 10 * 10**17
    refunded = DEPOSIT - price
    assert alice.balance_yocto - before >= refunded
    assert money(localnet, NAMES) == GENESIS_YOCTO


def test_an_answer_by_somebody_else_is_refused_and_changes_nothing(localnet, oracle, alice):
    asked = ask(alice, oracle)
    outcome = resolve(alice, oracle)
    assert outcome.failure.kind.name == "FunctionCallError"
    assert "Smart contract panicked" in str(outcome.failure)
    assert localnet.transaction(asked.hash).status is None
    assert localnet.view(oracle.account_id, "get_pending_request_ids", {}).json() == [0]


def test_a_second_answer_is_refused(localnet, oracle, alice):
    ask(alice, oracle)
    assert resolve(localnet.root, oracle).succeeded
    assert not resolve(localnet.root, oracle).succeeded
    assert money(localnet, NAMES) == GENESIS_YOCTO


def test_a_request_that_nobody_answers_gives_null_and_the_refund_after_200_blocks(localnet, oracle, alice):
    asked = ask(alice, oracle)
    before = alice.balance_yocto
    localnet.advance_blocks(201)
    localnet.run_until_idle()
    assert localnet.transaction(asked.hash).json() is None
    assert alice.balance_yocto > before + DEPOSIT - 2 * 10**21
    assert money(localnet, NAMES) == GENESIS_YOCTO


def test_a_client_contract_keeps_the_answer_of_its_callback(localnet, oracle, client, alice):
    asked = alice.call(client.account_id, "ask", {"input": "hello"}, deposit_yocto=NEAR, gas=300 * TGAS)
    assert asked.pending
    resolve(localnet.root, oracle).raise_for_failure()
    done = localnet.transaction(asked.hash)
    assert not done.pending
    assert "42" in json.dumps(localnet.view(client.account_id, "get_last").json())
    assert money(localnet, NAMES) == GENESIS_YOCTO


def test_an_operator_s_function_call_key_answers_and_gets_its_allowance_back(localnet, oracle, alice):
    key = KeyPair.random()
    localnet.root.add_key(key.public_key, FunctionCallPermission(10 * NEAR, oracle.account_id, ("resolve_execution",)))
    asked = ask(alice, oracle)
    outcome = resolve(localnet.root.with_key(key), oracle).raise_for_failure()
    assert localnet.transaction(asked.hash).json() == "42"
    left = localnet.access_key("test.near", key.public_key).permission.allowance_yocto
    assert 10 * NEAR - left == outcome.tokens_burnt_yocto


def test_the_registrar_contract_makes_accounts_as_near_cli_asks(localnet, alice):
    key = KeyPair.random()
    arguments = {"new_account_id": "dave.test.near", "new_public_key": str(key.public_key)}
    outcome = alice.call("test.near", "create_account", arguments, deposit_yocto=5 * NEAR)
    assert outcome.json() is True
    dave = Account(localnet, "dave.test.near", key)
    assert dave.balance_yocto == 5 * NEAR
    assert dave.transfer("alice.test.near", 1).succeeded


def test_the_registrar_contract_gives_the_deposit_back_when_the_account_exists(localnet, alice):
    before = alice.balance_yocto
    arguments = {"new_account_id": "alice.test.near", "new_public_key": str(alice.key.public_key)}
    outcome = alice.call("test.near", "create_account", arguments, deposit_yocto=5 * NEAR)
    assert outcome.json() is False
    assert before - alice.balance_yocto < NEAR // 100


def test_what_genesis_puts_under_the_registrar_is_what_its_init_leaves(localnet, alice):
    alice.deploy(artifact("registrar"), "new", {})
    assert localnet.contract_state(alice.account_id) == localnet.contract_state("test.near")
    for name in ("test.near", "near", "registrar"):
        account, fresh = localnet.account(name), localnet.account(alice.account_id)
        assert (account.storage_usage_bytes, account.code_hash) == (fresh.storage_usage_bytes, fresh.code_hash)


def test_the_registrar_contract_makes_no_accounts_of_others(localnet, alice):
    arguments = {"new_account_id": "zoe", "new_public_key": str(alice.key.public_key)}
    outcome = alice.call("registrar", "create_account", arguments, deposit_yocto=NEAR)
    assert "zoe is not a direct sub-account of registrar" in str(outcome.failure)


def test_code_that_is_no_wasm_fails_when_it_is_called(localnet, alice):
    alice.deploy(b"no wasm")
    outcome = alice.call(alice.account_id, "anything")
    assert outcome.failure.kind.facts.keys() == {"CompilationError"}
    assert money(localnet, NAMES) == GENESIS_YOCTO


def test_a_call_with_too_little_gas_burns_it_and_no_more(localnet, oracle, alice):
    outcome = alice.call(oracle.account_id, "request_execution", REQUEST, deposit_yocto=DEPOSIT, gas=TGAS // 2)
    assert outcome.failure.kind.facts == {"ExecutionError": "Exceeded the prepaid gas."}
    executed = outcome.receipt_outcomes[0]
    fixed = parameters().fees.new_action_receipt.execution + Fees(parameters()).execution(outcome.receipts[0].actions[0], oracle.account_id)
    assert executed.gas_burnt == fixed + TGAS // 2
    assert money(localnet, NAMES) == GENESIS_YOCTO


def test_a_chain_in_a_directory_goes_on_with_a_pending_request(tmp_path):
    with Chain(tmp_path) as chain:
        account = chain.create_account("outlayer")
        account.deploy(artifact("outlayer"), "new", {"owner_id": "test.near", "operator_id": "test.near"}, gas=200 * TGAS)
        asked = ask(chain.create_account("alice"), account)
    with Chain(tmp_path) as chain:
        resolve(chain.root, account).raise_for_failure()
        assert chain.transaction(asked.hash).json() == "42"
