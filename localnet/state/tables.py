"""
What the state holds: rows of tables, each row under (table, owner, sub). The owner is an account, or empty for the chain itself.

Values are frozen objects in memory and bytes on disk; each table has its codec here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from localnet.values import action_codec
from localnet.values.borsh import Reader, Writer
from localnet.values.hashes import NO_HASH, CryptoHash
from localnet.values.receipt_codec import read_receipt, write_receipt


class Table(IntEnum):
    """The tables; their numbers are written to disk."""

    ACCOUNT = 1
    ACCESS_KEY = 2
    """sub: the raw public key."""
    CODE = 3
    DATA = 4
    """What contracts wrote; sub: their key."""
    RECEIVED_DATA = 5
    """sub: data id."""
    AWAITING = 6
    """sub: data id; value: the id of the receipt that waits for it."""
    PENDING_COUNT = 7
    """sub: receipt id; value: how many data ids it waits for."""
    POSTPONED = 8
    """sub: receipt id."""
    YIELD = 9
    """sub: data id; value: the receipt to run on resumption."""
    YIELD_STATUS = 10
    """sub: data id; value: 0 waits, 1 a resume is under way. Set before the yield's receipt is stored."""
    YIELD_TIMEOUT = 11
    """sub: place in the queue, big endian."""
    QUEUE = 12
    """Receipts to run, in order; sub: place in the queue, big endian."""
    COUNTER = 13
    """sub: the counter's name."""


class Key(NamedTuple):
    """Where a row is."""

    table: Table
    owner: str
    sub: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """An account's record."""

    amount_yocto: int
    locked_yocto: int = 0
    storage_usage_bytes: int = 100
    code_hash: CryptoHash = NO_HASH


@dataclass(frozen=True, slots=True)
class ReceivedData:
    """A result that has come for a waiting receipt; None: the promise failed."""

    data: bytes | None


@dataclass(frozen=True, slots=True)
class YieldTimeout:
    """When a yield gives up waiting."""

    expires_at_height: int
    account_id: str
    data_id: CryptoHash


def _write_account(account: Account) -> bytes:
    out = Writer()
    out.u128(account.amount_yocto)
    out.u128(account.locked_yocto)
    out.u64(account.storage_usage_bytes)
    out.fixed(account.code_hash)
    return out.done()


def _read_account(data: bytes) -> Account:
    source = Reader(data)
    return Account(source.u128(), source.u128(), source.u64(), CryptoHash(source.fixed(32)))


def _write_access_key(access_key: Any) -> bytes:
    out = Writer()
    action_codec.write_access_key(out, access_key)
    return out.done()


def _write_received(received: ReceivedData) -> bytes:
    return b"\0" if received.data is None else b"\1" + received.data


def _read_received(data: bytes) -> ReceivedData:
    return ReceivedData(data[1:] if data[0] else None)


def _write_timeout(timeout: YieldTimeout) -> bytes:
    out = Writer()
    out.u64(timeout.expires_at_height)
    out.text(timeout.account_id)
    out.fixed(timeout.data_id)
    return out.done()


def _read_timeout(data: bytes) -> YieldTimeout:
    source = Reader(data)
    return YieldTimeout(source.u64(), source.text(), CryptoHash(source.fixed(32)))


def _write_int(value: int) -> bytes:
    return value.to_bytes(24, "big")


def _read_int(data: bytes) -> int:
    return int.from_bytes(data, "big")


@dataclass(frozen=True, slots=True)
class Codec:
    """How a table's values become bytes and come back."""

    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]


_BYTES = Codec(bytes, bytes)
_INT = Codec(_write_int, _read_int)
_RECEIPT = Codec(write_receipt, read_receipt)

CODECS = {
    Table.ACCOUNT: Codec(_write_account, _read_account),
    Table.ACCESS_KEY: Codec(_write_access_key, lambda data: action_codec.read_access_key(Reader(data))),
    Table.CODE: _BYTES,
    Table.DATA: _BYTES,
    Table.RECEIVED_DATA: Codec(_write_received, _read_received),
    Table.AWAITING: _BYTES,
    Table.PENDING_COUNT: _INT,
    Table.POSTPONED: _RECEIPT,
    Table.YIELD: _RECEIPT,
    Table.YIELD_STATUS: _INT,
    Table.YIELD_TIMEOUT: Codec(_write_timeout, _read_timeout),
    Table.QUEUE: _RECEIPT,
    Table.COUNTER: _INT,
}
