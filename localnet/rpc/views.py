"""
Actions, receipts, transactions and outcomes in the JSON of NEAR nodes.

u128 are decimal strings, gas, nonces and heights numbers, hashes base58, bytes base64. No member is added to nearcore's: py-near passes
what it reads on as keyword arguments, and Rust clients may refuse what they do not know.

Source: near-primitives 0.38, `views.rs`.
"""

from base64 import b64encode
from typing import Any, TypeAlias, assert_never

from localnet.values import base58
from localnet.values.actions import (
    AccessKey,
    Action,
    AddKey,
    CreateAccount,
    Delegate,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    FunctionCall,
    FunctionCallPermission,
    Stake,
    Transfer,
)
from localnet.values.hashes import hash_of, hash_to_text
from localnet.values.merkle import MerklePath
from localnet.values.outcome import Failure, Outcome, Status, SuccessReceiptId, SuccessValue
from localnet.values.receipt import ActionReceipt, DataReceipt, Receipt
from localnet.values.transaction import SignedTransaction

Json: TypeAlias = dict[str, Any]

_METADATA_VERSION = 3
"""Of `ExecutionMetadata`: 3 may carry a gas profile."""


def base64_text(data: bytes) -> str:
    """Bytes in base64."""
    return b64encode(data).decode()


def signature_text(signature: bytes) -> str:
    """`ed25519:base58` of 64 bytes."""
    return f"ed25519:{base58.encode(signature)}"


def access_key_view(access_key: AccessKey) -> Json:
    """`AccessKeyView`: nonce and permission."""
    match access_key.permission:
        case FunctionCallPermission(allowance_yocto, receiver_id, method_names):
            allowance = None if allowance_yocto is None else str(allowance_yocto)
            permission: Any = {"FunctionCall": {"allowance": allowance, "receiver_id": receiver_id, "method_names": list(method_names)}}
        case _:
            permission = "FullAccess"
    return {"nonce": access_key.nonce, "permission": permission}


def action_view(action: Action) -> Any:  # noqa: PLR0911 (one arm a variant)
    """`ActionView`. Deployed code is shown as the base64 of its sha256, as nodes do."""
    match action:
        case CreateAccount():
            return "CreateAccount"
        case DeployContract(code):
            return {"DeployContract": {"code": base64_text(hash_of(code))}}
        case FunctionCall(method_name, args, gas, deposit_yocto):
            call = {"method_name": method_name, "args": base64_text(args), "gas": gas, "deposit": str(deposit_yocto)}
            return {"FunctionCall": call}
        case Transfer(deposit_yocto):
            return {"Transfer": {"deposit": str(deposit_yocto)}}
        case Stake(stake_yocto, public_key):
            return {"Stake": {"stake": str(stake_yocto), "public_key": str(public_key)}}
        case AddKey(public_key, access_key):
            return {"AddKey": {"public_key": str(public_key), "access_key": access_key_view(access_key)}}
        case DeleteKey(public_key):
            return {"DeleteKey": {"public_key": str(public_key)}}
        case DeleteAccount(beneficiary_id):
            return {"DeleteAccount": {"beneficiary_id": beneficiary_id}}
        case Delegate():
            return {"Delegate": _delegate_view(action)}
        case _:
            assert_never(action)


def _delegate_view(action: Delegate) -> Json:
    delegate = action.delegate_action
    inner = {
        "sender_id": delegate.sender_id,
        "receiver_id": delegate.receiver_id,
        "actions": [_plain_action(each) for each in delegate.actions],
        "nonce": delegate.nonce,
        "max_block_height": delegate.max_block_height,
        "public_key": str(delegate.public_key),
    }
    return {"delegate_action": inner, "signature": signature_text(action.signature)}


def _plain_action(action: Action) -> Any:
    """
    An action inside a delegate action: nearcore serializes those not as views but as they are, so that a unit variant is an empty object
    and code is shown in full.
    """
    match action:
        case CreateAccount():
            return {"CreateAccount": {}}
        case DeployContract(code):
            return {"DeployContract": {"code": base64_text(code)}}
        case _:
            return action_view(action)


def receipt_view(receipt: Receipt) -> Json:
    """`ReceiptView`."""
    match receipt:
        case ActionReceipt():
            body: Json = {"Action": _action_receipt_view(receipt)}
        case DataReceipt():
            data = None if receipt.data is None else base64_text(receipt.data)
            body = {"Data": {"data_id": hash_to_text(receipt.data_id), "data": data, "is_promise_resume": receipt.is_promise_resume}}
        case _:
            assert_never(receipt)
    return {
        "predecessor_id": receipt.predecessor_id,
        "receiver_id": receipt.receiver_id,
        "receipt_id": hash_to_text(receipt.receipt_id),
        "receipt": body,
        "priority": 0,
    }


def _action_receipt_view(receipt: ActionReceipt) -> Json:
    view: Json = {
        "signer_id": receipt.signer_id,
        "signer_public_key": str(receipt.signer_public_key),
        "gas_price": str(receipt.gas_price_yocto),
        "output_data_receivers": [
            {"data_id": hash_to_text(each.data_id), "receiver_id": each.receiver_id} for each in receipt.output_data_receivers
        ],
        "input_data_ids": [hash_to_text(data_id) for data_id in receipt.input_data_ids],
        "actions": [action_view(action) for action in receipt.actions],
        "is_promise_yield": receipt.is_promise_yield,
    }
    if receipt.refund_to is not None:
        view["refund_to"] = receipt.refund_to
    return view


def transaction_view(signed: SignedTransaction) -> Json:
    """`SignedTransactionView`."""
    transaction = signed.transaction
    return {
        "signer_id": transaction.signer_id,
        "public_key": str(transaction.public_key),
        "nonce": transaction.nonce,
        "receiver_id": transaction.receiver_id,
        "actions": [action_view(action) for action in transaction.actions],
        "priority_fee": 0,
        "signature": signature_text(signed.signature),
        "hash": hash_to_text(signed.hash),
    }


def status_view(status: Status) -> Json:
    """`ExecutionStatusView` of a transaction or receipt that was executed."""
    match status:
        case SuccessValue(value):
            return {"SuccessValue": base64_text(value)}
        case SuccessReceiptId(receipt_id):
            return {"SuccessReceiptId": hash_to_text(receipt_id)}
        case Failure(error):
            return {"Failure": error.to_json()}
        case _:
            assert_never(status)


def path_view(path: MerklePath) -> list[Json]:
    """`MerklePath`."""
    return [{"hash": hash_to_text(item.hash), "direction": item.side.value} for item in path]


def outcome_view(outcome: Outcome, path: MerklePath) -> Json:
    """`ExecutionOutcomeWithIdView`, with the path to the root over its block's outcomes."""
    return {
        "proof": path_view(path),
        "block_hash": hash_to_text(outcome.block_hash),
        "id": hash_to_text(outcome.id),
        "outcome": {
            "logs": list(outcome.logs),
            "receipt_ids": [hash_to_text(receipt_id) for receipt_id in outcome.receipt_ids],
            "gas_burnt": outcome.gas_burnt,
            "tokens_burnt": str(outcome.tokens_burnt_yocto),
            "executor_id": outcome.executor_id,
            "status": status_view(outcome.status),
            "metadata": {"version": _METADATA_VERSION, "gas_profile": None},
        },
    }
