"""Transactions to the byte, as near-primitives writes and tells them (tests/vectors/light_client)."""

import copy
import json
from pathlib import Path

import base58
import pytest

from oracle.near.signed import MAX_SIGNED_BYTES, NoTransaction, base58_bytes, read_signed, told_by_node

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "light_client" / "proofs.json").read_text())["transactions"]
CALLS, TRANSFER = VECTORS[:3], VECTORS[3]
REFERENCE = base58.b58decode(CALLS[0]["block_hash"])


@pytest.mark.parametrize("vector", CALLS, ids=["one call", "two calls", "an empty call"])
def test_a_signed_transaction_is_read_as_nearcore_writes_it(vector):
    view, signed = vector["view"], read_signed(bytes.fromhex(vector["borsh"]))
    assert base58.b58encode(signed.hash).decode() == view["hash"]
    assert (signed.signer_id, signed.public_key, signed.nonce, signed.receiver_id) == tuple(
        view[name] for name in ("signer_id", "public_key", "nonce", "receiver_id")
    )
    told = [action["FunctionCall"] for action in view["actions"]]
    assert [(call.method, call.gas, str(call.deposit_yocto)) for call in signed.calls] == [
        (call["method_name"], call["gas"], call["deposit"]) for call in told
    ]


@pytest.mark.parametrize("vector", CALLS, ids=["one call", "two calls", "an empty call"])
def test_what_a_node_tells_and_the_block_that_was_named_give_the_very_bytes(vector):
    told = told_by_node(vector["view"])
    assert told.with_block(REFERENCE) == bytes.fromhex(vector["borsh"])
    assert told.with_block(bytes(32)) is None


def test_any_bit_that_is_changed_is_another_transaction_or_none():
    raw = bytes.fromhex(CALLS[0]["borsh"])
    original = read_signed(raw)
    for at in range(len(raw)):
        with pytest.raises(NoTransaction):
            assert read_signed(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]) == original
    for length in range(len(raw)):
        with pytest.raises(NoTransaction):
            read_signed(raw[:length])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (bytes.fromhex(TRANSFER["borsh"]), "other actions than function calls"),
        (bytes.fromhex(CALLS[0]["borsh"]) + b"\0", "1 bytes after its end"),
        (b"\0" * (MAX_SIGNED_BYTES + 1), "at most 4,194,304 are read"),
        (b"\xff" * 100, "at most 256 are read"),
        (b"\1\0\0\0\xff" + b"\0" * 100, "not UTF-8"),
        (b"\1\0\0\0a\1" + b"\0" * 100, "a key that is not ed25519"),
        (b"\1\0\0\0a\0" + b"\0" * 40 + b"\1\0\0\0b" + b"\0" * 32 + b"\xff\0\0\0", "255 actions; at most 100"),
    ],
)
def test_what_is_no_such_transaction_is_refused_with_the_reason(raw, reason):
    with pytest.raises(NoTransaction, match=reason):
        read_signed(raw)


def spoilt(view, change):
    view = copy.deepcopy(view)
    change(view)
    return view


@pytest.mark.parametrize(
    "change",
    [
        lambda view: view.pop("nonce"),
        lambda view: view.update(nonce=-1),
        lambda view: view.update(nonce=2**64),
        lambda view: view.update(nonce="7"),
        lambda view: view.update(signer_id=None),
        lambda view: view.update(public_key="secp256k1:abc"),
        lambda view: view.update(signature="ed25519:" + "z" * 100_000),
        lambda view: view.update(hash="0"),
        lambda view: view.update(actions="none"),
        lambda view: view.update(actions=["CreateAccount"]),
        lambda view: view.update(actions=view["actions"] * 101),
        lambda view: view["actions"][0]["FunctionCall"].update(args="?"),
        lambda view: view["actions"][0]["FunctionCall"].update(deposit=[]),
    ],
)
def test_what_a_node_tells_out_of_shape_is_refused(change):
    with pytest.raises(NoTransaction):
        told_by_node(spoilt(CALLS[0]["view"], change))


def test_a_transfer_is_not_put_together():
    with pytest.raises(NoTransaction, match="other actions"):
        told_by_node(TRANSFER["view"])


def test_base58_of_another_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes in base58"):
        base58_bytes(base58.b58encode(bytes(31)).decode())
