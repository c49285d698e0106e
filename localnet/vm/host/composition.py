"""Promises: making, joining and returning them, and reading what awaited ones gave."""

# ruff: noqa: PLR0913, PLR0917 - a host function takes what contracts hand it

import struct

from localnet.values.actions import FunctionCall
from localnet.vm.errors import HostError, integer_overflow
from localnet.vm.gas import U64_MAX
from localnet.vm.host.actions import append_function_call
from localnet.vm.host.call import HostCall
from localnet.vm.host.promises import Draft
from localnet.vm.host.table import offered
from localnet.vm.values import InputDependency, OutputReceiver, ReceiptIndex, Resume

_NOT_READY, _SUCCESSFUL, _FAILED = 0, 1, 2
_INDEX_BYTES, _DATA_ID_BYTES = 8, 32


def _pay_receipt(call: HostCall, *, sir: bool, dependencies: list[bool]) -> None:
    """A new receipt, and for each receipt it waits for a data receipt (true: sent to the account itself)."""
    receipt, data = call.parameters.fees.new_action_receipt, call.parameters.fees.new_data_receipt_base
    waiting = sum(data.send(sir=own) + data.execution for own in dependencies)
    call.gas.pay_action(receipt.send(sir=sir) + waiting, receipt.execution)


def _create(call: HostCall, length: int, pointer: int) -> int:
    receiver = call.get_account_id(pointer, length)
    _pay_receipt(call, sir=receiver == call.context.current_account_id, dependencies=[])
    return call.promises.add(Draft(receiver))


def _create_after(call: HostCall, promise: int, length: int, pointer: int) -> int:
    receiver = call.get_account_id(pointer, length)
    awaited = call.promises.receipts_of(promise)
    drafts = call.promises.drafts
    own = [drafts[index].receiver_id == receiver for index in awaited]
    _pay_receipt(call, sir=receiver == call.context.current_account_id, dependencies=own)
    draft = Draft(receiver, [InputDependency(index, call.promises.new_data_id()) for index in awaited])
    for dependency in draft.dependencies:
        drafts[dependency.receipt_index].outputs.append(OutputReceiver(dependency.data_id, receiver))
    return call.promises.add(draft)


@offered("promise_batch_create", "II", "I", refused_in_view=True)
def promise_batch_create(call: HostCall, length: int, pointer: int) -> int:
    """Begin a receipt to an account."""
    return _create(call, length, pointer)


@offered("promise_batch_then", "III", "I", refused_in_view=True)
def promise_batch_then(call: HostCall, promise: int, length: int, pointer: int) -> int:
    """Begin a receipt that waits for a promise."""
    return _create_after(call, promise, length, pointer)


@offered("promise_create", "IIIIIIII", "I", refused_in_view="promise_batch_create")
def promise_create(call: HostCall, length: int, pointer: int, *rest: int) -> int:
    """Begin a receipt with a function call."""
    promise = _create(call, length, pointer)
    call.gas.burn(call.parameters.host.base)
    append_function_call(call, promise, *rest, 0)
    return promise


@offered("promise_then", "IIIIIIIII", "I", refused_in_view="promise_batch_then")
def promise_then(call: HostCall, awaited: int, length: int, pointer: int, *rest: int) -> int:
    """Begin a receipt with a function call that waits for a promise."""
    promise = _create_after(call, awaited, length, pointer)
    call.gas.burn(call.parameters.host.base)
    append_function_call(call, promise, *rest, 0)
    return promise


@offered("promise_and", "II", "I", refused_in_view=True)
def promise_and(call: HostCall, pointer: int, count: int) -> int:
    """Join promises."""
    costs, limit = call.parameters.host, call.parameters.limits.max_number_input_data_dependencies
    call.gas.burn(costs.promise_and_base)
    size = count * _INDEX_BYTES
    if size > U64_MAX:
        raise integer_overflow()
    call.gas.burn_units(costs.promise_and_per_promise, size)
    joint: list[int] = []
    for (index,) in struct.iter_unpack("<Q", call.memory.read(pointer, size)):
        joint.extend(call.promises.receipts_of(index))
        if len(joint) > limit:
            text = f"The number of input data dependencies {len(joint)} exceeds the limit {limit}"
            facts = {"number_of_input_data_dependencies": len(joint), "limit": limit}
            raise HostError("NumberInputDataDependenciesExceeded", text, **facts)
    return call.promises.push(tuple(joint))


