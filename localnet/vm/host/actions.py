"""The actions a contract puts into its receipts."""

# ruff: noqa: PLR0913, PLR0917 - a host function takes what contracts hand it

import re
from typing import Final

from localnet.values import account_id as account_ids
from localnet.values.actions import (
    AccessKey,
    AddKey,
    CreateAccount,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    FullAccess,
    FunctionCall,
    FunctionCallPermission,
    Stake,
    Transfer,
)
from localnet.values.keys import PublicKey
from localnet.vm.errors import HostError, NotOffered
from localnet.vm.host.call import HostCall
from localnet.vm.host.table import offered

_UNIVERSAL: Final = re.compile(r"0u[0-9a-hjkmnp-tv-z]{51}[0g]")
"""An account named by the hash of its initial state: `0u` and 256 bits of Crockford's base32."""

_ED25519_TAG, _SECP256K1_TAG, _ML_DSA_TAG = 0, 1, 2
_KEY_BYTES: Final = {_ED25519_TAG: 33, _SECP256K1_TAG: 65, _ML_DSA_TAG: 1953}
"""Length of a key with its curve's tag."""


def _decode_key(raw: bytes) -> PublicKey:
    """
    Read a key with its curve's tag.

    Raises:
        HostError: no key of NEAR, or one of a curve this chain has not.
    """
    if not raw or _KEY_BYTES.get(raw[0]) != len(raw):
        raise HostError("InvalidPublicKey", "VM Logic provided an invalid public key")
    if raw[0] != _ED25519_TAG:
        raise NotOffered("a key of another curve than ed25519")
    return PublicKey(raw[1:])


@offered("promise_batch_action_create_account", "I", refused_in_view=True)
def create_account(call: HostCall, promise: int) -> None:
    """Make the receiver's account."""
    _, draft = call.promises.single(promise)
    call.pay(call.parameters.fees.create_account, sir=call.promises.is_own(draft))
    draft.actions.append(CreateAccount())


@offered("promise_batch_action_deploy_contract", "III", refused_in_view=True)
def deploy_contract(call: HostCall, promise: int, length: int, pointer: int) -> None:
    """Put a contract on the receiver's account."""
    code, limit = call.get(pointer, length), call.parameters.limits.max_contract_size
    size = len(code)
    if size > limit:
        text = f"The size of a contract code in DeployContract action {size} exceeds the limit {limit}"
        raise HostError("ContractSizeExceeded", text, size=size, limit=limit)
    _, draft = call.promises.single(promise)
    fees, sir = call.parameters.fees, call.promises.is_own(draft)
    call.pay(fees.deploy_contract_base, sir=sir)
    call.pay(fees.deploy_contract_byte, sir=sir, units=size)
    draft.actions.append(DeployContract(code))


@offered("promise_batch_action_function_call", "IIIIIII", refused_in_view=True)
def function_call(call: HostCall, promise: int, *rest: int) -> None:
    """Call a method with a fixed amount of gas."""
    append_function_call(call, promise, *rest, 0)


@offered("promise_batch_action_function_call_weight", "IIIIIIII", refused_in_view="promise_batch_action_function_call")
def append_function_call(
    call: HostCall,
    promise: int,
    method_length: int,
    method_pointer: int,
    args_length: int,
    args_pointer: int,
    amount_pointer: int,
    gas: int,
    weight: int,
) -> None:
    """Call a method with an amount of gas and a share of what is left."""
    amount = call.get_u128(amount_pointer)
    method = call.get_method_name(method_pointer, method_length)
    args = call.get(args_pointer, args_length)
    receipt, draft = call.promises.single(promise)
    fees, sir = call.parameters.fees, call.promises.is_own(draft)
    call.pay(fees.function_call_base, sir=sir)
    call.pay(fees.function_call_byte, sir=sir, units=len(method) + len(args))
    call.gas.reserve(gas)
    call.spend_on_call(amount)
    call.promises.append_call(receipt, FunctionCall(call.text_of_method(method), args, gas, amount), weight)


