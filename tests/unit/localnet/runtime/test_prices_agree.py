"""What the virtual machine reserves for a receipt is what the runtime says the receipt carries; else money appears or vanishes."""

import pytest
import wasmtime

from localnet import NEAR, TGAS, Chain, GenesisAccount, KeyPair
from localnet.runtime.genesis import ROOT_ACCOUNT_ID
from localnet.state.tables import Table
from localnet.vm import Vm

KEY = KeyPair.from_seed("root")
KINDS = {
    "named and missing": b"nobody.near",
    "the contract itself": b"payer.near",
    "near-implicit": b"ab" * 32,
    "ethereum-like": b"0x" + b"ab" * 20,
    "deterministic": b"0s" + b"ab" * 20,
    "universal": b"0u" + b"0" * 52,
}

PAY = wasmtime.wat2wasm("""(module
  (import "env" "input" (func $input (param i64)))
  (import "env" "promise_batch_create" (func $create (param i64 i64) (result i64)))
  (import "env" "promise_batch_action_transfer" (func $transfer (param i64 i64)))
  (import "env" "promise_batch_action_add_key_with_full_access" (func $add_key (param i64 i64 i64 i64)))
  (import "env" "promise_batch_action_create_account" (func $account (param i64)))
  (import "env" "promise_batch_action_deploy_contract" (func $deploy (param i64 i64 i64)))
  (import "env" "promise_batch_action_delete_key" (func $delete_key (param i64 i64 i64)))
  (import "env" "promise_batch_action_stake" (func $stake (param i64 i64 i64 i64)))
  (import "env" "promise_batch_action_delete_account" (func $delete (param i64 i64 i64)))
  (import "env" "promise_batch_action_function_call" (func $call (param i64 i64 i64 i64 i64 i64 i64)))
  (import "env" "promise_batch_action_add_key_with_function_call" (func $add_call_key (param i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (memory 1024)
  (data (i32.const 0) "\\01\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00")
  (data (i32.const 64) "near")
  (data (i32.const 80) "some,names")
  (func $to (result i64)
    (call $input (i64.const 0))
    (call $create (i64.const -1) (i64.const 0)))
  (func (export "transfer") (call $transfer (call $to) (i64.const 0)))
  (func (export "everything") (local $p i64)
    (local.set $p (call $to))
    (call $account (local.get $p))
    (call $transfer (local.get $p) (i64.const 0))
    (call $deploy (local.get $p) (i64.const 100) (i64.const 0))
    (call $add_key (local.get $p) (i64.const 33) (i64.const 200) (i64.const 0))
    (call $add_call_key (local.get $p) (i64.const 33) (i64.const 200) (i64.const 0) (i64.const 0)
      (i64.const 4) (i64.const 64) (i64.const 10) (i64.const 80))
    (call $delete_key (local.get $p) (i64.const 33) (i64.const 200))
    (call $stake (local.get $p) (i64.const 0) (i64.const 33) (i64.const 200))
    (call $call (local.get $p) (i64.const 4) (i64.const 64) (i64.const 10) (i64.const 80) (i64.const 0) (i64.const 5000000000000))
    (call $delete (local.get $p) (i64.const 4) (i64.const 64))))
""")


@pytest.fixture(scope="module")
def machine():
    return Vm()


@pytest.fixture
def chain(machine):
    accounts = (
        GenesisAccount(ROOT_ACCOUNT_ID, 1000 * NEAR, KEY.public_key, None),
        GenesisAccount("payer.near", 1000 * NEAR, KEY.public_key, bytes(PAY)),
    )
    return Chain(key=KEY, accounts=accounts, machine=machine)


def money(chain):
    accounts = [account for (table, _), rows in chain._store._rows.items() if table == Table.ACCOUNT for account in rows.values()]
    return sum(account.amount_yocto + account.locked_yocto for account in accounts) + chain.burnt_yocto


@pytest.mark.parametrize("method", ["transfer", "everything"])
@pytest.mark.parametrize("receiver", KINDS.values(), ids=KINDS)
def test_a_contract_s_receipt_costs_what_is_bought_for_it(chain, receiver, method):
    outcome = chain.root.call("payer.near", method, receiver, gas=100 * TGAS)
    assert outcome.succeeded
    assert len(outcome.receipt_outcomes) > 2
    assert money(chain) == 2000 * NEAR


@pytest.mark.parametrize("kind", ["near-implicit", "ethereum-like", "deterministic", "universal"])
def test_a_contract_s_transfer_makes_each_implicit_account(chain, kind):
    chain.root.call("payer.near", "transfer", KINDS[kind], gas=100 * TGAS).raise_for_failure()
    assert chain.account(KINDS[kind].decode()).amount_yocto == 1
