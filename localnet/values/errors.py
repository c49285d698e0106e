"""
ChainError
├── MalformedTransaction   the bytes cannot be read as a transaction of this chain
├── InvalidTransaction     the chain refuses a transaction, for one of nearcore's reasons
├── PoolFull               too many transactions wait; try again after the next block
├── TimeOutOfRange         the chain's clock does not go back, nor beyond what a timestamp holds
├── ExecutionFailed        a transaction ran and failed (raised on demand only)
├── ViewFailed             a view call failed
├── UnknownBlock, UnknownTransaction, UnknownReceipt, UnknownOutcome, UnknownAccount, UnknownAccessKey, NoContractCode
├── NotConfirmed           no header commits to an outcome yet; the next block's will
├── NotInHead              a block is to be proven under an older one
└── GarbageCollected       the state of an older block is asked for; only the latest is kept
"""

from localnet.values.faults import ActionError, Fault, Json
from localnet.values.hashes import CryptoHash, hash_to_text
from localnet.values.keys import PublicKey


class ChainError(Exception):
    """Root of the tree."""


class MalformedTransaction(ChainError):
    """The bytes cannot be read; the text says where and why."""


class InvalidTransaction(ChainError):
    """Refused before it ran; nothing was charged. `fault` is nearcore's `InvalidTxError`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault

    def to_json(self) -> Json:
        """`TxExecutionError` as nodes report it: `{"InvalidTxError": …}`."""
        return {"InvalidTxError": self.fault.to_json()}


class PoolFull(ChainError):
    """The pool of waiting transactions is at its limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} transactions wait for a block already; send again after the next one")
        self.limit = limit


class TimeOutOfRange(ChainError, ValueError):
    """The chain's clock cannot be put forward by that much."""

    def __init__(self, seconds: float, *, latest_ns: int) -> None:
        super().__init__(
            f"the chain's clock cannot go on by {seconds} s: it never goes back, and at most to {latest_ns} ns since 1970 (the year 2262)"
        )
        self.seconds, self.latest_ns = seconds, latest_ns


class ExecutionFailed(ChainError):
    """A transaction failed after it was accepted; the gas burnt stays paid."""

    def __init__(self, error: ActionError, tx_hash: CryptoHash) -> None:
        super().__init__(f"transaction {hash_to_text(tx_hash)} failed: {error}")
        self.error, self.tx_hash = error, tx_hash


class ViewFailed(ChainError):
    """A view call failed; `text` is what a node says after "wasm execution failed with error: "."""

    def __init__(self, text: str, *, logs: tuple[str, ...]) -> None:
        super().__init__(f"wasm execution failed with error: {text}")
        self.text, self.logs = text, logs


class UnknownBlock(ChainError):
    """There is no such block, or not any more."""

    def __init__(self, which: int | bytes) -> None:
        super().__init__(f"no block {which if isinstance(which, int) else hash_to_text(which)} is kept")
        self.which = which


class UnknownTransaction(ChainError):
    """The chain never saw this transaction, or has forgotten it."""

    def __init__(self, tx_hash: bytes) -> None:
        super().__init__(f"Transaction {hash_to_text(tx_hash)} doesn't exist")
        self.tx_hash = tx_hash


class UnknownReceipt(ChainError):
    """The chain never made this receipt, or has forgotten it."""

    def __init__(self, receipt_id: bytes) -> None:
        super().__init__(f"Receipt {hash_to_text(receipt_id)} doesn't exist")
        self.receipt_id = receipt_id


class UnknownOutcome(ChainError):
    """No transaction or receipt with this id ran, or it is forgotten."""

    def __init__(self, outcome_id: CryptoHash) -> None:
        super().__init__(f"{hash_to_text(outcome_id)} does not exist")
        self.outcome_id = outcome_id


class NotConfirmed(ChainError):
    """What ran in the latest block has no proof yet."""

    def __init__(self, outcome_id: CryptoHash, height: int) -> None:
        super().__init__(f"{hash_to_text(outcome_id)} has not been confirmed")
        self.outcome_id, self.height = outcome_id, height


class NotInHead(ChainError):
    """A header commits to the blocks before it and to no later one."""

    def __init__(self, block_hash: CryptoHash, head_hash: CryptoHash) -> None:
        super().__init__(f"block {hash_to_text(block_hash)} is ahead of head block {hash_to_text(head_hash)}")
        self.block_hash, self.head_hash = block_hash, head_hash


class UnknownAccount(ChainError):
    """There is no such account."""

    def __init__(self, account_id: str) -> None:
        super().__init__(f"account {account_id} does not exist while viewing")
        self.account_id = account_id


class UnknownAccessKey(ChainError):
    """The account has no such key."""

    def __init__(self, account_id: str, public_key: PublicKey) -> None:
        super().__init__(f"access key {public_key} does not exist while viewing")
        self.account_id, self.public_key = account_id, public_key


class NoContractCode(ChainError):
    """The account has no contract."""

    def __init__(self, account_id: str) -> None:
        super().__init__(f"Contract code for contract ID #{account_id} has never been observed on the node")
        self.account_id = account_id


class GarbageCollected(ChainError):
    """Only the state after the latest block is kept."""

    def __init__(self, height: int, latest: int) -> None:
        super().__init__(f"the state after block {height} is not kept, only that after the latest block {latest}; ask for finality final")
        self.height, self.latest = height, latest
