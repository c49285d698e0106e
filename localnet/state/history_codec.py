"""
Headers and blocks as bytes, for the directory a chain is kept in; a block's contents are ids of rows kept beside it.

The leaves of its outcome tree are among them, so that a proof needs no outcome but the one it is of.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from localnet.values.block import Block
from localnet.values.borsh import Reader, Writer
from localnet.values.hashes import CryptoHash
from localnet.values.header import Header, Terms
from localnet.values.outcome_tree import OutcomeTree

_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """What a block consists of."""

    transactions: tuple[CryptoHash, ...]
    receipts: tuple[CryptoHash, ...]
    executed: tuple[CryptoHash, ...]
    leaves: tuple[CryptoHash, ...]

    @property
    def outcome_tree(self) -> OutcomeTree:
        """The tree over the block's outcomes."""
        return OutcomeTree(self.transactions + self.executed, self.leaves)


def write_header(header: Header) -> bytes:
    """A header as bytes."""
    out = Writer()
    out.u64(header.height)
    out.fixed(header.prev_hash)
    out.u64(header.timestamp_ns)
    out.fixed(header.random_value)
    out.fixed(header.chunk_outcome_root)
    out.fixed(header.block_merkle_root)
    out.u32(header.terms.protocol_version)
    out.u128(header.terms.gas_price_yocto)
    out.u128(header.terms.total_supply_yocto)
    return out.done()


def read_header(data: bytes) -> Header:
    """Read what `write_header` wrote. Raises `BorshError`."""
    source = Reader(data)
    return Header(
        height=source.u64(),
        prev_hash=_read_hash(source),
        timestamp_ns=source.u64(),
        random_value=source.fixed(32),
        chunk_outcome_root=_read_hash(source),
        block_merkle_root=_read_hash(source),
        terms=Terms(protocol_version=source.u32(), gas_price_yocto=source.u128(), total_supply_yocto=source.u128()),
    )


def write_contents(block: Block) -> bytes:
    """The ids of a block's contents, and the leaves of its outcome tree."""
    out = Writer()
    for ids in (
        [done.signed.hash for done in block.transactions],
        [receipt.receipt_id for receipt in block.receipts],
        [run.outcome.id for run in block.executed],
        block.outcome_tree.leaves,
    ):
        out.u32(len(ids))
        out.fixed(b"".join(ids))
    return out.done()


def read_contents(data: bytes) -> Contents:
    """Read what `write_contents` wrote. Raises `BorshError`."""
    source = Reader(data)

    def ids() -> tuple[CryptoHash, ...]:
        return source.many(lambda: _read_hash(source), what="ids", most=_MOST)

    return Contents(ids(), ids(), ids(), ids())


def write_nodes(nodes: Iterable[CryptoHash]) -> bytes:
    """Nodes of the block tree, upwards."""
    return b"".join(nodes)


def read_node(nodes: bytes, level: int) -> CryptoHash:
    """One of what `write_nodes` wrote."""
    return CryptoHash(nodes[32 * level : 32 * (level + 1)])


def _read_hash(source: Reader) -> CryptoHash:
    return CryptoHash(source.fixed(32))
