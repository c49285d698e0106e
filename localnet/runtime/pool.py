"""The transactions that wait for a block: bounded, and handed out so that each key's nonces rise."""

from itertools import zip_longest

from localnet.state.store import Store
from localnet.values.errors import PoolFull
from localnet.values.hashes import CryptoHash
from localnet.values.transaction import SignedTransaction

MOST_TRANSACTIONS = 20_000
MOST_BYTES = 64 * 2**20


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

    def add(self, signed: SignedTransaction) -> None:
        """
        Keep a transaction.

        Raises:
            PoolFull: too many, or too many bytes, wait already.
        """
        size = len(signed.encoded)
        if len(self._waiting) >= MOST_TRANSACTIONS or self._bytes + size > MOST_BYTES:
            raise PoolFull(len(self._waiting))
        self._store.add_pooled(signed)
        self._waiting[signed.hash] = signed
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
