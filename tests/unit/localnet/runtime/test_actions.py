"""What actions do, and what stops them (NEAR_FACTS: permissions, batch, storage)."""

import pytest

from localnet import NEAR, KeyPair
from localnet.runtime.delegate import signed_hash
from localnet.values.actions import (
    AccessKey,
    AddKey,
    CreateAccount,
    Delegate,
    DelegateAction,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    FullAccess,
    FunctionCall,
    FunctionCallPermission,
    Stake,
    Transfer,
)
from localnet.values.errors import UnknownAccessKey, UnknownAccount

KEY = KeyPair.from_seed("new key").public_key
FULL = AddKey(KEY, AccessKey(0, FullAccess()))


def failure(outcome):
    error = outcome.failure
    assert error is not None
    return error.index, error.kind.to_json()


def test_an_account_is_made_with_its_balance_and_key(chain, alice):
    outcome = alice.send("sub.alice.test.near", [CreateAccount(), Transfer(5 * NEAR), FULL])
    assert outcome.succeeded
    account = chain.account("sub.alice.test.near")
    # account 100; key 33 + nonce 8 + permission 1 + record 40
    assert (account.amount_yocto, account.storage_usage_bytes) == (5 * NEAR, 182)


def test_making_an_account_costs_7_millinear_in_all(chain, alice):
    before = alice.balance_yocto
    outcome = alice.send("sub.alice.test.near", [CreateAccount()])
    spent = before - alice.balance_yocto
    assert outcome.succeeded
    assert spent == outcome.tokens_burnt_yocto
    create = outcome.receipt_outcomes[0]
    # The charge stands in for the price of create_account's execution; the rest is burnt at 10**8.
    assert create.tokens_burnt_yocto == create.gas_burnt * 10**8 + 7 * 10**21 - 7_200_000_000_000 * 10**8


def test_a_new_keys_nonce_begins_at_the_height_whatever_the_action_says(chain, alice):
    outcome = alice.send(alice.account_id, [AddKey(KEY, AccessKey(77, FullAccess()))])
    height = outcome.receipt_outcomes[0].block_height
    assert chain.access_key(alice.account_id, KEY).nonce == (height - 1) * 10**6


@pytest.mark.parametrize(
    ("account_id", "kind"),
    [
        ("alice.test.near", {"AccountAlreadyExists": {"account_id": "alice.test.near"}}),
        ("other.near", {"CreateAccountNotAllowed": {"account_id": "other.near", "predecessor_id": "alice.test.near"}}),
        ("a.b.alice.test.near", {"CreateAccountNotAllowed": {"account_id": "a.b.alice.test.near", "predecessor_id": "alice.test.near"}}),
        (
            "top",
            {
                "CreateAccountOnlyByRegistrar": {
                    "account_id": "top",
                    "registrar_account_id": "registrar",
                    "predecessor_id": "alice.test.near",
                }
            },
        ),
        ("0" * 64, {"OnlyImplicitAccountCreationAllowed": {"account_id": "0" * 64}}),
    ],
)
def test_an_account_is_made_only_by_who_may(alice, account_id, kind):
    assert failure(alice.send(account_id, [CreateAccount()])) == (0, kind)


def test_the_registrar_makes_top_level_accounts(chain):
    registrar = chain.root.__class__(chain, "registrar", chain.root.key)
    assert registrar.send("top", [CreateAccount(), Transfer(NEAR)]).succeeded
    assert chain.account("top").amount_yocto == NEAR


@pytest.mark.parametrize("action", [Transfer(1), FunctionCall("m", b"", 10**12, 0), FULL, DeployContract(b"x"), DeleteAccount("near")])
def test_a_missing_account_can_do_nothing(alice, action):
    assert failure(alice.send("nobody.test.near", [action])) == (0, {"AccountDoesNotExist": {"account_id": "nobody.test.near"}})


@pytest.mark.parametrize("action", [FULL, DeleteKey(KEY), DeployContract(b"x"), Stake(1, KEY), DeleteAccount("near")])
def test_only_the_account_itself_may_change_its_keys_code_and_stake(alice, bob, action):
    assert failure(alice.send("bob.test.near", [action])) == (
        0,
        {"ActorNoPermission": {"account_id": "bob.test.near", "actor_id": "alice.test.near"}},
    )


