"""The judge is py-near's encoder, nearcore's own borsh in Rust."""

import contextlib

import py_near_primitives as near
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from localnet.values.borsh import BorshError
from localnet.values.hashes import CryptoHash
from localnet.values.keys import KeyPair, PublicKey
from localnet.values.transaction import MOST_BYTES_READ, SignedTransaction, Transaction, read_signed_transaction

KEY = KeyPair.from_seed("alice")
OTHER = KeyPair.from_seed("bob").public_key
BLOCK_HASH = CryptoHash(bytes(range(32)))

amounts = st.integers(0, 2**128 - 1)
gas = st.integers(0, 2**64 - 1)
names = st.text(min_size=0, max_size=20)
keys = st.binary(min_size=32, max_size=32).map(PublicKey)
permissions = st.one_of(
    st.just(FullAccess()), st.builds(FunctionCallPermission, st.none() | amounts, names, st.lists(names, max_size=4).map(tuple))
)
actions = st.one_of(
    st.just(CreateAccount()),
    st.builds(DeployContract, st.binary(max_size=50)),
    st.builds(FunctionCall, names, st.binary(max_size=50), gas, amounts),
    st.builds(Transfer, amounts),
    st.builds(Stake, amounts, keys),
    st.builds(AddKey, keys, st.builds(AccessKey, gas, permissions)),
    st.builds(DeleteKey, keys),
    st.builds(DeleteAccount, names),
)
delegates = st.builds(
    Delegate,
    st.builds(DelegateAction, names, names, st.lists(actions, max_size=3).map(tuple), gas, gas, keys),
    st.binary(min_size=64, max_size=64),
)
signers = st.text(min_size=2, max_size=20)  # an id of one byte would look like version 1; no id is so short
transactions = st.builds(
    Transaction,
    signers,
    keys,
    gas,
    names,
    st.binary(min_size=32, max_size=32).map(CryptoHash),
    st.lists(actions | delegates, max_size=5).map(tuple),
)


def theirs(action):  # noqa: PLR0911 (one arm a variant)
    match action:
        case CreateAccount():
            return near.CreateAccountAction()
        case DeployContract(code):
            return near.DeployContractAction(code)
        case FunctionCall(method, args, attached, deposit):
            return near.FunctionCallAction(method, args, attached, deposit)
        case Transfer(deposit):
            return near.TransferAction(deposit)
        case Stake(stake, key):
            return near.StakeAction(stake, key.raw)
        case AddKey(key, AccessKey(nonce, FullAccess())):
            return near.AddKeyAction(key.raw, near.AccessKey(nonce, near.AccessKeyPermissionFieldless.FullAccess))
        case AddKey(key, AccessKey(nonce, FunctionCallPermission(allowance, receiver, methods))):
            return near.AddKeyAction(key.raw, near.AccessKey(nonce, near.FunctionCallPermission(receiver, list(methods), allowance)))
        case DeleteKey(key):
            return near.DeleteKeyAction(key.raw)
        case DeleteAccount(beneficiary):
            return near.DeleteAccountAction(beneficiary)


EVERY_ACTION = (
    CreateAccount(),
    Transfer(10**24),
    DeployContract(b"\0asm"),
    FunctionCall("new", b"{}", 3 * 10**13, 1),
    Stake(5, OTHER),
    AddKey(OTHER, AccessKey(7, FullAccess())),
    AddKey(OTHER, AccessKey(0, FunctionCallPermission(None, "c.near", ()))),
    AddKey(OTHER, AccessKey(0, FunctionCallPermission(10**25, "c.near", ("a", "b")))),
    DeleteKey(OTHER),
    DeleteAccount("bob.near"),
)


def their_transaction(listed):
    return near.Transaction("alice.near", KEY.public_key.raw, 5, "bob.near", BLOCK_HASH, [theirs(action) for action in listed])


