"""
Limits of actions and receipts, checked before they enter the chain: in a transaction, and in what a contract makes.

Source: nearcore `runtime/src/action_validation.rs` and `verifier.rs`.
"""

from localnet.parameters import Limits
from localnet.runtime.fees import attached_gas
from localnet.values import account_id as ids
from localnet.values.actions import (
    Action,
    AddKey,
    Delegate,
    DeleteAccount,
    DeployContract,
    FunctionCall,
    FunctionCallPermission,
)
from localnet.values.faults import Fault, Json
from localnet.values.receipt import ActionReceipt
from localnet.values.receipt_codec import write_receipt


class InvalidActions(Exception):
    """A limit is passed; `fault` is nearcore's `ActionsValidationError` or `ReceiptValidationError`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def _refuse(name: str, **facts: Json) -> InvalidActions:
    return InvalidActions(Fault(name, facts or None))


def validate_actions(actions: tuple[Action, ...], limits: Limits) -> None:
    """
    Hold a receipt's actions against the limits.

    Raises:
        InvalidActions: the first that is passed.
    """
    if len(actions) > limits.max_actions_per_receipt:
        raise _refuse("TotalNumberOfActionsExceeded", total_number_of_actions=len(actions), limit=limits.max_actions_per_receipt)
    delegates = 0
    for index, action in enumerate(actions):
        if isinstance(action, DeleteAccount) and index + 1 != len(actions):
            raise _refuse("DeleteActionMustBeFinal")
        if isinstance(action, Delegate):
            delegates += 1
            if delegates > 1:
                raise _refuse("DelegateActionMustBeOnlyOne")
        _validate_action(action, limits)
    gas = attached_gas(actions)
    if gas > limits.max_total_prepaid_gas:
        raise _refuse("TotalPrepaidGasExceeded", total_prepaid_gas=gas, limit=limits.max_total_prepaid_gas)


def _validate_action(action: Action, limits: Limits) -> None:
    match action:
        case DeployContract(code):
            if len(code) > limits.max_contract_size:
                raise _refuse("ContractSizeExceeded", size=len(code), limit=limits.max_contract_size)
        case FunctionCall():
            _validate_call(action, limits)
        case AddKey(_, access_key):
            if isinstance(access_key.permission, FunctionCallPermission):
                _validate_permission(access_key.permission, limits)
        case DeleteAccount(beneficiary_id):
            _validate_account_id(beneficiary_id)
        case Delegate(delegate_action):
            _validate_account_id(delegate_action.receiver_id)
            validate_actions(delegate_action.actions, limits)
        case _:
            pass


def _validate_call(call: FunctionCall, limits: Limits) -> None:
    if call.gas == 0:
        raise _refuse("FunctionCallZeroAttachedGas")
    method_bytes = len(call.method_name.encode())
    if method_bytes > limits.max_length_method_name:
        raise _refuse("FunctionCallMethodNameLengthExceeded", length=method_bytes, limit=limits.max_length_method_name)
    if len(call.args) > limits.max_arguments_length:
        raise _refuse("FunctionCallArgumentsLengthExceeded", length=len(call.args), limit=limits.max_arguments_length)


def _validate_permission(permission: FunctionCallPermission, limits: Limits) -> None:
    _validate_account_id(permission.receiver_id)
    total = 0
    for name in permission.method_names:
        length = len(name.encode())
        if length > limits.max_length_method_name:
            raise _refuse("AddKeyMethodNameLengthExceeded", length=length, limit=limits.max_length_method_name)
        total += length + 1
    if total > limits.max_number_bytes_method_names:
        raise _refuse("AddKeyMethodNamesNumberOfBytesExceeded", total_number_of_bytes=total, limit=limits.max_number_bytes_method_names)


def _validate_account_id(account_id: str) -> None:
    if not ids.is_valid(account_id):
        raise _refuse("InvalidAccountId", account_id=account_id)


def validate_new_receipt(receipt: ActionReceipt, limits: Limits) -> None:
    """
    Hold a receipt that a contract made against the limits.

    Raises:
        InvalidActions: nearcore's `ReceiptValidationError`.
    """
    # Counting the bytes means writing them; most receipts are far too small to need it.
    if _payload_bytes(receipt) > limits.max_receipt_size // 2 and (size := len(write_receipt(receipt))) > limits.max_receipt_size:
        raise _refuse("ReceiptSizeExceeded", size=size, limit=limits.max_receipt_size)
    waits_for = len(receipt.input_data_ids)
    if waits_for > limits.max_number_input_data_dependencies:
        raise _refuse(
            "NumberInputDataDependenciesExceeded",
            number_of_input_data_dependencies=waits_for,
            limit=limits.max_number_input_data_dependencies,
        )
    if not ids.is_valid(receipt.receiver_id):
        raise _refuse("InvalidReceiverId", account_id=receipt.receiver_id)
    try:
        validate_actions(receipt.actions, limits)
    except InvalidActions as error:
        raise InvalidActions(Fault("ActionsValidation", error.fault.to_json())) from error


def _payload_bytes(receipt: ActionReceipt) -> int:
    total = 0
    for action in receipt.actions:
        if isinstance(action, FunctionCall):
            total += len(action.args)
        elif isinstance(action, DeployContract):
            total += len(action.code)
    return total
