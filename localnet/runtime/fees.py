"""
What transactions and receipts cost in gas, and how much money travels inside a receipt.

Source: nearcore `runtime/src/config.rs` (`total_send_fees`, `exec_fee`, `total_prepaid_*`, `tx_cost`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from localnet.parameters import ActionFees, Parameters
from localnet.values import account_id as ids
from localnet.values.actions import (
    Action,
    AddKey,
    CreateAccount,
    Delegate,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    FullAccess,
    FunctionCall,
    Stake,
    Transfer,
)
from localnet.values.receipt import ActionReceipt

GAS_PRICE_YOCTO = 10**8
"""Of every block: the least NEAR ever asks, and what an idle network asks."""

ACCOUNT_CREATION_CHARGE_YOCTO = 7 * 10**21
"""What making an account costs in all, gas included (`account_creation_charge`)."""

U128_MAX = 2**128 - 1


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the fees: those for sending (`sir`: to oneself) or, when `sir` is None, for executing."""

    fees: ActionFees
    sir: bool | None

    def of(self, name: str) -> int:
        fee = getattr(self.fees, name)
        gas: int = fee.execution if self.sir is None else fee.send(sir=self.sir)
        return gas

    def action(self, action: Action, receiver_id: str) -> int:  # noqa: PLR0911 (one arm a variant)
        match action:
            case FunctionCall(method_name, args):
                return self.of("function_call_base") + (len(method_name.encode()) + len(args)) * self.of("function_call_byte")
            case Transfer():
                return self._transfer(receiver_id)
            case CreateAccount():
                return self.of("create_account")
            case DeployContract(code):
                return self.of("deploy_contract_base") + len(code) * self.of("deploy_contract_byte")
            case Stake():
                return self.of("stake")
            case AddKey():
                return self._add_key(action)
            case DeleteKey():
                return self.of("delete_key")
            case DeleteAccount():
                return self.of("delete_account")
            case Delegate():
                return self.of("delegate")
            case _:
                assert_never(action)

    def _transfer(self, receiver_id: str) -> int:
        gas = self.of("transfer")
        if ids.is_near_implicit(receiver_id):
            gas += self.of("create_account") + self.of("add_full_access_key")
        elif ids.is_implicit(receiver_id):
            gas += self.of("create_account")
        return gas

    def _add_key(self, action: AddKey) -> int:
        permission = action.access_key.permission
        if isinstance(permission, FullAccess):
            return self.of("add_full_access_key")
        name_bytes = sum(len(name.encode()) + 1 for name in permission.method_names)
        return self.of("add_function_call_key_base") + name_bytes * self.of("add_function_call_key_byte")


class Fees:
    """The fees of one set of parameters."""

    def __init__(self, parameters: Parameters) -> None:
        self._table = parameters.fees
        self._sending = {sir: _Side(parameters.fees, sir) for sir in (False, True)}
        self._executing = _Side(parameters.fees, None)
        self.min_purchase_price_yocto = parameters.min_gas_purchase_price
        self.new_receipt_execution = parameters.fees.new_action_receipt.execution
        self.create_account_execution = parameters.fees.create_account.execution

    def execution(self, action: Action, receiver_id: str) -> int:
        """Burnt when the action begins; of a meta transaction only the wrapping."""
        return self._executing.action(action, receiver_id)

    def send(self, actions: Iterable[Action], receiver_id: str, *, sir: bool) -> int:
        """Burnt when the receipt is sent."""
        side = self._sending[sir]
        gas = 0
        for action in actions:
            gas += side.action(action, receiver_id)
            if isinstance(action, Delegate):
                gas += self.send(action.delegate_action.actions, action.delegate_action.receiver_id, sir=sir)
        return gas

    def prepaid_send(self, actions: Iterable[Action]) -> int:
        """Bought ahead for the receipts that meta transactions unwrap."""
        gas = 0
        for action in actions:
            if isinstance(action, Delegate):
                inner = action.delegate_action
                gas += self.send(inner.actions, inner.receiver_id, sir=inner.sender_id == inner.receiver_id)
        return gas

    def prepaid_execution(self, actions: Iterable[Action], receiver_id: str) -> int:
        """Bought ahead for the actions' execution, the receipt's own not counted."""
        gas = 0
        for action in actions:
            gas += self._executing.action(action, receiver_id)
            if isinstance(action, Delegate):
                inner = action.delegate_action
                gas += self.new_receipt_execution + self.prepaid_execution(inner.actions, inner.receiver_id)
        return gas

    def bought(self, receipt: ActionReceipt) -> int:
        """All the gas that a receipt carries."""
        actions = receipt.actions
        execution = self.new_receipt_execution + self.prepaid_execution(actions, receipt.receiver_id)
        return attached_gas(actions) + self.prepaid_send(actions) + execution

    def new_receipt_send(self, *, sir: bool) -> int:
        """Burnt for sending a receipt, before its actions."""
        return self._table.new_action_receipt.send(sir=sir)

    def money_in(self, receipt: ActionReceipt) -> int:
        """YoctoNEAR that travel inside a receipt: its deposits and the gas that was bought for it."""
        gas = 0 if receipt.gas_price_yocto == 0 else self.bought(receipt)
        return total_deposit(receipt.actions) + gas * receipt.gas_price_yocto


def attached_gas(actions: Iterable[Action]) -> int:
    """The gas of the function calls, those inside meta transactions too."""
    gas = 0
    for action in actions:
        if isinstance(action, FunctionCall):
            gas += action.gas
        elif isinstance(action, Delegate):
            gas += attached_gas(action.delegate_action.actions)
    return gas


def total_deposit(actions: Iterable[Action]) -> int:
    """The deposits, those inside meta transactions too; in yoctoNEAR."""
    deposit = 0
    for action in actions:
        if isinstance(action, FunctionCall | Transfer):
            deposit += action.deposit_yocto
        elif isinstance(action, Delegate):
            deposit += total_deposit(action.delegate_action.actions)
    return deposit


@dataclass(frozen=True, slots=True)
class TransactionCost:
    """What a transaction takes from its signer."""

    gas_burnt: int
    burnt_yocto: int
    receipt_gas_price_yocto: int
    total_yocto: int


def transaction_cost(fees: Fees, actions: tuple[Action, ...], *, signer_id: str, receiver_id: str) -> TransactionCost:
    """The cost of a transaction: gas burnt at the block's price, gas bought ahead at the purchase price, and the deposits."""
    sir = signer_id == receiver_id
    burnt = fees.new_receipt_send(sir=sir) + fees.send(actions, receiver_id, sir=sir)
    ahead = attached_gas(actions) + fees.prepaid_send(actions) + fees.new_receipt_execution + fees.prepaid_execution(actions, receiver_id)
    price = max(GAS_PRICE_YOCTO, fees.min_purchase_price_yocto)
    burnt_yocto = burnt * GAS_PRICE_YOCTO
    return TransactionCost(burnt, burnt_yocto, price, burnt_yocto + ahead * price + total_deposit(actions))