@offered("promise_set_refund_to", "III", refused_in_view=True)
def promise_set_refund_to(call: HostCall, promise: int, length: int, pointer: int) -> None:
    """Name who gets the receipt's deposits back."""
    refund_to = call.get_account_id(pointer, length)
    receipt = call.promises.get(promise)
    if not isinstance(receipt, int):
        text = "Setting refund_to on a joint promise is prohibited."
        raise HostError("CannotSetRefundToOnJointPromise", text)
    call.promises.drafts[receipt].refund_to = refund_to


@offered("promise_return", "I", charges=("base", "promise_return"), refused_in_view=True)
def promise_return(call: HostCall, promise: int) -> None:
    """Let a promise's result be the call's."""
    receipt = call.promises.get(promise)
    if not isinstance(receipt, int):
        raise HostError("CannotReturnJointPromise", "Returning joint promise is currently prohibited.")
    call.return_data = ReceiptIndex(receipt)


@offered("promise_results_count", "", "I", refused_in_view=True)
def promise_results_count(call: HostCall) -> int:
    """Tell how many receipts were awaited."""
    return len(call.context.promise_results)


@offered("promise_result", "II", "I", refused_in_view=True)
def promise_result(call: HostCall, index: int, register: int) -> int:
    """Hand over what an awaited receipt gave; its bytes are not charged."""
    if index >= len(call.context.promise_results):
        text = f"Accessed invalid promise result index: {index}"
        raise HostError("InvalidPromiseResultIndex", text, result_idx=index)
    result = call.context.promise_results[index]
    if result is None:
        return _FAILED
    call.registers.set(register, result, charge_bytes=False)
    return _SUCCESSFUL


@offered("promise_yield_create", "IIIIIII", "I", refused_in_view=True)
def promise_yield_create(
    call: HostCall,
    method_length: int,
    method_pointer: int,
    args_length: int,
    args_pointer: int,
    gas: int,
    weight: int,
    register: int,
) -> int:
    """Begin a call of this contract that waits to be resumed; the id to resume it by goes into the register."""
    costs, fees = call.parameters.host, call.parameters.fees
    call.gas.burn(costs.yield_create_base)
    method = call.get_method_name(method_pointer, method_length)
    args = call.get(args_pointer, args_length)
    size = len(method) + len(args)
    call.gas.burn(costs.yield_create_byte * size)
    call.gas.reserve(gas)
    _pay_receipt(call, sir=True, dependencies=[True])
    data_id = call.promises.new_data_id()
    promise = call.promises.add(Draft(call.context.current_account_id, yield_data_id=data_id))
    call.pay(fees.function_call_base, sir=True)
    call.pay(fees.function_call_byte, sir=True, units=size)
    receipt, _ = call.promises.single(promise)
    call.promises.append_call(receipt, FunctionCall(call.text_of_method(method), args, gas, 0), weight)
    call.registers.set(register, data_id)
    return promise


@offered("promise_yield_resume", "IIII", "i", refused_in_view=True)
def promise_yield_resume(call: HostCall, data_id_length: int, data_id_pointer: int, payload_length: int, payload_pointer: int) -> int:
    """Resume a yield; 0 if there is none of that id."""
    costs, limit = call.parameters.host, call.parameters.limits.max_yield_payload_size
    call.gas.burn(costs.yield_resume_base)
    call.gas.burn_units(costs.yield_resume_byte, payload_length)
    data_id = call.get(data_id_pointer, data_id_length)
    payload = call.get(payload_pointer, payload_length)
    if len(payload) > limit:
        text = f"Yield resume payload is {len(payload)} bytes which exceeds the {limit} byte limit"
        raise HostError("YieldPayloadLength", text, length=len(payload), limit=limit)
    if len(data_id) != _DATA_ID_BYTES:
        raise HostError("DataIdMalformed", "yield resumption token is malformed")
    if not call.knows_yield(data_id):
        return 0
    call.resumes.append(Resume(data_id, payload))
    return 1
