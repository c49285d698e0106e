"""
What a light client of NEAR is shown: outcomes, and the way from each of them up to one block.

Nothing here is checked; `oracle.near.proof` says what follows from it. Hashes are 32 bytes.

Source: nearcore, `RpcLightClientExecutionProofResponse` and `LightClientBlockLiteView` (near-primitives 0.38).
"""

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Sibling:
    """One step up a Merkle path: the hash beside, and whether it stands to the left."""

    hash: bytes
    is_left: bool


MerklePath = tuple[Sibling, ...]
"""From the leaf up."""

MAX_PATH = 64
"""A tree of blocks or outcomes that is deeper has more leaves than there are numbers for them."""


@dataclass(frozen=True, slots=True)
class LightHeader:
    """A block's header as a light client holds it (`LightClientBlockLiteView`): what is read of it, and a hash of the rest."""

    height: int
    epoch_id: bytes
    next_epoch_id: bytes
    prev_state_root: bytes
    outcome_root: bytes
    """Over the outcomes of the chunks before: a block's own outcomes are under the header of a later one."""
    timestamp_ns: int
    next_bp_hash: bytes
    block_merkle_root: bytes
    """Over the hashes of all blocks before, the genesis block first."""
    inner_rest_hash: bytes
    prev_block_hash: bytes


class Ending(StrEnum):
    """How a transaction or receipt ended, in the words of nodes (`ExecutionStatusView`)."""

    UNKNOWN = "Unknown"
    FAILURE = "Failure"
    VALUE = "SuccessValue"
    RECEIPT = "SuccessReceiptId"


@dataclass(frozen=True, slots=True)
class ProvableOutcome:
    """
    The part of an outcome that its proof covers; of a failure not the reason.

    `value`: what was returned, or the id of the receipt whose value it will be; empty for the other endings.
    """

    id: bytes
    executor_id: str
    ending: Ending
    value: bytes = field(repr=False)
    logs: tuple[str, ...] = field(repr=False)
    receipt_ids: tuple[bytes, ...]
    gas_burnt: int
    tokens_burnt_yocto: int

    @property
    def went_through(self) -> bool:
        """Whether what it did counts."""
        return self.ending in {Ending.VALUE, Ending.RECEIPT}


@dataclass(frozen=True, slots=True)
class BlockProof:
    """A block, and its way up to the `block_merkle_root` of a later one."""

    header: LightHeader
    block_path: MerklePath


@dataclass(frozen=True, slots=True)
class OutcomeProof:
    """
    An outcome, and its way up: to its shard's root, to the `outcome_root` of a block, and from there on as a `BlockProof`.

    `block_hash`: what the node called that block.
    """

    outcome: ProvableOutcome
    path: MerklePath
    root_path: MerklePath
    block_hash: bytes
    block: BlockProof


@dataclass(frozen=True, slots=True)
class ChainProofs:
    """
    What speaks for a request, its answer and its end, under one block.

    `request`: the outcomes of the request's transaction and of each receipt that leads to the one which made the request, in order.
    `answer`: of the answer's transaction and of its function call. `settled`: of the receipt that told the end. `blocks`: the genesis
    block, and blocks in which something ran. Transactions are exact bytes, borsh(SignedTransaction); the request's is there only where
    its arguments are needed.
    """

    head: LightHeader
    request: tuple[OutcomeProof, ...] = ()
    answer: tuple[OutcomeProof, ...] = ()
    settled: OutcomeProof | None = None
    blocks: tuple[BlockProof, ...] = ()
    request_transaction: bytes | None = field(default=None, repr=False)
    answer_transaction: bytes | None = field(default=None, repr=False)

    @property
    def outcomes(self) -> tuple[OutcomeProof, ...]:
        """All of them."""
        return self.request + self.answer + (() if self.settled is None else (self.settled,))
