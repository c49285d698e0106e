"""Which transactions may wait for a block, and why others may not."""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from contextlib import suppress

from localnet.parameters import Parameters
from localnet.runtime.block import Refused
from localnet.runtime.fees import Fees
from localnet.runtime.pool import Pool
from localnet.runtime.transactions import charge, check_age, check_form
from localnet.state.store import Store
from localnet.state.world import World
from localnet.values.errors import InvalidTransaction
from localnet.values.hashes import CryptoHash
from localnet.values.transaction import SignedTransaction

_MOST_REFUSALS = 10_000


class Admission:
    """The pool, its gate, and the newest of those that a block refused after all."""

    def __init__(self, store: Store, parameters: Parameters, fees: Fees) -> None:
        self._store, self._parameters, self._fees = store, parameters, fees
        self._refusals: OrderedDict[CryptoHash, InvalidTransaction] = OrderedDict()
        self.pool = Pool(store)

    def take(self, signed: SignedTransaction) -> None:
        """
        Check a transaction and let it wait; one that is known already stays as it is.

        Raises:
            InvalidTransaction: the chain refuses it.
            PoolFull: too many wait.
        """
        if not self._has(signed.hash):
            self._judge(signed)
            self._accept((signed,))

    def take_unheard(self, waiting: Iterable[SignedTransaction]) -> int:
        """
        Check transactions whose senders wait for no verdict: see `Chain.submit_unheard`.

        Raises:
            StateError: they cannot be written; none was dealt with.
        """
        room, accepted, dealt = self.pool.room, dict[CryptoHash, SignedTransaction](), 0
        for signed in waiting:
            if not room.fits(1, len(signed.encoded)):
                break
            dealt += 1
            if self._has(signed.hash) or signed.hash in accepted:
                continue
            with suppress(InvalidTransaction):
                self._judge(signed)
                accepted[signed.hash] = signed
                room = room.less(1, len(signed.encoded))
        self._accept(accepted.values())
        return dealt

    def refused(self, by_block: Iterable[Refused]) -> None:
        """A block refused what had been let in."""
        for refusal in by_block:
            self._refusals[refusal.tx_hash] = refusal.error
        while len(self._refusals) > _MOST_REFUSALS:
            self._refusals.popitem(last=False)

    def refusal_of(self, tx_hash: bytes) -> InvalidTransaction | None:
        """Why a block refused it; None where none did, or long ago."""
        return self._refusals.get(CryptoHash(tx_hash))

    def _accept(self, judged: Collection[SignedTransaction]) -> None:
        self.pool.add(judged)
        for signed in judged:
            self._refusals.pop(signed.hash, None)

    def _has(self, tx_hash: CryptoHash) -> bool:
        return tx_hash in self.pool or self._store.transaction(tx_hash) is not None

    def _judge(self, signed: SignedTransaction) -> None:
        check_form(signed, self._parameters)
        head = self._store.head()
        assert head is not None
        height = head.height + 1
        check_age(self._store.height_of(signed.transaction.block_hash), height)
        charge(World(self._store), signed, self._fees, self._parameters, height)
