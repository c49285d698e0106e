"""
The tree over a block's outcomes; its root is in the next block's header, so that an outcome can be proven under a block hash.

Source: near-primitives 0.38, `transaction.rs` (ExecutionOutcomeWithId::to_hashes, PartialExecutionOutcome).
"""

from collections.abc import Iterable, Sequence
from typing import assert_never

from localnet.values.hashes import CryptoHash, hash_of
from localnet.values.merkle import MerklePath, MerkleTree
from localnet.values.outcome import Failure, Outcome, Status, SuccessReceiptId, SuccessValue


class OutcomeTree:
    """A block's outcomes as leaves: the transactions' first, then the receipts', each in the order in which they were done."""

    __slots__ = ("_ids", "_tree")

    def __init__(self, ids: Sequence[CryptoHash], leaves: Sequence[CryptoHash]) -> None:
        """`ids` and `leaves` of the same outcomes, in the same order."""
        self._ids, self._tree = tuple(ids), MerkleTree(leaves)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> "OutcomeTree":
        """The tree over outcomes."""
        listed = tuple(outcomes)
        return _EMPTY if not listed else cls([outcome.id for outcome in listed], [_leaf(outcome) for outcome in listed])

    @property
    def leaves(self) -> tuple[CryptoHash, ...]:
        """One an outcome."""
        return self._tree.leaves

    @property
    def root(self) -> CryptoHash:
        """32 zero bytes when nothing happened."""
        return self._tree.root

    def path(self, outcome_id: CryptoHash) -> MerklePath:
        """What leads from an outcome to the root."""
        return self.path_at(self._ids.index(outcome_id))

    def path_at(self, place: int) -> MerklePath:
        """What leads to the root from the outcome at a place in the order of the leaves."""
        return self._tree.path(place)


_EMPTY = OutcomeTree((), ())


def outcome_hashes(outcome: Outcome) -> tuple[CryptoHash, ...]:
    """What a leaf is made of: the id, the hash of what came of it, the hash of each log. Of a failure only that it was one."""
    parts = (
        _u32(len(outcome.receipt_ids)),
        *outcome.receipt_ids,
        outcome.gas_burnt.to_bytes(8, "little"),
        outcome.tokens_burnt_yocto.to_bytes(16, "little"),
        _data(outcome.executor_id.encode()),
        _status(outcome.status),
    )
    return (outcome.id, hash_of(b"".join(parts)), *(hash_of(log.encode()) for log in outcome.logs))


def _leaf(outcome: Outcome) -> CryptoHash:
    hashes = outcome_hashes(outcome)
    return hash_of(_u32(len(hashes)) + b"".join(hashes))


def _status(status: Status) -> bytes:
    match status:
        case Failure():
            return b"\1"
        case SuccessValue(value):
            return b"\2" + _data(value)
        case SuccessReceiptId(receipt_id):
            return b"\3" + receipt_id
        case _:
            assert_never(status)


def _data(data: bytes) -> bytes:
    return _u32(len(data)) + data


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "little")