def test_a_lone_transfer_makes_an_implicit_account(chain, alice):
    key = KeyPair.from_seed("implicit")
    name = key.public_key.raw.hex()
    assert alice.transfer(name, NEAR).succeeded
    account = chain.account(name)
    assert (account.amount_yocto, account.storage_usage_bytes) == (NEAR, 182)
    assert chain.root.__class__(chain, name, key).transfer("alice.test.near", 1).succeeded


def test_an_implicit_account_is_not_made_in_a_batch(alice):
    outcome = alice.send("0" * 64, [Transfer(1), Transfer(1)])
    assert failure(outcome) == (0, {"AccountDoesNotExist": {"account_id": "0" * 64}})


def test_a_failing_action_undoes_the_whole_receipt_and_gives_the_deposits_back(chain, alice, bob):
    before, supply = alice.balance_yocto, chain.burnt_yocto
    outcome = alice.send("bob.test.near", [Transfer(5 * NEAR), DeployContract(b"x")])
    assert failure(outcome)[0] == 1
    assert bob.balance_yocto == 1000 * NEAR
    assert before - alice.balance_yocto == outcome.tokens_burnt_yocto == chain.burnt_yocto - supply


def test_keys_are_added_once_and_deleted_once(chain, alice):
    me = alice.account_id
    usage = chain.account(me).storage_usage_bytes
    assert alice.send(me, [FULL]).succeeded
    assert failure(alice.send(me, [FULL])) == (0, {"AddKeyAlreadyExists": {"account_id": me, "public_key": str(KEY)}})
    assert alice.send(me, [DeleteKey(KEY)]).succeeded
    assert failure(alice.send(me, [DeleteKey(KEY)])) == (0, {"DeleteKeyDoesNotExist": {"account_id": me, "public_key": str(KEY)}})
    assert chain.account(me).storage_usage_bytes == usage
    with pytest.raises(UnknownAccessKey):
        chain.access_key(me, KEY)


def test_an_accounts_keys_are_listed(chain, alice):
    alice.add_key(KEY, FunctionCallPermission(None, "c.near", ("a",)))
    listed = {str(entry.public_key): entry.access_key.permission for entry in chain.access_keys(alice.account_id)}
    assert listed == {str(alice.key.public_key): FullAccess(), str(KEY): FunctionCallPermission(None, "c.near", ("a",))}


def test_a_deleted_account_leaves_nothing_but_its_balance_to_the_beneficiary(chain, contracts, alice, bob):
    alice.deploy(contracts.add(put=lambda call: call.write(b"k", b"v")))
    assert alice.call(alice.account_id, "put").succeeded
    assert chain.contract_state(alice.account_id) == ((b"k", b"v"),)
    before, holds = bob.balance_yocto, alice.balance_yocto
    outcome = alice.send(alice.account_id, [DeleteAccount("bob.test.near")])
    assert outcome.succeeded
    with pytest.raises(UnknownAccount):
        chain.account(alice.account_id)
    # The gas refund finds nobody and is burnt; what the account held when the action ran is the beneficiary's.
    cost = (108_059_500_000 + 147_489_000_000) * (10**8 + 10**9)
    assert bob.balance_yocto - before == holds - cost
    recreated = chain.create_account("alice")
    assert chain.contract_state(recreated.account_id) == ()


def test_a_large_account_is_not_deleted(alice, contracts):
    alice.deploy(contracts.add(put=lambda call: call.write(b"k", bytes(10_001))))
    assert alice.call(alice.account_id, "put").succeeded
    kind = {"DeleteAccountWithLargeState": {"account_id": alice.account_id}}
    assert failure(alice.send(alice.account_id, [DeleteAccount("near")])) == (0, kind)


