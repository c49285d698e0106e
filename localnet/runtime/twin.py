"""
A virtual machine whose contracts are Python functions: for tests of the runtime that need no wasm.

    contracts = PythonContracts()
    code = contracts.add(greet=lambda call: b"hello " + call.context.input)
    chain = Chain(machine=contracts)
    chain.create_account("greeter").deploy(code)

It keeps the law that the real one keeps: what a call makes is paid for, in gas and in tokens, or the call fails as a whole.
"""

from collections.abc import Callable
from typing import TypeAlias

from localnet.parameters import parameters
from localnet.runtime.fees import Fees, attached_gas, total_deposit
from localnet.values.actions import FunctionCall, SimpleAction
from localnet.values.hashes import child_id
from localnet.vm.errors import HostError, MethodResolveError, VmError, gas_exceeded, guest_panic, prohibited_in_view
from localnet.vm.values import (
    CallContext,
    External,
    InputDependency,
    NewReceipt,
    OutputReceiver,
    ReceiptIndex,
    Resume,
    VmOutcome,
)

CALL_GAS = 10**12
"""What each call burns besides what it makes."""

Method: TypeAlias = Callable[["PythonCall"], "bytes | ReceiptIndex | None"]


class Panic(Exception):
    """A contract gives up; its text becomes the panic's."""


class PythonCall:
    """What a contract in Python sees of the chain."""

    def __init__(self, context: CallContext, external: External) -> None:
        self.context = context
        self._external = external
        self._fees = Fees(parameters())
        self._data_ids = 0
        self.changes: dict[bytes, bytes | None] = {}
        self.logs: list[str] = []
        self.receipts: list[NewReceipt] = []
        self.resumes: list[Resume] = []
        self.burnt_gas = CALL_GAS
        self.reserved_gas = 0
        self.balance_yocto = context.account_balance_yocto + context.attached_deposit_yocto
        self.storage_usage_bytes = context.storage_usage_bytes

    def read(self, key: bytes) -> bytes | None:
        """A value of the account's storage."""
        return self.changes[key] if key in self.changes else self._external.storage_get(key)

    def write(self, key: bytes, value: bytes | None) -> None:
        """Set a value of the account's storage; None removes it."""
        if self.context.is_view:
            raise prohibited_in_view("storage_write")
        before = self.read(key)
        record = parameters().num_extra_bytes_record
        self.storage_usage_bytes -= 0 if before is None else len(key) + len(before) + record
        self.storage_usage_bytes += 0 if value is None else len(key) + len(value) + record
        self.changes[key] = value

    def log(self, text: str) -> None:
        """Write a log line."""
        self.logs.append(text)

    def promise(self, receiver_id: str, *actions: SimpleAction, after: tuple[int, ...] = (), refund_to: str | None = None) -> int:
        """Make a receipt, which waits for the results of others; gives its index."""
        dependencies = tuple(self._depend(index, receiver_id) for index in after)
        self._add(NewReceipt(receiver_id, actions, dependencies, (), None, refund_to))
        return len(self.receipts) - 1

    def _depend(self, index: int, receiver_id: str) -> InputDependency:
        data_id = self._data_id()
        giver = self.receipts[index]
        receivers = (*giver.output_data_receivers, OutputReceiver(data_id, receiver_id))
        self.receipts[index] = NewReceipt(
            giver.receiver_id, giver.actions, giver.input_dependencies, receivers, giver.yield_data_id, giver.refund_to
        )
        return InputDependency(index, data_id)

    def yield_create(self, method: str, args: bytes, gas: int) -> tuple[int, bytes]:
        """Make a receipt that waits to be resumed; gives its index and its data id."""
        data_id = self._data_id()
        self._add(NewReceipt(self.context.current_account_id, (FunctionCall(method, args, gas, 0),), (), (), data_id))
        return len(self.receipts) - 1, data_id

    def yield_resume(self, data_id: bytes, payload: bytes) -> bool:
        """Resume a yield of this account, also one of this very call; False: there is none for this data id."""
        own = any(receipt.yield_data_id == data_id for receipt in self.receipts)
        if not own and not self._external.yield_exists(data_id):
            return False
        self.resumes.append(Resume(data_id, payload))
        return True

    def _data_id(self) -> bytes:
        data_id = child_id(self.context.action_hash, self.context.block_height, self._data_ids)
        self._data_ids += 1
        return data_id

    def _add(self, receipt: NewReceipt) -> None:
        sir = receipt.receiver_id == self.context.current_account_id
        fees, actions = self._fees, receipt.actions
        self.burnt_gas += fees.new_receipt_send(sir=sir) + fees.send(actions, receipt.receiver_id, sir=sir)
        self.reserved_gas += fees.new_receipt_execution + fees.prepaid_execution(actions, receipt.receiver_id) + attached_gas(actions)
        self.balance_yocto -= total_deposit(actions)
        if self.balance_yocto < 0:
            raise HostError("BalanceExceeded", "Exceeded the account balance.")
        self.receipts.append(receipt)


class PythonContracts:
    """Runs contracts that were added as functions (`localnet.runtime.environment.Machine`)."""

    def __init__(self) -> None:
        self._contracts: dict[bytes, dict[str, Method]] = {}

    def add(self, **methods: Method) -> bytes:
        """A contract with these methods; gives bytes to deploy."""
        code = b"python contract %d" % len(self._contracts)
        self._contracts[code] = methods
        return code

    def run(self, code: bytes, method_name: str, context: CallContext, external: External, *, code_hash: bytes | None = None) -> VmOutcome:
        """Run a method; what went wrong comes back in the outcome."""
        method = self._contracts.get(code, {}).get(method_name)
        call = PythonCall(context, external)
        if method is None:
            call.burnt_gas = 0
            return _failed(call, MethodResolveError("MethodNotFound"))
        try:
            result = method(call)
            if call.burnt_gas + call.reserved_gas > context.prepaid_gas:
                raise gas_exceeded()
        except Panic as panic:
            return _failed(call, guest_panic(str(panic)))
        except VmError as error:
            return _failed(call, error)
        return VmOutcome(
            error=None,
            balance_yocto=call.balance_yocto,
            storage_usage_bytes=call.storage_usage_bytes,
            return_data=result,
            burnt_gas=call.burnt_gas,
            used_gas=call.burnt_gas + call.reserved_gas,
            logs=tuple(call.logs),
            storage_changes=call.changes,
            receipts=tuple(call.receipts),
            resumes=tuple(call.resumes),
        )


def _failed(call: PythonCall, error: VmError) -> VmOutcome:
    burnt = min(call.burnt_gas, call.context.prepaid_gas)
    return VmOutcome(
        error=error,
        balance_yocto=call.context.account_balance_yocto + call.context.attached_deposit_yocto,
        storage_usage_bytes=call.context.storage_usage_bytes,
        return_data=None,
        burnt_gas=burnt,
        used_gas=burnt,
        logs=tuple(call.logs),
        storage_changes={},
        receipts=(),
        resumes=(),
    )
