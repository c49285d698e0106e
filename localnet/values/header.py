"""
Headers: a block's place and time, what it commits to, and the hash that follows from it as on any NEAR chain.

    hash = sha256(sha256(sha256(inner lite) + sha256(inner rest)) + previous hash)

The inner lite part is what light clients know. Whatever this chain has no content for is hashed as it is shown: as zeros, or empty.

Source: near-primitives 0.38, `block_header.rs` (BlockHeaderInnerLite, BlockHeaderInnerRestV6, compute_hash).
"""

from dataclasses import dataclass, field
from functools import lru_cache

from localnet.values.hashes import NO_HASH, CryptoHash, hash_of
from localnet.values.merkle import combine

EPOCH_LENGTH_BLOCKS = 43_200


@dataclass(frozen=True, slots=True)
class Terms:
    """What does not change from block to block, and is hashed all the same."""

    protocol_version: int
    gas_price_yocto: int
    total_supply_yocto: int


@dataclass(frozen=True, slots=True)
class Header:
    """A block's place and time, and what was before it."""

    height: int
    prev_hash: CryptoHash
    timestamp_ns: int
    random_value: bytes
    """32 bytes, from which each call's `random_seed` is made."""
    chunk_outcome_root: CryptoHash
    """Over the outcomes of the previous block; zeros when it had none."""
    block_merkle_root: CryptoHash
    """Over the hashes of all blocks before this one."""
    terms: Terms
    hash: CryptoHash = field(init=False)
    """Follows from all the others."""

    def __post_init__(self) -> None:
        inner = combine(hash_of(_inner_lite(self)), self.inner_rest_hash)
        object.__setattr__(self, "hash", combine(inner, self.prev_hash))

    @property
    def outcome_root(self) -> CryptoHash:
        """Over the outcome roots of the block's chunks, of which there is one."""
        return hash_of(self.chunk_outcome_root) if self.height else NO_HASH

    @property
    def prev_height(self) -> int:
        """The previous block's height; 0 of the first, as nodes write it."""
        return max(0, self.height - 1)

    @property
    def epoch_height(self) -> int:
        """How many epochs there have been; an epoch has 43,200 blocks."""
        return 1 + self.height // EPOCH_LENGTH_BLOCKS

    @property
    def epoch_id(self) -> CryptoHash:
        """A hash that names the epoch."""
        return _epoch_id(self.epoch_height)

    @property
    def next_epoch_id(self) -> CryptoHash:
        """The id of the epoch after the block's."""
        return _epoch_id(self.epoch_height + 1)

    @property
    def inner_rest_hash(self) -> CryptoHash:
        """Of what light clients need not know."""
        return hash_of(_inner_rest(self))


def make_header(
    previous: Header, *, timestamp_ns: int, contents: bytes, chunk_outcome_root: CryptoHash, block_merkle_root: CryptoHash
) -> Header:
    """The header that follows; its hash covers its place, its time, what was before, and the 32-byte hash of what may go into the block."""
    return Header(
        height=previous.height + 1,
        prev_hash=previous.hash,
        timestamp_ns=timestamp_ns,
        random_value=hash_of(b"random" + previous.random_value + contents),
        chunk_outcome_root=chunk_outcome_root,
        block_merkle_root=block_merkle_root,
        terms=previous.terms,
    )


def first_header(chain_id: str, *, timestamp_ns: int, contents: bytes, terms: Terms) -> Header:
    """The header of the genesis block, height 0."""
    random_value = hash_of(b"genesis" + chain_id.encode() + contents)
    return Header(0, NO_HASH, timestamp_ns, random_value, NO_HASH, NO_HASH, terms)


@lru_cache(maxsize=64)
def _epoch_id(epoch_height: int) -> CryptoHash:
    return hash_of(b"epoch" + epoch_height.to_bytes(8, "little"))


def _inner_lite(header: Header) -> bytes:
    parts = (
        header.height.to_bytes(8, "little"),
        header.epoch_id,
        header.next_epoch_id,
        NO_HASH,  # prev_state_root: there is no trie
        header.outcome_root,
        header.timestamp_ns.to_bytes(8, "little"),
        NO_HASH,  # next_bp_hash: nobody is elected
        header.block_merkle_root,
    )
    return b"".join(parts)


_NO_ROOTS = 4 * NO_HASH  # block_body_hash, and the roots over receipts, chunk headers and transactions
_NO_PROPOSALS = bytes(4)
_CHUNK_MASK = b"\1\0\0\0\1"  # the one chunk is there
_NO_SYNC, _NO_APPROVALS = b"\0", bytes(4)
_CHUNK_ENDORSEMENTS = b"\1\0\0\0" + bytes(4)  # of the one chunk none
_NO_SPLIT = b"\0"


def _inner_rest(header: Header) -> bytes:
    terms = header.terms
    parts = (
        _NO_ROOTS,
        header.random_value,
        _NO_PROPOSALS,
        _CHUNK_MASK,
        terms.gas_price_yocto.to_bytes(16, "little"),
        terms.total_supply_yocto.to_bytes(16, "little"),
        header.prev_hash,  # last_final_block and
        header.prev_hash,  # last_ds_final_block: every block is final at once
        (header.height + 1).to_bytes(8, "little"),  # block_ordinal
        header.prev_height.to_bytes(8, "little"),
        _NO_SYNC,
        _NO_APPROVALS,
        terms.protocol_version.to_bytes(4, "little"),
        _CHUNK_ENDORSEMENTS,
        _NO_SPLIT,
    )
    return b"".join(parts)
