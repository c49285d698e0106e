"""
Receipts: which run now and which wait, and how an action receipt runs as a whole.

Source: nearcore `lib.rs` (`process_receipt`, `apply_action_receipt`).
"""

from dataclasses import dataclass, replace

from localnet.runtime import refunds, yields
from localnet.runtime.actions import apply_action
from localnet.runtime.environment import Environment
from localnet.runtime.run import ActionFailed, PointsTo, Run
from localnet.runtime.storage import missing_for_storage
from localnet.runtime.validation import InvalidActions, validate_new_receipt
from localnet.state.tables import Key, ReceivedData, Table
from localnet.state.world import World
from localnet.values.actions import DeleteAccount
from localnet.values.block import ExecutedReceipt
from localnet.values.faults import ActionError, Fault
from localnet.values.hashes import NO_HASH, child_id
from localnet.values.outcome import Failure, Outcome, Status, SuccessReceiptId, SuccessValue
from localnet.values.receipt import ActionReceipt, DataReceipt, Receipt


@dataclass(frozen=True, slots=True)
class Processed:
    """What a receipt led to, when it ran."""

    executed: ExecutedReceipt
    new_receipts: tuple[Receipt, ...]
    burnt_yocto: int
    minted_yocto: int


def process(world: World, environment: Environment, receipt: Receipt) -> Processed | None:
    """Take a receipt in: run it, or the one that waited for it, or keep it. What was written is kept in the world's block."""
    if isinstance(receipt, DataReceipt):
        ready = _resumed(world, receipt) if receipt.is_promise_resume else _completed(world, receipt)
    else:
        ready = _ready(world, receipt)
    world.keep()
    return None if ready is None else _run(world, environment, ready)


def _ready(world: World, receipt: ActionReceipt) -> ActionReceipt | None:
    """The receipt itself when nothing is missing; else it is put by."""
    account_id = receipt.receiver_id
    if receipt.is_promise_yield:
        world.put(Key(Table.YIELD, account_id, receipt.input_data_ids[0]), receipt)
        return None
    missing = [data_id for data_id in receipt.input_data_ids if world.received(account_id, data_id) is None]
    if not missing:
        return receipt
    for data_id in missing:
        world.put(Key(Table.AWAITING, account_id, data_id), receipt.receipt_id)
    world.put(Key(Table.PENDING_COUNT, account_id, receipt.receipt_id), len(missing))
    world.put(Key(Table.POSTPONED, account_id, receipt.receipt_id), receipt)
    return None


def _completed(world: World, data: DataReceipt) -> ActionReceipt | None:
    """The receipt for which this was the last result to come."""
    account_id = data.receiver_id
    world.put(Key(Table.RECEIVED_DATA, account_id, data.data_id), ReceivedData(data.data))
    receipt_id = world.awaiting(account_id, data.data_id)
    if receipt_id is None:
        return None
    world.put(Key(Table.AWAITING, account_id, data.data_id), None)
    count_key, receipt_key = Key(Table.PENDING_COUNT, account_id, receipt_id), Key(Table.POSTPONED, account_id, receipt_id)
    pending: int = world.get(count_key) - 1
    if pending > 0:
        world.put(count_key, pending)
        return None
    ready: ActionReceipt = world.get(receipt_key)
    world.put(count_key, None)
    world.put(receipt_key, None)
    return ready


def _resumed(world: World, data: DataReceipt) -> ActionReceipt | None:
    """The yield that this resumes; a time-out does nothing when a resume is under way, and a second resume nothing at all."""
    account_id = data.receiver_id
    if data.data is None and yields.is_resumed(world, account_id, data.data_id):
        return None
    waiting = world.stored_yield(account_id, data.data_id)
    if waiting is None:
        return None
    yields.end(world, account_id, data.data_id)
    world.put(Key(Table.RECEIVED_DATA, account_id, data.data_id), ReceivedData(data.data))
    return waiting


