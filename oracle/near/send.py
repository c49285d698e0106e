"""
Answers brought to the chain: signed, written down, sent, and looked after.

1. A transaction is in the journal before it leaves, so that after a crash the chain can be asked what became of it; an answer's together
   with the receipt whose hash it carries, so that what the chain was told can always be shown.
2. On a retry the earlier transaction comes first: pending or just succeeded, it is left alone; unknown and still valid, the same bytes go
   out again; only when it can no longer settle the request is another one signed. The contract takes one answer, so even a needless second
   one settles nothing twice.
3. Nonces are counted here, from the higher of chain and journal, as far as the chain can take them. Transactions of one key leave one after
   the other, because a nonce that arrives after a higher one was included is lost; nobody waits for inclusion, so many are in flight, and
   several keys run side by side.
4. Nodes accept a broadcast before they judge it, so silence proves nothing: the worker asks again until the contract has settled.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import structlog

from oracle.errors import RpcUnavailable, TransactionRefused
from oracle.model import Answer, TxHash
from oracle.model.receipt import SignedReceipt
from oracle.near.calls import answer_call, carried, extend_call
from oracle.near.keys import Call, SigningKey
from oracle.near.nonces import is_possible, nonce_on_chain
from oracle.near.rpc import Block, Rpc, is_hash
from oracle.near.transactions import Failed, Fate, fate_of
from oracle.ports import Clock, SignedTransaction, StoreJobs, Vouch

TRANSACTION_VALIDITY_BLOCKS = 86_400
"""NEAR `transaction_validity_period`."""

_REFERENCE_BLOCK_S = 60.0
_KEY_REST_S = 30.0
_SIGN_ATTEMPTS = 3
_REFUSALS_BEFORE_FAILURE = 2
_KEY_AT_FAULT = frozenset(
    {
        "AccessKeyNotFound",
        "MethodNameMismatch",
        "NotEnoughAllowance",
        "NotEnoughBalance",
        "LackBalanceForState",
        "ReceiverMismatch",
        "RequiresFullAccess",
        "SignerDoesNotExist",
    }
)
"""Refusals (nearcore `InvalidTxError`, `InvalidAccessKeyError`) that another key may not meet."""
_NONCE_AT_FAULT = frozenset({"InvalidNonce", "NonceTooLarge"})
_BLOCK_AT_FAULT = frozenset({"Expired", "InvalidChain"})

_log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Signer:
    """A key, its turn, and the next nonce (None: to be asked for, of the journal too unless that has just led too far)."""

    key: SigningKey
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_nonce: int | None = None
    heeds_journal: bool = True
    waiting: int = 0
    rests_until_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Addressee:
    """The contract that is called, and whether it keeps the hash of a receipt (`Contract.keeps_receipts`)."""

    contract_id: str
    keeps_receipts: bool


@dataclass(frozen=True, slots=True)
class _Message:
    """What a transaction is to say."""

    request_id: int
    kind: Literal["answer", "extend"]
    call: Call
    receipt: SignedReceipt | None = None


class ChainSender:
    """`SubmitAnswers` on a real chain."""

    def __init__(self, rpc: Rpc, store: StoreJobs, addressee: Addressee, keys: Sequence[SigningKey], clock: Clock) -> None:
        if not keys:
            raise ValueError("at least one key is needed")
        self._rpc = rpc
        self._store = store
        self._addressee = addressee
        self._signers = [_Signer(key) for key in keys]
        self._clock = clock
        self.recorded: Callable[[SignedReceipt], None] = lambda _: None
        """Told of each receipt once it is stored."""
        self._reference: tuple[Block, float] | None = None
        self._succeeded: set[TxHash] = set()

    async def submit(self, answer: Answer, vouch: Vouch, *, first: bool = False) -> TxHash:
        """See `SubmitAnswers`; an answer that the contract refused twice becomes a failure with the contract's reason."""
        earlier, fate = ([], None) if first else await self._earlier(answer.request_id, "answer")
        if answer.success and isinstance(fate, Failed) and len(earlier) >= _REFUSALS_BEFORE_FAILURE:
            _log.warning("answer_refused", request_id=answer.request_id, reason=fate.reason)
            answer = replace(answer, success=False, output=None, error=f"The contract refused the answer: {fate.reason}")
        told = carried(answer)

        async def message() -> _Message:
            receipt = await vouch(told.answer)
            receipt_sha256_hex = None if receipt is None or not self._addressee.keeps_receipts else receipt.receipt_sha256_hex
            call = answer_call(self._addressee.contract_id, told, receipt_sha256_hex)
            return _Message(answer.request_id, "answer", call, receipt)

        return await self._bring(message, earlier, fate)

    async def extend(self, request_id: int) -> TxHash:
        """See `SubmitAnswers`."""
        earlier, fate = await self._earlier(request_id, "extend")
        if fate is Fate.SUCCEEDED:
            fate = None  # it counted for the window it was sent in; each later one needs a word of its own

        async def message() -> _Message:
            return _Message(request_id, "extend", extend_call(self._addressee.contract_id, request_id))

        return await self._bring(message, earlier, fate)

    def forget_nonces(self) -> None:
        """The keys were put on the account anew: the chain has begun another count for them."""
        for signer in self._signers:
            signer.next_nonce = None

    async def _earlier(self, request_id: int, kind: Literal["answer", "extend"]) -> tuple[list[SignedTransaction], Fate | Failed | None]:
        """What was sent before, and what became of the last of it."""
        earlier = [known for known in await self._store.transactions(request_id) if known.kind == kind]
        if not earlier:
            return [], None
        return earlier, await fate_of(self._rpc, earlier[-1].transaction_hash, self._signers[0].key.account_id)

    async def _bring(
        self, new_message: Callable[[], Awaitable[_Message]], earlier: list[SignedTransaction], fate: Fate | Failed | None
    ) -> TxHash:
        if fate is Fate.PENDING or (fate is Fate.SUCCEEDED and self._is_news(earlier[-1].transaction_hash)):
            return earlier[-1].transaction_hash
        if fate is Fate.UNKNOWN and await self._can_still_succeed(earlier[-1]):
            await self._broadcast(earlier[-1])
            return earlier[-1].transaction_hash
        message = await new_message()
        refusal: TransactionRefused | None = None
        for signer in self._by_load():
            try:
                return await self._sign_and_send(signer, message)
            except TransactionRefused as error:
                if error.kind not in _KEY_AT_FAULT:
                    raise
                signer.rests_until_s = self._clock.monotonic_s() + _KEY_REST_S
                _log.warning("key_refused", public_key=signer.key.public_key, kind=error.kind)
                refusal = error
        if refusal is None:  # there is at least one key
            raise RpcUnavailable("no key is configured")
        raise refusal

    def _is_news(self, transaction_hash: TxHash) -> bool:
        """
        Whether a success is told for the first time, so that the contract's word on the request is still to come.

        Told again, the answer was accepted and lost, as in the very block of the yield's time-out.
        """
        if transaction_hash in self._succeeded:
            self._succeeded.remove(transaction_hash)
            return False
        self._succeeded.add(transaction_hash)
        return True

    def _by_load(self) -> list[_Signer]:
        now_s = self._clock.monotonic_s()
        return sorted(self._signers, key=lambda signer: (signer.rests_until_s > now_s, signer.waiting))

    async def _sign_and_send(self, signer: _Signer, message: _Message) -> TxHash:
        signer.waiting += 1
        try:
            async with signer.turn:
                for attempt in range(1, _SIGN_ATTEMPTS + 1):
                    transaction = await self._sign(signer, message)
                    await self._store.record(transaction, message.receipt)
                    if message.receipt is not None:
                        self.recorded(message.receipt)
                    try:
                        await self._broadcast(transaction)
                    except TransactionRefused as error:
                        if attempt == _SIGN_ATTEMPTS or not self._mended(signer, error):
                            raise
                    else:
                        return transaction.transaction_hash
                raise RpcUnavailable("unreachable: the last attempt returns or raises")
        finally:
            signer.waiting -= 1

    def _mended(self, signer: _Signer, error: TransactionRefused) -> bool:
        """Forget what made the chain refuse, so that signing again asks anew; False where that would not help."""
        if error.kind in _NONCE_AT_FAULT:
            signer.next_nonce, signer.heeds_journal = None, error.kind != "NonceTooLarge"
            return True
        if error.kind in _BLOCK_AT_FAULT:
            self._reference = None
            return True
        return False

    async def _sign(self, signer: _Signer, message: _Message) -> SignedTransaction:
        if signer.next_nonce is None:
            self._reference = None  # what nonces are possible is a matter of the height by now
        block = await self._reference_block()
        if signer.next_nonce is None:
            signer.next_nonce = await self._next_nonce(signer, block.height)
        nonce, signer.next_nonce = signer.next_nonce, signer.next_nonce + 1
        transaction_hash, signed = signer.key.sign_call(message.call, nonce=nonce, block_hash=block.block_hash)
        return SignedTransaction(transaction_hash, message.request_id, signer.key.public_key, nonce, block.height, signed, message.kind)

    async def _next_nonce(self, signer: _Signer, final_height: int) -> int:
        on_chain = await nonce_on_chain(self._rpc, signer.key, final_height)
        in_journal = await self._store.highest_nonce(signer.key.public_key) if signer.heeds_journal else 0
        signer.heeds_journal = True
        if not is_possible(in_journal, final_height):
            _log.warning("journal_nonce_ignored", public_key=signer.key.public_key, nonce=in_journal, height=final_height)
            in_journal = 0
        return max(on_chain, in_journal) + 1

    async def _broadcast(self, transaction: SignedTransaction) -> None:
        """Hand a transaction to a node; one that it has seen before is well received."""
        try:
            await self._rpc.call("broadcast_tx_async", [base64.b64encode(transaction.signed_bytes).decode()])
        except TransactionRefused as error:
            if error.kind != "InvalidNonce":
                raise
            # The nonce may be used up by this very transaction: it went out before, and the answer to it was lost.
            fate = await fate_of(self._rpc, transaction.transaction_hash, self._signers[0].key.account_id)
            if fate is Fate.UNKNOWN:
                raise

    async def _can_still_succeed(self, transaction: SignedTransaction) -> bool:
        signer = next((known for known in self._signers if known.key.public_key == transaction.public_key), None)
        if signer is None or not transaction.signed_bytes:
            return False
        head = await self._rpc.final_block()
        if head.height >= transaction.block_height + TRANSACTION_VALIDITY_BLOCKS:
            return False
        if not is_possible(transaction.nonce, max(head.height, transaction.block_height)):
            return False
        return transaction.nonce > await nonce_on_chain(self._rpc, signer.key, head.height)

    async def _reference_block(self) -> Block:
        now_s = self._clock.monotonic_s()
        if self._reference is None or now_s - self._reference[1] > _REFERENCE_BLOCK_S:
            block = await self._rpc.final_block()
            if not is_hash(block.block_hash):
                raise RpcUnavailable("the node's final block has a hash that is none")
            self._reference = (block, now_s)
        return self._reference[0]
