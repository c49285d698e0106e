"""
Transactions become receipts: checked in nearcore's order, charged in full, given their receipt's id.

Source: nearcore `runtime/src/verifier.rs`.
"""

from dataclasses import replace

from localnet.parameters import Parameters
from localnet.runtime.fees import U128_MAX, Fees, TransactionCost, transaction_cost
from localnet.runtime.storage import missing_for_storage
from localnet.runtime.validation import InvalidActions, validate_actions
from localnet.state.tables import Account
from localnet.state.world import World
from localnet.values import account_id as ids
from localnet.values.actions import AccessKey, Action, FunctionCall, FunctionCallPermission
from localnet.values.errors import InvalidTransaction
from localnet.values.faults import Fault, Json
from localnet.values.hashes import child_id
from localnet.values.receipt import ActionReceipt
from localnet.values.transaction import SignedTransaction, Transaction

NONCES_A_BLOCK = 10**6
"""A nonce is below the block's height times this; a new key's begins at the height before."""

BLOCKS_A_TRANSACTION_LIVES = 86_400
"""How old the block may be that a transaction names."""


def invalid(name: str, **facts: Json) -> InvalidTransaction:
    """Nearcore's `InvalidTxError` of that name."""
    return InvalidTransaction(Fault(name, facts or None))


def _invalid_key(name: str, **facts: Json) -> InvalidTransaction:
    return InvalidTransaction(Fault("InvalidAccessKeyError", Fault(name, facts or None).to_json()))


def check_form(signed: SignedTransaction, parameters: Parameters) -> None:
    """
    Check what needs no state: ids, actions, size and signature.

    Raises:
        InvalidTransaction: in nearcore's words.
    """
    transaction = signed.transaction
    if not ids.is_valid(transaction.signer_id):
        raise invalid("InvalidSignerId", signer_id=transaction.signer_id)
    if not ids.is_valid(transaction.receiver_id):
        raise invalid("InvalidReceiverId", receiver_id=transaction.receiver_id)
    try:
        validate_actions(transaction.actions, parameters.limits)
    except InvalidActions as error:
        raise InvalidTransaction(Fault("ActionsValidation", error.fault.to_json())) from error
    size = len(signed.encoded)
    if size > parameters.limits.max_transaction_size:
        raise invalid("TransactionSizeExceeded", size=size, limit=parameters.limits.max_transaction_size)
    if not signed.is_signed_by_its_key():
        raise invalid("InvalidSignature")


def check_age(named_height: int | None, height: int) -> None:
    """
    Check the block that a transaction names.

    Args:
        named_height: its height; None when the chain does not know it.
        height: of the block that would take the transaction.

    Raises:
        InvalidTransaction: InvalidChain or Expired.
    """
    if named_height is None:
        raise invalid("InvalidChain")
    if height - named_height > BLOCKS_A_TRANSACTION_LIVES:
        raise invalid("Expired")


def charge(
    world: World, signed: SignedTransaction, fees: Fees, parameters: Parameters, height: int
) -> tuple[ActionReceipt, TransactionCost]:
    """
    Check a transaction against the state, take its cost from the signer, and make its receipt.

    Raises:
        InvalidTransaction: nothing was written.
    """
    transaction = signed.transaction
    signer = world.account(transaction.signer_id)
    if signer is None:
        raise invalid("SignerDoesNotExist", signer_id=transaction.signer_id)
    key = world.access_key(transaction.signer_id, transaction.public_key)
    if key is None:
        raise _invalid_key("AccessKeyNotFound", account_id=transaction.signer_id, public_key=str(transaction.public_key))
    _check_nonce(transaction, key, height)
    cost = transaction_cost(fees, transaction.actions, signer_id=transaction.signer_id, receiver_id=transaction.receiver_id)
    charged = _charged_account(transaction, signer, cost)
    permission = key.permission
    if isinstance(permission, FunctionCallPermission):
        permission = _charged_permission(transaction, permission, cost)
    if missing := missing_for_storage(charged, parameters):
        raise invalid("LackBalanceForState", signer_id=transaction.signer_id, amount=str(missing))
    if isinstance(permission, FunctionCallPermission):
        _check_permission(transaction, permission)
    world.set_account(transaction.signer_id, charged)
    world.set_access_key(transaction.signer_id, transaction.public_key, AccessKey(transaction.nonce, permission))
    return _receipt(signed, cost, height), cost


def _check_nonce(transaction: Transaction, key: AccessKey, height: int) -> None:
    if transaction.nonce <= key.nonce:
        raise invalid("InvalidNonce", tx_nonce=transaction.nonce, ak_nonce=key.nonce)
    if transaction.nonce >= height * NONCES_A_BLOCK:
        raise invalid("NonceTooLarge", tx_nonce=transaction.nonce, upper_bound=height * NONCES_A_BLOCK)


def _charged_account(transaction: Transaction, signer: Account, cost: TransactionCost) -> Account:
    if cost.total_yocto > U128_MAX:
        raise invalid("CostOverflow")
    if cost.total_yocto > signer.amount_yocto:
        balance = str(signer.amount_yocto)
        raise invalid("NotEnoughBalance", signer_id=transaction.signer_id, balance=balance, cost=str(cost.total_yocto))
    return replace(signer, amount_yocto=signer.amount_yocto - cost.total_yocto)


def _charged_permission(transaction: Transaction, permission: FunctionCallPermission, cost: TransactionCost) -> FunctionCallPermission:
    allowance = permission.allowance_yocto
    if allowance is None:
        return permission
    if cost.total_yocto > allowance:
        raise _invalid_key(
            "NotEnoughAllowance",
            account_id=transaction.signer_id,
            public_key=str(transaction.public_key),
            allowance=str(allowance),
            cost=str(cost.total_yocto),
        )
    return replace(permission, allowance_yocto=allowance - cost.total_yocto)


def _check_permission(transaction: Transaction, permission: FunctionCallPermission) -> None:
    fault = forbidden_actions(transaction.actions, transaction.receiver_id, permission)
    if fault is not None:
        raise InvalidTransaction(Fault("InvalidAccessKeyError", fault.to_json()))


def forbidden_actions(actions: tuple[Action, ...], receiver_id: str, permission: FunctionCallPermission) -> Fault | None:
    """Why a function-call key does not allow the actions (nearcore's `InvalidAccessKeyError`); None when it does."""
    call = actions[0] if len(actions) == 1 else None
    if not isinstance(call, FunctionCall):
        return Fault("RequiresFullAccess")
    if call.deposit_yocto > 0:
        return Fault("DepositWithFunctionCall")
    if receiver_id != permission.receiver_id:
        return Fault("ReceiverMismatch", {"tx_receiver": receiver_id, "ak_receiver": permission.receiver_id})
    if permission.method_names and call.method_name not in permission.method_names:
        return Fault("MethodNameMismatch", {"method_name": call.method_name})
    return None


def _receipt(signed: SignedTransaction, cost: TransactionCost, height: int) -> ActionReceipt:
    transaction = signed.transaction
    return ActionReceipt(
        receipt_id=child_id(signed.hash, height, 0),
        predecessor_id=transaction.signer_id,
        receiver_id=transaction.receiver_id,
        signer_id=transaction.signer_id,
        signer_public_key=transaction.public_key,
        gas_price_yocto=cost.receipt_gas_price_yocto,
        output_data_receivers=(),
        input_data_ids=(),
        actions=transaction.actions,
        tx_hash=signed.hash,
    )
