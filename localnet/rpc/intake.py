"""
Transactions that are answered before they are judged, as nodes do for senders who do not wait.

The event loop takes them: kept in the chain's directory, counted against the pool's room, and no more. The chain's thread judges them, many
at once, before whatever else it does, so that who asks after he was given a hash finds what he sent.
"""

import threading
from collections import deque
from itertools import islice

from localnet.chain import Chain
from localnet.values.transaction import SignedTransaction

_MOST_LOG_BYTES = 128 * 2**20
_JUDGED_AT_ONCE = 200
"""Between such parts senders may go on; each part is one write."""


class Intake:
    """What was taken and is not judged yet."""

    def __init__(self, chain: Chain) -> None:
        self._log = chain.intake_log
        self._room = chain.pool_room
        self._waiting: deque[SignedTransaction] = deque()
        self._waiting_bytes = 0
        # Holds log, queue and room together; never held while a transaction is judged.
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, signed: SignedTransaction) -> bool:
        """
        Keep a transaction. False: there may be no room for it in the pool, so the chain itself must say.

        Raises:
            StateError: it cannot be written.
        """
        encoded = signed.encoded
        with self._lock:
            if not self._room.fits(1, len(encoded)) or self._log.size_bytes > _MOST_LOG_BYTES:
                return False
            self._log.append(encoded)
            self._room = self._room.less(1, len(encoded))
            self._waiting.append(signed)
            self._waiting_bytes += len(encoded)
        return True

    def judge(self, chain: Chain) -> None:
        """
        Put what waits before the chain, in the chain's thread. What the pool has no room for waits on.

        Raises:
            StateError: the accepted ones cannot be written; they wait on.
        """
        dealt = 1
        while self._waiting and dealt:
            dealt = chain.submit_unheard(self._first_part())
            self._settle(chain, dealt)
        self._settle(chain, 0)

    def _settle(self, chain: Chain, dealt: int) -> None:
        with self._lock:
            for _ in range(dealt):
                self._waiting_bytes -= len(self._waiting.popleft().encoded)
            self._room = chain.pool_room.less(len(self._waiting), self._waiting_bytes)
            if not self._waiting:
                self._log.clear()

    def _first_part(self) -> tuple[SignedTransaction, ...]:
        with self._lock:
            return tuple(islice(self._waiting, _JUDGED_AT_ONCE))
