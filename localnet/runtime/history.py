"""Following a transaction through its receipts."""

from localnet.state.store import Store
from localnet.values.final_outcome import FinalOutcome
from localnet.values.hashes import CryptoHash
from localnet.values.outcome import Outcome
from localnet.values.receipt import ActionReceipt


def final_outcome(store: Store, tx_hash: bytes) -> FinalOutcome | None:
    """A transaction of a block, with what has come of it; None when no block (that is still kept) has it."""
    found = store.transaction(tx_hash)
    if found is None:
        return None
    signed, transaction_outcome = found
    receipts, outcomes, pending = list[ActionReceipt](), list[Outcome](), list[CryptoHash]()
    stack = list(reversed(transaction_outcome.receipt_ids))
    while stack:
        receipt_id = stack.pop()
        receipt, outcome = store.receipt(receipt_id), store.outcome(receipt_id)
        if isinstance(receipt, ActionReceipt):
            receipts.append(receipt)
        if outcome is None:
            pending.append(receipt_id)
        else:
            outcomes.append(outcome)
            stack.extend(reversed(outcome.receipt_ids))
    return FinalOutcome(signed, transaction_outcome, tuple(receipts), tuple(outcomes), tuple(pending))
