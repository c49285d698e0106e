"""Actions on contracts: deploy and call. Source: nearcore `runtime/src/function_call.rs`, `receipt_manager.rs`."""

from dataclasses import replace

from localnet.runtime import yields
from localnet.runtime.run import ActionFailed, PointsTo, Run
from localnet.state.tables import Key, Table
from localnet.state.world import World
from localnet.values.actions import FunctionCall
from localnet.values.faults import Fault, fault_from_json
from localnet.values.hashes import NO_HASH, CryptoHash, child_id, hash_of
from localnet.values.receipt import ActionReceipt, DataReceipt, DataReceiver
from localnet.vm.errors import CodeDoesNotExist, VmError
from localnet.vm.values import CallContext, NewReceipt, ReceiptIndex, VmOutcome

_LAST_ACTION_NUMBER = 2**64 - 1


def deploy_contract(run: Run, code: bytes) -> None:
    """Put a contract on the account. The code is looked at when it is called."""
    account = run.existing_account()
    before = len(run.world.code(run.account_id) or b"")
    run.world.put(Key(Table.CODE, run.account_id, b""), code)
    usage = max(0, account.storage_usage_bytes - before) + len(code)
    run.account = replace(account, code_hash=hash_of(code), storage_usage_bytes=usage)


class AccountState:
    """What a call may read of its account (`localnet.vm.External`)."""

    __slots__ = ("_account_id", "_world")

    def __init__(self, world: World, account_id: str) -> None:
        self._world, self._account_id = world, account_id

    def storage_get(self, key: bytes) -> bytes | None:
        """The value under a key."""
        return self._world.data(self._account_id, key)

    def yield_exists(self, data_id: bytes) -> bool:
        """Whether a yield waits for this data id, or was resumed and has not run yet."""
        return yields.exists(self._world, self._account_id, data_id)


def function_call(run: Run, call: FunctionCall, index: int) -> None:
    """Call the account's contract; what it wrote, made and spent becomes part of the run."""
    account = run.existing_account()
    code = run.world.code(run.account_id)
    if code is None:
        raise _call_failed(CodeDoesNotExist(run.account_id))
    context = _context(run, call, index)
    outcome = run.environment.machine.run(
        code, call.method_name, context, AccountState(run.world, run.account_id), code_hash=account.code_hash
    )
    run.gas_burnt += outcome.burnt_gas
    run.gas_used += outcome.used_gas
    run.logs.extend(outcome.logs)
    if outcome.error is not None:
        raise _call_failed(outcome.error)
    _adopt(run, outcome)


def _call_failed(error: VmError) -> ActionFailed:
    return ActionFailed.of(Fault("FunctionCallError", _vm_fault(error).to_json()))


def _vm_fault(error: VmError) -> Fault:
    return fault_from_json(error.kind)  # type: ignore[arg-type]


def _context(run: Run, call: FunctionCall, index: int) -> CallContext:
    receipt, account, header = run.receipt, run.existing_account(), run.environment.header
    action_hash = child_id(receipt.receipt_id, header.height, _LAST_ACTION_NUMBER - index)
    is_last = index + 1 == len(receipt.actions)
    return CallContext(
        current_account_id=receipt.receiver_id,
        signer_account_id=receipt.signer_id,
        signer_public_key=receipt.signer_public_key.tagged,
        predecessor_account_id=receipt.predecessor_id,
        refund_to_account_id=receipt.refund_to or receipt.predecessor_id,
        input=call.args,
        promise_results=run.promise_results,
        block_height=header.height,
        block_timestamp_ns=header.timestamp_ns,
        epoch_height=header.epoch_height,
        account_balance_yocto=account.amount_yocto,
        account_locked_yocto=account.locked_yocto,
        storage_usage_bytes=account.storage_usage_bytes,
        attached_deposit_yocto=call.deposit_yocto,
        prepaid_gas=call.gas,
        random_seed=hash_of(action_hash + header.random_value),
        action_hash=action_hash,
        chain_id=run.environment.chain_id,
        output_data_receivers=tuple(receiver.receiver_id for receiver in receipt.output_data_receivers) if is_last else (),
        is_view=False,
    )


def _adopt(run: Run, outcome: VmOutcome) -> None:
    account_id, world, before = run.account_id, run.world, len(run.new_receipts)
    for key, value in outcome.storage_changes.items():
        world.put(Key(Table.DATA, account_id, key), value)
    for made in outcome.receipts:
        run.new_receipts.append(_receipt(run, made))
        if made.yield_data_id is not None:
            yields.begin(world, account_id, made.yield_data_id, run.environment)
    for resume in outcome.resumes:
        yields.mark_resumed(world, account_id, resume.data_id)
        run.new_receipts.append(_resume_receipt(run, resume.data_id, resume.payload))
    run.account = replace(run.existing_account(), amount_yocto=outcome.balance_yocto, storage_usage_bytes=outcome.storage_usage_bytes)
    run.minted_yocto += outcome.subsidized_yocto
    match outcome.return_data:
        case ReceiptIndex(index):
            run.result = PointsTo(before + index)
        case None:
            run.result = b""
        case value:
            run.result = value


def _receipt(run: Run, made: NewReceipt) -> ActionReceipt:
    parent = run.receipt
    return ActionReceipt(
        receipt_id=NO_HASH,
        predecessor_id=parent.receiver_id,
        receiver_id=made.receiver_id,
        signer_id=parent.signer_id,
        signer_public_key=parent.signer_public_key,
        gas_price_yocto=parent.gas_price_yocto,
        output_data_receivers=tuple(DataReceiver(CryptoHash(out.data_id), out.receiver_id) for out in made.output_data_receivers),
        input_data_ids=tuple(CryptoHash(data_id) for data_id in made.input_data_ids),
        actions=made.actions,
        tx_hash=parent.tx_hash,
        is_promise_yield=made.is_yield,
        refund_to=made.refund_to,
    )


def _resume_receipt(run: Run, data_id: bytes, payload: bytes) -> DataReceipt:
    return DataReceipt(
        receipt_id=NO_HASH,
        predecessor_id=run.account_id,
        receiver_id=run.account_id,
        data_id=CryptoHash(data_id),
        data=payload,
        tx_hash=run.receipt.tx_hash,
        is_promise_resume=True,
    )
