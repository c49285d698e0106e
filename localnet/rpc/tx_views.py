"""
Final outcomes in the JSON of NEAR nodes.

Source: near-primitives 0.38, `views.rs` (FinalExecutionOutcomeView, FinalExecutionOutcomeWithReceiptView).
"""

from collections.abc import Mapping
from typing import Any

from localnet.rpc.progress import Progress
from localnet.rpc.views import Json, outcome_view, receipt_view, status_view, transaction_view
from localnet.values.final_outcome import FinalOutcome
from localnet.values.hashes import CryptoHash
from localnet.values.merkle import MerklePath


def progress_view(progress: Progress, *, with_receipts: bool = False) -> Json:
    """`RpcTransactionResponse`: how far a transaction got, and once a block has it, its outcome."""
    view: Json = {"final_execution_status": progress.status.value}
    if progress.outcome is not None:
        view |= _final_outcome_view(progress.outcome, progress.paths)
        if with_receipts:
            view["receipts"] = _receipts(progress.outcome)
    return view


def _final_outcome_view(outcome: FinalOutcome, paths: Mapping[CryptoHash, MerklePath]) -> Json:
    return {
        "status": _final_status(outcome),
        "transaction": transaction_view(outcome.signed),
        "transaction_outcome": outcome_view(outcome.transaction_outcome, paths[outcome.transaction_outcome.id]),
        "receipts_outcome": [outcome_view(each, paths[each.id]) for each in outcome.receipt_outcomes],
    }


def _final_status(outcome: FinalOutcome) -> Any:
    status = outcome.status
    return "Started" if status is None else status_view(status)


def _receipts(outcome: FinalOutcome) -> list[Json]:
    """Those that ran, but not the receipt of a transaction to oneself: nodes do not keep it."""
    transaction = outcome.signed.transaction
    hidden = set(outcome.pending)
    if transaction.signer_id == transaction.receiver_id:
        hidden.update(outcome.transaction_outcome.receipt_ids)
    return [receipt_view(receipt) for receipt in outcome.receipts if receipt.receipt_id not in hidden]
