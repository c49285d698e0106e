"""Refusals, in nearcore's names, facts and order (NEAR_FACTS: checking a transaction)."""

from dataclasses import replace

import pytest

from localnet import NEAR, TGAS, InvalidTransaction, KeyPair
from localnet.runtime.transactions import BLOCKS_A_TRANSACTION_LIVES, check_age
from localnet.values.actions import (
    AccessKey,
    AddKey,
    DeleteAccount,
    DeployContract,
    FullAccess,
    FunctionCall,
    FunctionCallPermission,
    Transfer,
)
from localnet.values.hashes import CryptoHash
from localnet.values.transaction import SignedTransaction, Transaction

ONE_YOCTO = Transfer(1)
PING = FunctionCall("ping", b"", 10 * TGAS, 0)


def refusal(submit):
    with pytest.raises(InvalidTransaction) as error:
        submit()
    return error.value.fault.to_json()


def signed(chain, account, *, key=None, nonce=None, receiver="bob.test.near", block_hash=None, actions=(ONE_YOCTO,), signer=None):
    key = key or account.key
    if nonce is None:
        nonce = chain.access_key(account.account_id, account.key.public_key).nonce + 1
    transaction = Transaction(signer or account.account_id, key.public_key, nonce, receiver, block_hash or chain.head.hash, tuple(actions))
    return transaction.sign(key)


def key_error(shape):
    return {"InvalidAccessKeyError": shape}


def test_a_signature_of_something_else_is_refused(chain, alice):
    good = signed(chain, alice)
    assert refusal(lambda: chain.submit(SignedTransaction(good.transaction, bytes(64)))) == "InvalidSignature"


def test_a_nonce_that_was_used_is_refused_with_both_nonces(chain, alice, bob):
    used = chain.access_key(alice.account_id, alice.key.public_key).nonce
    shape = refusal(lambda: chain.submit(signed(chain, alice, nonce=used)))
    assert shape == {"InvalidNonce": {"tx_nonce": used, "ak_nonce": used}}


def test_a_nonce_far_ahead_is_refused_with_its_bound(chain, alice, bob):
    bound = (chain.head.height + 1) * 10**6
    assert refusal(lambda: chain.submit(signed(chain, alice, nonce=bound))) == {"NonceTooLarge": {"tx_nonce": bound, "upper_bound": bound}}
    chain.submit(signed(chain, alice, nonce=bound - 1))


def test_an_unknown_block_is_another_chain(chain, alice):
    assert refusal(lambda: chain.submit(signed(chain, alice, block_hash=CryptoHash(bytes(32))))) == "InvalidChain"


def test_a_transaction_lives_for_86400_blocks():
    check_age(5, 5 + BLOCKS_A_TRANSACTION_LIVES)
    assert refusal(lambda: check_age(5, 5 + BLOCKS_A_TRANSACTION_LIVES + 1)) == "Expired"


def test_an_unknown_signer_is_refused(chain, alice):
    shape = refusal(lambda: chain.submit(signed(chain, alice, signer="nobody.near")))
    assert shape == {"SignerDoesNotExist": {"signer_id": "nobody.near"}}


def test_an_unknown_key_is_refused(chain, alice):
    stranger = KeyPair.from_seed("stranger")
    shape = refusal(lambda: chain.submit(signed(chain, alice, key=stranger)))
    assert shape == key_error({"AccessKeyNotFound": {"account_id": "alice.test.near", "public_key": str(stranger.public_key)}})


def test_too_little_balance_is_refused_with_balance_and_cost(chain, alice, bob):
    balance = alice.balance_yocto
    shape = refusal(lambda: chain.submit(signed(chain, alice, actions=[Transfer(balance)])))
    # 2 x (receipt + transfer): sending at 10**8, executing bought at 10**9.
    cost = balance + (108_059_500_000 + 115_123_062_500) * (10**8 + 10**9)
    assert shape == {"NotEnoughBalance": {"signer_id": "alice.test.near", "balance": str(balance), "cost": str(cost)}}


def test_a_signer_keeps_what_its_storage_needs(chain, contracts, alice, bob):
    alice.deploy(contracts.add())
    alice.send(alice.account_id, [DeployContract(bytes(2000))]).raise_for_failure()
    usage = chain.account(alice.account_id).storage_usage_bytes
    assert usage > 770
    gas = (108_059_500_000 + 115_123_062_500) * (10**8 + 10**9)
    spare = alice.balance_yocto - gas - usage * 10**19
    shape = refusal(lambda: chain.submit(signed(chain, alice, actions=[Transfer(spare + 1)])))
    assert shape == {"LackBalanceForState": {"signer_id": "alice.test.near", "amount": "1"}}
    chain.submit(signed(chain, alice, actions=[Transfer(spare)]))


def test_ids_that_name_no_account_are_refused(chain, alice):
    assert refusal(lambda: chain.submit(signed(chain, alice, receiver="No!"))) == {"InvalidReceiverId": {"receiver_id": "No!"}}
    assert refusal(lambda: chain.submit(signed(chain, alice, signer="A"))) == {"InvalidSignerId": {"signer_id": "A"}}


