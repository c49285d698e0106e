"""Blocks: when something happened, and everything that happened in it. One chunk a block, because there is one shard."""

from dataclasses import dataclass

from localnet.values.hashes import CryptoHash, hash_of
from localnet.values.outcome import Outcome
from localnet.values.receipt import ActionReceipt, Receipt
from localnet.values.transaction import SignedTransaction

EPOCH_LENGTH_BLOCKS = 43_200


@dataclass(frozen=True, slots=True)
class Header:
    """A block's place and time."""

    height: int
    hash: CryptoHash
    prev_hash: CryptoHash
    timestamp_ns: int
    random_value: bytes
    """32 bytes, from which each call's `random_seed` is made."""

    @property
    def epoch_height(self) -> int:
        """How many epochs there have been; an epoch has 43,200 blocks."""
        return 1 + self.height // EPOCH_LENGTH_BLOCKS

    @property
    def epoch_id(self) -> CryptoHash:
        """A hash that names the epoch."""
        return hash_of(b"epoch" + self.epoch_height.to_bytes(8, "little"))


@dataclass(frozen=True, slots=True)
class ExecutedTransaction:
    """A transaction of a block; its outcome names the receipt it became."""

    signed: SignedTransaction
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ExecutedReceipt:
    """A receipt that ran in a block; `receipt.tx_hash` is the transaction it comes from."""

    receipt: ActionReceipt
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Block:
    """A block's contents, each in the order in which it was done."""

    header: Header
    transactions: tuple[ExecutedTransaction, ...]
    receipts: tuple[Receipt, ...]
    """What came in: made in earlier blocks, or (signer is receiver) by a transaction of this one."""
    executed: tuple[ExecutedReceipt, ...]


def make_header(previous: Header, *, timestamp_ns: int, contents: bytes) -> Header:
    """The header that follows; its hash covers its place, its time and the 32-byte hash of what goes into the block."""
    height = previous.height + 1
    random_value = hash_of(b"random" + previous.random_value + contents)
    number_and_time = height.to_bytes(8, "little") + timestamp_ns.to_bytes(8, "little")
    return Header(
        height=height,
        hash=hash_of(b"block" + previous.hash + number_and_time + random_value),
        prev_hash=previous.hash,
        timestamp_ns=timestamp_ns,
        random_value=random_value,
    )


def first_header(chain_id: str, *, timestamp_ns: int, contents: bytes) -> Header:
    """The header of the genesis block, height 0."""
    random_value = hash_of(b"genesis" + chain_id.encode() + contents)
    return Header(
        0, hash_of(b"block" + timestamp_ns.to_bytes(8, "little") + random_value), CryptoHash(bytes(32)), timestamp_ns, random_value
    )
