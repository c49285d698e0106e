"""Answers go to the chain only while the worker's key is registered."""

from oracle.errors import ChainError, TransactionRefused
from oracle.model import Answer, TxHash
from oracle.ports import SubmitAnswers, Vouch
from register.keeper import Keeper

_KEY_AT_FAULT = frozenset({"AccessKeyNotFound", "NotEnoughAllowance"})


class NotRegistered(ChainError):
    """The worker's key may not answer now; what waits is answered when it may again, or by another worker."""


class AnswersWhileRegistered:
    """`SubmitAnswers` with a registered key; what the chain says of the key makes the keeper look."""

    def __init__(self, inner: SubmitAnswers, keeper: Keeper) -> None:
        self._inner, self._keeper = inner, keeper

    async def submit(self, answer: Answer, vouch: Vouch, *, first: bool = False) -> TxHash:
        """See `SubmitAnswers`."""
        self._check()
        try:
            return await self._inner.submit(answer, vouch, first=first)
        except TransactionRefused as error:
            self._hear(error)
            raise

    async def extend(self, request_id: int) -> TxHash:
        """See `SubmitAnswers`."""
        self._check()
        try:
            return await self._inner.extend(request_id)
        except TransactionRefused as error:
            self._hear(error)
            raise

    def _check(self) -> None:
        if self._keeper.lost is not None:
            raise NotRegistered(self._keeper.lost)

    def _hear(self, error: TransactionRefused) -> None:
        if error.kind in _KEY_AT_FAULT:
            self._keeper.look_soon()