@offered("promise_batch_action_transfer", "II", refused_in_view=True)
def transfer(call: HostCall, promise: int, amount_pointer: int) -> None:
    """Give tokens; to an implicit account that costs its creation too."""
    amount = call.get_u128(amount_pointer)
    _, draft = call.promises.single(promise)
    fees, sir, receiver = call.parameters.fees, call.promises.is_own(draft), draft.receiver_id
    parts = [fees.transfer]
    if account_ids.is_implicit(receiver) or _UNIVERSAL.fullmatch(receiver):
        parts.append(fees.create_account)
    if account_ids.is_near_implicit(receiver):
        parts.append(fees.add_full_access_key)
    call.gas.pay_action(sum(fee.send(sir=sir) for fee in parts), sum(fee.execution for fee in parts))
    call.spend(amount)
    draft.actions.append(Transfer(amount))


@offered("promise_batch_action_stake", "IIII", refused_in_view=True)
def stake(call: HostCall, promise: int, amount_pointer: int, key_length: int, key_pointer: int) -> None:
    """Lock tokens for a validator key."""
    amount = call.get_u128(amount_pointer)
    key = call.get(key_pointer, key_length)
    _, draft = call.promises.single(promise)
    call.pay(call.parameters.fees.stake, sir=call.promises.is_own(draft))
    draft.actions.append(Stake(amount, _decode_key(key)))


@offered("promise_batch_action_add_key_with_full_access", "IIII", refused_in_view=True)
def add_full_access_key(call: HostCall, promise: int, key_length: int, key_pointer: int, nonce: int) -> None:
    """Add a key that may do everything."""
    key = call.get(key_pointer, key_length)
    _, draft = call.promises.single(promise)
    call.pay(call.parameters.fees.add_full_access_key, sir=call.promises.is_own(draft))
    draft.actions.append(AddKey(_decode_key(key), AccessKey(nonce, FullAccess())))


@offered("promise_batch_action_add_key_with_function_call", "IIIIIIIII", refused_in_view=True)
def add_function_call_key(
    call: HostCall,
    promise: int,
    key_length: int,
    key_pointer: int,
    nonce: int,
    allowance_pointer: int,
    receiver_length: int,
    receiver_pointer: int,
    methods_length: int,
    methods_pointer: int,
) -> None:
    """Add a key that may call methods of one contract; an allowance of 0 is without limit."""
    key = call.get(key_pointer, key_length)
    allowance = call.get_u128(allowance_pointer)
    receiver = call.get_account_id(receiver_pointer, receiver_length)
    raw = call.get(methods_pointer, methods_length)
    methods = raw.split(b",") if raw else []
    if not all(methods):
        raise HostError("EmptyMethodName", "Tried to call an empty method name.")
    _, draft = call.promises.single(promise)
    fees, sir = call.parameters.fees, call.promises.is_own(draft)
    call.pay(fees.add_function_call_key_base, sir=sir)
    call.pay(fees.add_function_call_key_byte, sir=sir, units=sum(len(method) + 1 for method in methods))
    public_key = _decode_key(key)
    names = tuple(call.text_of_method(method) for method in methods)
    permission = FunctionCallPermission(allowance or None, receiver, names)
    draft.actions.append(AddKey(public_key, AccessKey(nonce, permission)))


@offered("promise_batch_action_delete_key", "III", refused_in_view=True)
def delete_key(call: HostCall, promise: int, key_length: int, key_pointer: int) -> None:
    """Take a key away."""
    key = call.get(key_pointer, key_length)
    _, draft = call.promises.single(promise)
    call.pay(call.parameters.fees.delete_key, sir=call.promises.is_own(draft))
    draft.actions.append(DeleteKey(_decode_key(key)))


@offered("promise_batch_action_delete_account", "III", refused_in_view=True)
def delete_account(call: HostCall, promise: int, length: int, pointer: int) -> None:
    """Remove the receiver's account."""
    beneficiary = call.get_account_id(pointer, length)
    _, draft = call.promises.single(promise)
    call.pay(call.parameters.fees.delete_account, sir=call.promises.is_own(draft))
    draft.actions.append(DeleteAccount(beneficiary))
