"""
Receipts and outcomes as bytes, for the directory a chain is kept in.

The layout is this chain's own, of borsh's building blocks (nearcore's receipts lack the transaction's hash);
`localnet.state.sqlite` has its version.
"""

import json

from localnet.values import action_codec
from localnet.values.borsh import BorshError, Reader, Writer
from localnet.values.faults import ActionError, fault_from_json
from localnet.values.hashes import CryptoHash
from localnet.values.outcome import Failure, Outcome, Status, SuccessReceiptId, SuccessValue
from localnet.values.receipt import ActionReceipt, DataReceipt, DataReceiver, Receipt

_MOST = 1 << 20
"""Entries of a list: above every limit of the chain, so that only damage is refused."""


def write_receipt(receipt: Receipt) -> bytes:
    """A receipt as bytes."""
    out = Writer()
    out.u8(isinstance(receipt, DataReceipt))
    out.fixed(receipt.receipt_id)
    out.fixed(receipt.tx_hash)
    out.text(receipt.predecessor_id)
    out.text(receipt.receiver_id)
    if isinstance(receipt, DataReceipt):
        out.fixed(receipt.data_id)
        _write_optional(out, receipt.data)
        out.u8(receipt.is_promise_resume)
    else:
        _write_action_receipt(out, receipt)
    return out.done()


def _write_action_receipt(out: Writer, receipt: ActionReceipt) -> None:
    out.text(receipt.signer_id)
    out.fixed(receipt.signer_public_key.tagged)
    out.u128(receipt.gas_price_yocto)
    out.u32(len(receipt.output_data_receivers))
    for receiver in receipt.output_data_receivers:
        out.fixed(receiver.data_id)
        out.text(receiver.receiver_id)
    out.u32(len(receipt.input_data_ids))
    for data_id in receipt.input_data_ids:
        out.fixed(data_id)
    action_codec.write_actions(out, receipt.actions)
    out.u8(receipt.is_promise_yield)
    _write_optional(out, None if receipt.refund_to is None else receipt.refund_to.encode())


def read_receipt(data: bytes) -> Receipt:
    """Read what `write_receipt` wrote. Raises `BorshError`."""
    source = Reader(data)
    receipt = _read_data_receipt(source) if source.u8() else _read_action_receipt(source)
    source.end()
    return receipt


def _read_data_receipt(source: Reader) -> DataReceipt:
    receipt_id, tx_hash = CryptoHash(source.fixed(32)), CryptoHash(source.fixed(32))
    return DataReceipt(
        receipt_id=receipt_id,
        tx_hash=tx_hash,
        predecessor_id=source.text(),
        receiver_id=source.text(),
        data_id=CryptoHash(source.fixed(32)),
        data=source.option(source.data),
        is_promise_resume=bool(source.u8()),
    )


def _read_action_receipt(source: Reader) -> ActionReceipt:
    receipt_id, tx_hash = CryptoHash(source.fixed(32)), CryptoHash(source.fixed(32))
    return ActionReceipt(
        receipt_id=receipt_id,
        tx_hash=tx_hash,
        predecessor_id=source.text(),
        receiver_id=source.text(),
        signer_id=source.text(),
        signer_public_key=action_codec.read_public_key(source),
        gas_price_yocto=source.u128(),
        output_data_receivers=source.many(
            lambda: DataReceiver(CryptoHash(source.fixed(32)), source.text()), what="data receivers", most=_MOST
        ),
        input_data_ids=source.many(lambda: CryptoHash(source.fixed(32)), what="data ids", most=_MOST),
        actions=action_codec.read_actions(source),
        is_promise_yield=bool(source.u8()),
        refund_to=source.option(source.text),
    )


def _write_optional(out: Writer, data: bytes | None) -> None:
    out.u8(data is not None)
    if data is not None:
        out.data(data)


def write_outcome(outcome: Outcome) -> bytes:
    """An outcome as bytes."""
    out = Writer()
    out.fixed(outcome.id)
    out.fixed(outcome.block_hash)
    out.u64(outcome.block_height)
    out.text(outcome.executor_id)
    out.u32(len(outcome.logs))
    for log in outcome.logs:
        out.text(log)
    out.u32(len(outcome.receipt_ids))
    for receipt_id in outcome.receipt_ids:
        out.fixed(receipt_id)
    out.u64(outcome.gas_burnt)
    out.u128(outcome.tokens_burnt_yocto)
    match outcome.status:
        case SuccessValue(value):
            out.u8(0)
            out.data(value)
        case SuccessReceiptId(receipt_id):
            out.u8(1)
            out.fixed(receipt_id)
        case Failure(error):
            out.u8(2)
            out.text(json.dumps([error.index, error.kind.to_json()]))
    return out.done()


def read_outcome(data: bytes) -> Outcome:
    """Read what `write_outcome` wrote. Raises `BorshError`."""
    source = Reader(data)
    outcome = Outcome(
        id=CryptoHash(source.fixed(32)),
        block_hash=CryptoHash(source.fixed(32)),
        block_height=source.u64(),
        executor_id=source.text(),
        logs=source.many(source.text, what="logs", most=_MOST),
        receipt_ids=source.many(lambda: CryptoHash(source.fixed(32)), what="receipt ids", most=_MOST),
        gas_burnt=source.u64(),
        tokens_burnt_yocto=source.u128(),
        status=_read_status(source),
    )
    source.end()
    return outcome


def _read_status(source: Reader) -> Status:
    match source.u8():
        case 0:
            return SuccessValue(source.data())
        case 1:
            return SuccessReceiptId(CryptoHash(source.fixed(32)))
        case 2:
            index, kind = json.loads(source.text())
            return Failure(ActionError(index, fault_from_json(kind)))
        case tag:
            raise BorshError(f"no status has the tag {tag}")
