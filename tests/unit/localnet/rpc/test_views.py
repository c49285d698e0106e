"""Actions and receipts in nodes' JSON; the shapes are those of near-primitives 0.38 (`tests/clients/near_views` judges them too)."""

from base64 import b64decode, b64encode
from hashlib import sha256

import pytest

from localnet import KeyPair
from localnet.rpc.views import access_key_view, action_view, outcome_view, receipt_view
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
from localnet.values.faults import ActionError, Fault
from localnet.values.hashes import hash_of, hash_to_text
from localnet.values.merkle import PathItem, Side
from localnet.values.outcome import Failure, Outcome, SuccessReceiptId
from localnet.values.receipt import ActionReceipt, DataReceipt, DataReceiver

KEY = KeyPair.from_seed("key").public_key
ID, OTHER = hash_of(b"id"), hash_of(b"other")
BIG = 2**128 - 1


@pytest.mark.parametrize(
    ("action", "view"),
    [
        (CreateAccount(), "CreateAccount"),
        (
            FunctionCall("go", b"\xff", 2**64 - 1, BIG),
            {"FunctionCall": {"method_name": "go", "args": "/w==", "gas": 2**64 - 1, "deposit": str(BIG)}},
        ),
        (Transfer(BIG), {"Transfer": {"deposit": str(BIG)}}),
        (Stake(BIG, KEY), {"Stake": {"stake": str(BIG), "public_key": str(KEY)}}),
        (
            AddKey(KEY, AccessKey(7, FullAccess())),
            {"AddKey": {"public_key": str(KEY), "access_key": {"nonce": 7, "permission": "FullAccess"}}},
        ),
        (DeleteKey(KEY), {"DeleteKey": {"public_key": str(KEY)}}),
        (DeleteAccount("alice.near"), {"DeleteAccount": {"beneficiary_id": "alice.near"}}),
    ],
)
def test_an_action_has_nearcores_shape(action, view):
    assert action_view(action) == view


def test_deployed_code_is_shown_as_its_hash():
    assert b64decode(action_view(DeployContract(b"code"))["DeployContract"]["code"]) == sha256(b"code").digest()


def test_a_key_without_a_limit_has_a_null_allowance():
    permission = FunctionCallPermission(None, "contract.near", ())
    limited = {"allowance": None, "receiver_id": "contract.near", "method_names": []}
    assert access_key_view(AccessKey(1, permission)) == {"nonce": 1, "permission": {"FunctionCall": limited}}


def test_actions_that_another_one_sends_are_shown_as_they_were_signed():
    inner = DelegateAction("alice.near", "bob.near", (CreateAccount(), DeployContract(b"code"), Transfer(1)), 5, 9, KEY)
    view = action_view(Delegate(inner, bytes(64)))["Delegate"]
    assert view["signature"] == "ed25519:" + "1" * 64
    assert view["delegate_action"] == {
        "sender_id": "alice.near",
        "receiver_id": "bob.near",
        "actions": [{"CreateAccount": {}}, {"DeployContract": {"code": b64encode(b"code").decode()}}, {"Transfer": {"deposit": "1"}}],
        "nonce": 5,
        "max_block_height": 9,
        "public_key": str(KEY),
    }


def test_a_receipt_with_actions_has_nearcores_shape():
    receipt = ActionReceipt(
        ID, "alice.near", "bob.near", "carol.near", KEY, BIG, (DataReceiver(OTHER, "dave.near"),), (OTHER,), (), ID, is_promise_yield=True
    )
    action = {
        "signer_id": "carol.near",
        "signer_public_key": str(KEY),
        "gas_price": str(BIG),
        "output_data_receivers": [{"data_id": hash_to_text(OTHER), "receiver_id": "dave.near"}],
        "input_data_ids": [hash_to_text(OTHER)],
        "actions": [],
        "is_promise_yield": True,
    }
    view = receipt_view(receipt)
    assert view == {
        "predecessor_id": "alice.near",
        "receiver_id": "bob.near",
        "receipt_id": hash_to_text(ID),
        "receipt": {"Action": action},
        "priority": 0,
    }


@pytest.mark.parametrize(("data", "shown"), [(None, None), (b"", ""), (b"\xff", "/w==")])
def test_a_receipt_with_data_tells_failure_from_an_empty_result(data, shown):
    receipt = DataReceipt(ID, "alice.near", "bob.near", OTHER, data, ID, is_promise_resume=True)
    assert receipt_view(receipt)["receipt"] == {"Data": {"data_id": hash_to_text(OTHER), "data": shown, "is_promise_resume": True}}


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (SuccessReceiptId(OTHER), {"SuccessReceiptId": hash_to_text(OTHER)}),
        (
            Failure(ActionError(None, Fault("LackBalanceForState", {"account_id": "a.near", "amount": "5"}))),
            {"Failure": {"ActionError": {"index": None, "kind": {"LackBalanceForState": {"account_id": "a.near", "amount": "5"}}}}},
        ),
    ],
)
def test_an_outcome_says_how_it_ended(status, shown):
    view = outcome_view(Outcome(ID, OTHER, 5, "bob.near", ("log",), (OTHER,), 7, BIG, status), (PathItem(ID, Side.LEFT),))
    assert view["proof"] == [{"hash": hash_to_text(ID), "direction": "Left"}]
    assert view["outcome"] == {
        "logs": ["log"],
        "receipt_ids": [hash_to_text(OTHER)],
        "gas_burnt": 7,
        "tokens_burnt": str(BIG),
        "executor_id": "bob.near",
        "status": shown,
        "metadata": {"version": 3, "gas_profile": None},
    }