def _run(world: World, environment: Environment, receipt: ActionReceipt) -> Processed:
    results = _take_results(world, receipt)
    world.keep()
    account = world.account(receipt.receiver_id)
    fee = environment.fees.new_receipt_execution
    run = Run(world, environment, receipt, results, account, receipt.predecessor_id, gas_burnt=fee, gas_used=fee)
    error = _run_actions(run)
    if error is None:
        error = _check_storage(run)
    created = account is None and run.account is not None and error is None
    if error is not None:
        world.discard()
        run.new_receipts, run.minted_yocto = [], 0
    elif run.account is not None:
        world.set_account(receipt.receiver_id, run.account)
    burnt = refunds.settle(run, failed=error is not None, created_account=created)
    world.keep()
    _pass_on_result(run, error)
    return _finish(run, error, burnt)


def _take_results(world: World, receipt: ActionReceipt) -> tuple[bytes | None, ...]:
    results = []
    for data_id in receipt.input_data_ids:
        received = world.received(receipt.receiver_id, data_id)
        assert received is not None
        results.append(received.data)
        world.put(Key(Table.RECEIVED_DATA, receipt.receiver_id, data_id), None)
    return tuple(results)


def _run_actions(run: Run) -> ActionError | None:
    limits = run.environment.parameters.limits
    for index, action in enumerate(run.receipt.actions):
        before = len(run.new_receipts)
        try:
            apply_action(run, action, index)
            for made in run.new_receipts[before:]:
                if isinstance(made, ActionReceipt):
                    validate_new_receipt(made, limits)
        except ActionFailed as failed:
            return ActionError(index, failed.fault)
        except InvalidActions as refused:
            return ActionError(index, Fault("NewReceiptValidationError", refused.fault.to_json()))
    return None


def _check_storage(run: Run) -> ActionError | None:
    if run.account is None or not (missing := missing_for_storage(run.account, run.environment.parameters)):
        return None
    return ActionError(None, Fault("LackBalanceForState", {"account_id": run.account_id, "amount": str(missing)}))


def _pass_on_result(run: Run, error: ActionError | None) -> None:
    """Send the result to whoever awaits it, or let the receipt that gives it do so."""
    receivers = run.receipt.output_data_receivers
    if not receivers:
        return
    if error is None and isinstance(run.result, PointsTo):
        index = run.result.receipt_index
        giver = run.new_receipts[index]
        assert isinstance(giver, ActionReceipt)
        run.new_receipts[index] = replace(giver, output_data_receivers=giver.output_data_receivers + receivers)
        return
    data = run.result if error is None and isinstance(run.result, bytes) else None
    for receiver in receivers:
        run.new_receipts.append(DataReceipt(NO_HASH, run.account_id, receiver.receiver_id, receiver.data_id, data, run.receipt.tx_hash))


def _finish(run: Run, error: ActionError | None, burnt_yocto: int) -> Processed:
    environment, parent = run.environment, run.receipt
    made = tuple(
        receipt.with_id(child_id(parent.receipt_id, environment.height, number)) for number, receipt in enumerate(run.new_receipts)
    )
    status: Status
    if error is not None:
        status = Failure(error)
    elif isinstance(run.result, PointsTo):
        status = SuccessReceiptId(made[run.result.receipt_index].receipt_id)
    else:
        status = SuccessValue(run.result)
    outcome = Outcome(
        id=parent.receipt_id,
        block_hash=environment.header.hash,
        block_height=environment.height,
        executor_id=parent.receiver_id,
        logs=tuple(run.logs),
        receipt_ids=tuple(receipt.receipt_id for receipt in made if isinstance(receipt, ActionReceipt)),
        gas_burnt=run.gas_burnt,
        tokens_burnt_yocto=0 if run.is_refund else burnt_yocto,
        status=status,
    )
    return Processed(ExecutedReceipt(parent, outcome), made, burnt_yocto, run.minted_yocto)


def is_instant(receipt: Receipt) -> bool:
    """Whether a new receipt runs right after the one that made it: a yield, or nothing but the deletion of an account."""
    if isinstance(receipt, DataReceipt):
        return False
    is_deletion = len(receipt.actions) == 1 and isinstance(receipt.actions[0], DeleteAccount) and not receipt.input_data_ids
    return receipt.is_promise_yield or is_deletion