def test_a_refund_to_nobody_is_burnt_and_fails_in_its_outcome(chain, alice):
    outcome = alice.send(alice.account_id, [DeleteAccount("nobody.near")])
    assert outcome.succeeded
    assert [run.status.error.kind.name for run in outcome.receipt_outcomes[1:]] == ["AccountDoesNotExist"] * 2


def test_staked_tokens_are_locked_and_come_back(chain, alice):
    me = alice.account_id
    assert alice.send(me, [Stake(100 * NEAR, KEY)]).succeeded
    assert chain.account(me).locked_yocto == 100 * NEAR
    assert failure(alice.send(me, [DeleteAccount("near")])) == (0, {"DeleteAccountStaking": {"account_id": me}})
    assert alice.send(me, [Stake(0, KEY)]).succeeded
    assert chain.account(me).locked_yocto == 0
    assert failure(alice.send(me, [Stake(0, KEY)])) == (0, {"TriesToUnstake": {"account_id": me}})
    assert failure(alice.send(me, [Stake(10**9 * NEAR, KEY)]))[1].keys() == {"TriesToStake"}


def test_an_account_must_hold_what_its_storage_needs(chain, alice):
    poor = alice.create_account("poor.alice.test.near", balance_yocto=NEAR)
    outcome = poor.send(poor.account_id, [DeployContract(bytes(200_000))])
    index, kind = failure(outcome)
    assert index is None
    assert kind["LackBalanceForState"]["account_id"] == poor.account_id
    assert int(kind["LackBalanceForState"]["amount"]) > NEAR
    assert chain.account(poor.account_id).code_hash == bytes(32)


def test_a_small_account_needs_no_balance(chain, alice):
    assert alice.send("empty.alice.test.near", [CreateAccount(), FULL]).succeeded
    assert chain.account("empty.alice.test.near").amount_yocto == 0


def delegate(chain, sender, actions, *, receiver="near", nonce=None, until=None, key=None):
    key = key or sender.key
    used = chain.access_key(sender.account_id, sender.key.public_key).nonce
    action = DelegateAction(
        sender.account_id,
        receiver,
        tuple(actions),
        used + 1 if nonce is None else nonce,
        chain.head.height + 100 if until is None else until,
        key.public_key,
    )
    return Delegate(action, key.sign(signed_hash(action)))


def test_a_meta_transaction_is_paid_by_the_relayer_and_done_in_the_senders_name(chain, alice, bob):
    before_alice, before_near = alice.balance_yocto, chain.account("near").amount_yocto
    before_bob = bob.balance_yocto
    outcome = bob.send(alice.account_id, [delegate(chain, alice, [Transfer(NEAR)])])
    assert outcome.succeeded
    assert [receipt.predecessor_id for receipt in outcome.receipts][:2] == ["bob.test.near", "alice.test.near"]
    assert alice.balance_yocto == before_alice
    assert chain.account("near").amount_yocto == before_near + NEAR
    assert before_bob - bob.balance_yocto == NEAR + outcome.tokens_burnt_yocto


def test_a_meta_transaction_that_is_replayed_or_forged_or_late_is_refused(chain, alice, bob):
    once = delegate(chain, alice, [Transfer(1)])
    assert bob.send(alice.account_id, [once]).succeeded
    assert failure(bob.send(alice.account_id, [once]))[1].keys() == {"DelegateActionInvalidNonce"}
    forged = Delegate(delegate(chain, alice, [Transfer(2)]).delegate_action, once.signature)
    assert failure(bob.send(alice.account_id, [forged])) == (0, "DelegateActionInvalidSignature")
    assert failure(bob.send(alice.account_id, [delegate(chain, alice, [Transfer(1)], until=1)])) == (0, "DelegateActionExpired")
    wrong = failure(bob.send("near", [delegate(chain, alice, [Transfer(1)])]))[1]
    assert wrong == {"DelegateActionSenderDoesNotMatchTxReceiver": {"sender_id": "alice.test.near", "receiver_id": "near"}}
    stranger = failure(bob.send(alice.account_id, [delegate(chain, alice, [Transfer(1)], key=KeyPair.from_seed("s"))]))[1]
    assert stranger["DelegateActionAccessKeyError"].keys() == {"AccessKeyNotFound"}
