"""
The state as the runtime sees it while it makes a block: what is committed, under the block's changes, under the receipt's.

`discard` undoes what a receipt did, `keep` adds it to the block; the block's changes reach the store in one piece.
"""

from collections.abc import Iterator
from typing import Any, Protocol, cast

from localnet.state.store import Changes
from localnet.state.tables import Account, Key, ReceivedData, Table
from localnet.values.actions import AccessKey
from localnet.values.hashes import CryptoHash
from localnet.values.keys import PublicKey
from localnet.values.receipt import ActionReceipt


class StateReader(Protocol):
    """The committed state (`localnet.state.store.Store`)."""

    def get(self, key: Key) -> Any:
        """A row's value, or None."""
        ...

    def scan(self, table: Table, owner: str, prefix: bytes) -> Any:
        """An owner's rows whose sub begins so."""
        ...


def counter_key(name: bytes) -> Key:
    """Where one of the chain's own numbers is."""
    return Key(Table.COUNTER, "", name)


class World:
    """Reads through the layers, writes to the topmost."""

    def __init__(self, committed: StateReader) -> None:
        self._committed = committed
        self._block: dict[Key, Any] = {}
        self._receipt: dict[Key, Any] = {}

    def get(self, key: Key) -> Any:
        """A row's value, or None."""
        if key in self._receipt:
            return self._receipt[key]
        if key in self._block:
            return self._block[key]
        return self._committed.get(key)

    def put(self, key: Key, value: Any) -> None:
        """Write a row; None removes it."""
        self._receipt[key] = value

    def scan(self, table: Table, owner: str, prefix: bytes = b"") -> Iterator[tuple[bytes, Any]]:
        """An owner's rows whose sub begins so, in the order of sub."""
        rows = dict(self._committed.scan(table, owner, prefix))
        for layer in (self._block, self._receipt):
            rows.update({key.sub: value for key, value in layer.items() if key.table == table and key.owner == owner})
        return ((sub, rows[sub]) for sub in sorted(rows) if rows[sub] is not None and sub.startswith(prefix))

    def keep(self) -> None:
        """What was written since the last `keep` or `discard` stays in the block."""
        self._block.update(self._receipt)
        self._receipt = {}

    def discard(self) -> None:
        """What was written since the last `keep` or `discard` never happened."""
        self._receipt = {}

    def take_changes(self) -> Changes:
        """The block's changes; the world starts anew above the committed state."""
        changes, self._block = self._block, {}
        return changes

    def account(self, account_id: str) -> Account | None:
        """An account's record."""
        return cast("Account | None", self.get(Key(Table.ACCOUNT, account_id, b"")))

    def set_account(self, account_id: str, account: Account | None) -> None:
        """Write or remove an account's record."""
        self.put(Key(Table.ACCOUNT, account_id, b""), account)

    def access_key(self, account_id: str, public_key: PublicKey) -> AccessKey | None:
        """What an account allows a key."""
        return cast("AccessKey | None", self.get(Key(Table.ACCESS_KEY, account_id, public_key.raw)))

    def set_access_key(self, account_id: str, public_key: PublicKey, access_key: AccessKey | None) -> None:
        """Write or remove a key."""
        self.put(Key(Table.ACCESS_KEY, account_id, public_key.raw), access_key)

    def code(self, account_id: str) -> bytes | None:
        """An account's contract."""
        return cast("bytes | None", self.get(Key(Table.CODE, account_id, b"")))

    def data(self, account_id: str, key: bytes) -> bytes | None:
        """What a contract wrote under a key."""
        return cast("bytes | None", self.get(Key(Table.DATA, account_id, key)))

    def received(self, account_id: str, data_id: bytes) -> ReceivedData | None:
        """A result that has come."""
        return cast("ReceivedData | None", self.get(Key(Table.RECEIVED_DATA, account_id, data_id)))

    def stored_yield(self, account_id: str, data_id: bytes) -> ActionReceipt | None:
        """The receipt that waits to be resumed."""
        return cast("ActionReceipt | None", self.get(Key(Table.YIELD, account_id, data_id)))

    def counter(self, key: Key) -> int:
        """One of the chain's own numbers (`counter_key`); 0 until it is set."""
        return cast("int | None", self.get(key)) or 0

    def awaiting(self, account_id: str, data_id: bytes) -> CryptoHash | None:
        """The id of the receipt that waits for a result."""
        return cast("CryptoHash | None", self.get(Key(Table.AWAITING, account_id, data_id)))