@pytest.mark.parametrize(
    ("actions", "shape"),
    [
        ([Transfer(1)] * 101, {"TotalNumberOfActionsExceeded": {"total_number_of_actions": 101, "limit": 100}}),
        ([DeleteAccount("bob.near"), Transfer(1)], "DeleteActionMustBeFinal"),
        ([replace(PING, gas=0)], "FunctionCallZeroAttachedGas"),
        (
            [replace(PING, gas=600 * TGAS)] * 2,
            {"TotalPrepaidGasExceeded": {"total_prepaid_gas": 1200 * TGAS, "limit": 1000 * TGAS}},
        ),
        ([replace(PING, method_name="m" * 257)], {"FunctionCallMethodNameLengthExceeded": {"length": 257, "limit": 256}}),
        ([DeleteAccount("NO")], {"InvalidAccountId": {"account_id": "NO"}}),
        (
            [AddKey(KeyPair.from_seed("k").public_key, AccessKey(0, FunctionCallPermission(None, "c.near", tuple(["m" * 200] * 10))))],
            {"AddKeyMethodNamesNumberOfBytesExceeded": {"total_number_of_bytes": 2010, "limit": 2000}},
        ),
    ],
)
def test_actions_beyond_the_limits_are_refused(chain, alice, actions, shape):
    assert refusal(lambda: chain.submit(signed(chain, alice, actions=actions))) == {"ActionsValidation": shape}


def test_a_transaction_beyond_the_size_limit_is_refused(chain, alice):
    shape = refusal(lambda: chain.submit(signed(chain, alice, actions=[DeployContract(bytes(1_572_864))])))
    size = shape["TransactionSizeExceeded"]["size"]
    assert shape == {"TransactionSizeExceeded": {"size": size, "limit": 1_572_864}}


@pytest.fixture
def call_key(alice):
    key = KeyPair.from_seed("call key")
    alice.add_key(key.public_key, FunctionCallPermission(NEAR, "bob.test.near", ("ping",))).raise_for_failure()
    return alice.with_key(key)


@pytest.mark.parametrize(
    ("receiver", "actions", "shape"),
    [
        ("bob.test.near", [PING, PING], "RequiresFullAccess"),
        ("bob.test.near", [AddKey(KeyPair.from_seed("x").public_key, AccessKey(0, FullAccess()))], "RequiresFullAccess"),
        ("bob.test.near", [replace(PING, deposit_yocto=1)], "DepositWithFunctionCall"),
        ("near", [PING], {"ReceiverMismatch": {"tx_receiver": "near", "ak_receiver": "bob.test.near"}}),
        ("bob.test.near", [replace(PING, method_name="pong")], {"MethodNameMismatch": {"method_name": "pong"}}),
    ],
)
@pytest.mark.usefixtures("bob")
def test_a_function_call_key_may_do_no_more_than_it_says(chain, call_key, receiver, actions, shape):
    assert refusal(lambda: chain.submit(signed(chain, call_key, receiver=receiver, actions=actions))) == key_error(shape)


def test_a_call_beyond_the_allowance_is_refused_with_the_figures(chain, call_key, bob):
    actions = [replace(PING, gas=1000 * TGAS)]
    shape = refusal(lambda: chain.submit(signed(chain, call_key, actions=actions)))["InvalidAccessKeyError"]["NotEnoughAllowance"]
    assert (shape["account_id"], shape["allowance"]) == ("alice.test.near", str(NEAR))
    assert int(shape["cost"]) > 1000 * TGAS * 10**9


def test_a_call_takes_its_cost_from_the_allowance_and_refunds_give_it_back(chain, contracts, call_key, bob):
    bob.deploy(contracts.add(ping=lambda call: b"pong"))
    before = chain.account("alice.test.near").amount_yocto
    outcome = call_key.call("bob.test.near", "ping", gas=300 * TGAS)
    assert outcome.value == b"pong"
    spent = before - chain.account("alice.test.near").amount_yocto
    left = chain.access_key("alice.test.near", call_key.key.public_key).permission.allowance_yocto
    assert (spent, left) == (outcome.tokens_burnt_yocto, NEAR - outcome.tokens_burnt_yocto)


def test_a_key_without_an_allowance_has_no_limit(chain, contracts, alice, bob):
    bob.deploy(contracts.add(ping=lambda call: b"pong"))
    key = KeyPair.from_seed("unlimited")
    alice.add_key(key.public_key, FunctionCallPermission(None, "bob.test.near", ()))
    assert alice.with_key(key).call("bob.test.near", "ping").value == b"pong"
    assert chain.access_key(alice.account_id, key.public_key).permission.allowance_yocto is None


def test_a_transaction_that_became_invalid_while_it_waited_is_remembered_with_its_reason(chain, alice, bob):
    first = signed(chain, alice, actions=[Transfer(600 * NEAR)])
    second = signed(chain, alice, nonce=first.transaction.nonce + 1, actions=[Transfer(600 * NEAR)])
    chain.submit(first)
    chain.submit(second)
    chain.run_until_idle()
    assert chain.transaction(first.hash).succeeded
    assert refusal(lambda: chain.transaction(second.hash)).keys() == {"NotEnoughBalance"}


def test_the_transactions_of_a_key_run_by_nonce_whatever_order_they_came_in(chain, alice, bob):
    first = signed(chain, alice)
    later = [signed(chain, alice, nonce=first.transaction.nonce + step) for step in (3, 1, 2)]
    for transaction in [*later, first]:
        chain.submit(transaction)
    block = chain.produce_block()
    nonces = [done.signed.transaction.nonce for done in block.transactions]
    assert nonces == sorted(nonces)
    assert len(nonces) == 4


def test_sending_a_transaction_twice_runs_it_once(chain, alice, bob):
    transaction = signed(chain, alice, actions=[Transfer(NEAR)])
    before = bob.balance_yocto
    assert chain.submit(transaction) == chain.submit(transaction)
    chain.run_until_idle()
    chain.submit(transaction)
    chain.run_until_idle()
    assert bob.balance_yocto == before + NEAR
