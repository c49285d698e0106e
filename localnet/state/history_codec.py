"""Headers and blocks as bytes, for the directory a chain is kept in; a block's contents are ids of rows kept beside it."""

from dataclasses import dataclass

from localnet.values.block import Block, Header
from localnet.values.borsh import Reader, Writer
from localnet.values.hashes import CryptoHash

_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """What a block consists of."""

    transactions: tuple[CryptoHash, ...]
    receipts: tuple[CryptoHash, ...]
    executed: tuple[CryptoHash, ...]


def write_header(header: Header) -> bytes:
    """A header as bytes."""
    out = Writer()
    out.u64(header.height)
    out.fixed(header.hash)
    out.fixed(header.prev_hash)
    out.u64(header.timestamp_ns)
    out.fixed(header.random_value)
    return out.done()


def read_header(data: bytes) -> Header:
    """Read what `write_header` wrote. Raises `BorshError`."""
    source = Reader(data)
    return Header(source.u64(), CryptoHash(source.fixed(32)), CryptoHash(source.fixed(32)), source.u64(), source.fixed(32))


def write_contents(block: Block) -> bytes:
    """The ids of a block's contents."""
    out = Writer()
    for ids in (
        [done.signed.hash for done in block.transactions],
        [receipt.receipt_id for receipt in block.receipts],
        [run.outcome.id for run in block.executed],
    ):
        out.u32(len(ids))
        out.fixed(b"".join(ids))
    return out.done()


def read_contents(data: bytes) -> Contents:
    """Read what `write_contents` wrote. Raises `BorshError`."""
    source = Reader(data)

    def ids() -> tuple[CryptoHash, ...]:
        return source.many(lambda: CryptoHash(source.fixed(32)), what="ids", most=_MOST)

    return Contents(ids(), ids(), ids())
