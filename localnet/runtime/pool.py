"""The transactions that wait for a block: bounded, and handed out so that each key's nonces rise."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import zip_longest

from localnet.state.store import Store
from localnet.values.errors import PoolFull
from localnet.values.hashes import CryptoHash
from localnet.values.transaction import SignedTransaction

MOST_TRANSACTIONS = 20_000
MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Room:
    """How much more may wait; less than nothing when more was counted on than there was."""

    transactions: int
    bytes: int

    def fits(self, transactions: int, size: int) -> bool:
        """Whether so many transactions of so many bytes together have room."""
        return transactions <= self.transactions and size <= self.bytes

    def less(self, transactions: int, size: int) -> "Room":
        """What is left beside them."""
        return Room(self.transactions - transactions, self.bytes - size)


class Pool:
    """What is accepted is in the store before it is in here, so that a killed process loses nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting = {signed.hash: signed for signed in store.pooled()}
        self._bytes = sum(len(signed.encoded) for signed in self._waiting.values())

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, tx_hash: bytes) -> bool:
        return tx_hash in self._waiting

    def get(self, tx_hash: bytes) -> SignedTransaction | None:
        """A transaction that waits."""
        return self._waiting.get(CryptoHash(tx_hash))

    @property
    def room(self) -> Room:
        """How much more may wait."""
        return Room(MOST_TRANSACTIONS - len(self._waiting), MOST_BYTES - self._bytes)

    def add(self, transactions: Collection[SignedTransaction]) -> None:
        """
        Keep transactions that are not in here yet: all of them or, when it raises, none.

        Raises:
            PoolFull: too many, or too many bytes, wait already.
            StateError: they cannot be written.
        """
        size = sum(len(signed.encoded) for signed in transactions)
        if not self.room.fits(len(transactions), size):
            raise PoolFull(len(self._waiting))
        self._store.add_pooled(transactions)
        self._waiting.update((signed.hash, signed) for signed in transactions)
        self._bytes += size

    def remove(self, tx_hash: bytes) -> None:
        """Forget a transaction; the store forgets it with the block that took it."""
        signed = self._waiting.pop(CryptoHash(tx_hash), None)
        if signed is not None:
            self._bytes -= len(signed.encoded)

    def in_order(self) -> list[SignedTransaction]:
        """All that wait: the keys in turn, each key's transactions by nonce, whatever order they came in."""
        if len(self._waiting) <= 1:
            return list(self._waiting.values())
        by_key: dict[tuple[str, bytes], list[SignedTransaction]] = {}
        for signed in self._waiting.values():
            transaction = signed.transaction
            by_key.setdefault((transaction.signer_id, transaction.public_key.raw), []).append(signed)
        for queue in by_key.values():
            queue.sort(key=lambda signed: signed.transaction.nonce)
        return [signed for turn in zip_longest(*by_key.values()) for signed in turn if signed is not None]
