"""
Headers: a block's place and time, what it commits to, and the hash that follows from it as on any NEAR chain.

    hash = sha256(sha256(sha256(inner lite) + sha256(inner rest)) + previous hash)

The inner lite part is what light clients know. Whatever this chain has no content for is hashed as it is shown: as zeros, or empty.

Source: near-primitives 0.38, `block_header.rs` (BlockHeaderInnerLite, BlockHeaderInnerRestV6, compute_hash).
"""

from dataclasses import dataclass, replace

from localnet.values.borsh import Writer
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
    hash: CryptoHash
    prev_hash: CryptoHash
    timestamp_ns: int
    random_value: bytes
    """32 bytes, from which each call's `random_seed` is made."""
    chunk_outcome_root: CryptoHash
    """Over the outcomes of the previous block; zeros when it had none."""
    block_merkle_root: CryptoHash
    """Over the hashes of all blocks before this one."""
    terms: Terms

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
    return _hashed(
        Header(
            height=previous.height + 1,
            hash=NO_HASH,
            prev_hash=previous.hash,
            timestamp_ns=timestamp_ns,
            random_value=hash_of(b"random" + previous.random_value + contents),
            chunk_outcome_root=chunk_outcome_root,
            block_merkle_root=block_merkle_root,
            terms=previous.terms,
        )
    )


def first_header(chain_id: str, *, timestamp_ns: int, contents: bytes, terms: Terms) -> Header:
    """The header of the genesis block, height 0."""
    random_value = hash_of(b"genesis" + chain_id.encode() + contents)
    return _hashed(Header(0, NO_HASH, NO_HASH, timestamp_ns, random_value, NO_HASH, NO_HASH, terms))


def _hashed(header: Header) -> Header:
    inner = combine(hash_of(_inner_lite(header)), header.inner_rest_hash)
    return replace(header, hash=combine(inner, header.prev_hash))


def _epoch_id(epoch_height: int) -> CryptoHash:
    return hash_of(b"epoch" + epoch_height.to_bytes(8, "little"))


def _inner_lite(header: Header) -> bytes:
    out = Writer()
    out.u64(header.height)
    out.fixed(header.epoch_id)
    out.fixed(header.next_epoch_id)
    out.fixed(NO_HASH)  # prev_state_root: there is no trie
    out.fixed(header.outcome_root)
    out.u64(header.timestamp_ns)
    out.fixed(NO_HASH)  # next_bp_hash: nobody is elected
    out.fixed(header.block_merkle_root)
    return out.done()


def _inner_rest(header: Header) -> bytes:
    terms, out = header.terms, Writer()
    out.fixed(4 * NO_HASH)  # block_body_hash and the roots over receipts, chunk headers and transactions
    out.fixed(header.random_value)
    out.u32(0)  # prev_validator_proposals
    out.fixed(b"\1\0\0\0\1")  # chunk_mask: the one chunk is there
    out.u128(terms.gas_price_yocto)
    out.u128(terms.total_supply_yocto)
    out.fixed(2 * header.prev_hash)  # last_final_block, last_ds_final_block: every block is final at once
    out.u64(header.height + 1)  # block_ordinal
    out.u64(header.prev_height)
    out.u8(0)  # epoch_sync_data_hash
    out.u32(0)  # approvals
    out.u32(terms.protocol_version)
    out.fixed(b"\1\0\0\0" + bytes(4))  # chunk_endorsements: of the one chunk none
    out.u8(0)  # shard_split
    return out.done()