@pytest.mark.parametrize("listed", [(action,) for action in EVERY_ACTION] + [EVERY_ACTION, ()])
def test_bytes_hash_and_signature_are_those_of_py_near(listed):
    ours = Transaction("alice.near", KEY.public_key, 5, "bob.near", BLOCK_HASH, listed)
    judge = their_transaction(listed)
    assert ours.hash == bytes(judge.get_hash())
    assert ours.sign(KEY).encoded == bytes(judge.to_vec(KEY.seed + KEY.public_key.raw))


@pytest.mark.parametrize("listed", [(action,) for action in EVERY_ACTION])
def test_what_py_near_sends_is_read(listed):
    signed = read_signed_transaction(bytes(their_transaction(listed).to_vec(KEY.seed + KEY.public_key.raw)))
    assert signed.transaction.actions == listed
    assert signed.is_signed_by_its_key()


def test_the_signed_hash_of_a_meta_transaction_is_py_nears():
    inner = (FunctionCall("ping", b"{}", 10**13, 0), Transfer(5))
    ours = DelegateAction("alice.near", "bob.near", inner, 9, 1000, KEY.public_key)
    judge = near.DelegateAction("alice.near", "bob.near", [theirs(action) for action in inner], 9, 1000, KEY.public_key.raw)
    assert signed_hash(ours) == bytes(judge.get_nep461_hash())


@given(transactions, st.binary(min_size=64, max_size=64))
def test_every_transaction_is_read_back(transaction, signature):
    signed = SignedTransaction(transaction, signature)
    assert read_signed_transaction(signed.encoded) == signed


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_the_typed_error(data):
    with contextlib.suppress(BorshError):
        read_signed_transaction(data)


@given(st.data())
def test_a_damaged_transaction_raises_nothing_but_the_typed_error(data):
    encoded = bytearray(Transaction("alice.near", KEY.public_key, 5, "bob.near", BLOCK_HASH, EVERY_ACTION).sign(KEY).encoded)
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BorshError):
        read_signed_transaction(bytes(encoded[: data.draw(st.integers(0, len(encoded)))]))


def encoded_with(listed=()):
    return Transaction("alice.near", KEY.public_key, 5, "bob.near", BLOCK_HASH, listed).sign(KEY).encoded


def test_bytes_left_over_are_refused():
    with pytest.raises(BorshError, match="1 bytes are left"):
        read_signed_transaction(encoded_with() + b"\0")


def test_another_version_is_named():
    with pytest.raises(BorshError, match="version 1 are not offered"):
        read_signed_transaction(b"\1" + encoded_with())


def test_an_action_that_is_not_offered_is_named():
    place = len(encoded_with()) - 65 - 4
    encoded = bytearray(encoded_with((CreateAccount(),)))
    assert encoded[place : place + 4] == b"\1\0\0\0"
    encoded[place + 4] = 10
    with pytest.raises(BorshError, match="UseGlobalContract is not offered"):
        read_signed_transaction(bytes(encoded))


def test_another_curve_is_named():
    encoded = bytearray(encoded_with())
    encoded[4 + len("alice.near")] = 1
    with pytest.raises(BorshError, match="secp256k1"):
        read_signed_transaction(bytes(encoded))


def test_a_length_that_the_bytes_do_not_have_makes_nothing():
    place = len(encoded_with()) - 65 - 4
    encoded = bytearray(encoded_with())
    encoded[place : place + 4] = (2**32 - 1).to_bytes(4, "little")
    with pytest.raises(BorshError, match="4294967295 actions"):
        read_signed_transaction(bytes(encoded))


def test_bytes_beyond_the_bound_are_not_looked_at():
    with pytest.raises(BorshError, match="at most"):
        read_signed_transaction(bytes(MOST_BYTES_READ + 1))


def test_a_meta_transaction_carries_no_other_one():
    wrapped = DelegateAction("a", "b", (), 1, 1, KEY.public_key)
    outer = DelegateAction("a", "b", (Delegate(wrapped, bytes(64)),), 1, 1, KEY.public_key)
    with pytest.raises(BorshError, match="cannot carry another"):
        read_signed_transaction(encoded_with((Delegate(outer, bytes(64)),)))
