"""Answers and announcements on their way to the chain, tried until a node takes them."""

from functools import partial

import structlog

from oracle.errors import ChainError, EvidenceRefused, StoreError
from oracle.model import Answer
from oracle.model.receipt import SignedReceipt
from oracle.worker.live import Live
from oracle.worker.parts import Parts
from oracle.worker.patience import SHORT_WAIT_S
from oracle.worker.tally import Tally

RESEND_AFTER_S = (5.0, 8.0, 12.0, 20.0, 30.0)
"""How long an answer's transaction may stay without a settled request, by the number of times it was sent: five tries fit a yield."""

LONGEST_PAUSE_S = 4.0
"""Between two tries to reach a node with an answer that is ready: its yield times out 200 blocks after it began, two minutes or so."""

_log = structlog.get_logger()


class Sending:
    """Performs `Submit` and `Extend`."""

    def __init__(self, parts: Parts, tally: Tally) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._tally = tally

    async def submit(self, live: Live, answer: Answer) -> bool:
        """
        Bring the answer to a node, for as long as it takes; False when the contract waits for it no more.

        Whenever the answer may have been sent before, the contract is asked first: after a crash many answers have arrived unheard of.
        """
        wait_s = SHORT_WAIT_S
        while True:
            first, live.is_new = live.is_new, False
            try:
                if not first and await self._is_settled(live):
                    return False
                transaction_hash = await self._parts.send.submit(answer, partial(self._vouch, live, first=first), first=first)
                break
            except (ChainError, StoreError) as error:
                self._tally.last_error = str(error)
                _log.warning("answer_not_sent", request_id=answer.request_id, reason=str(error))
            except Exception as error:  # noqa: BLE001  a fault of ours must not leave the caller without an answer
                self._tally.last_error = f"request {answer.request_id}: {type(error).__name__}"
                _log.exception("answer_not_sent", request_id=answer.request_id)
            await self._clock.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_PAUSE_S)
        now_s = self._clock.monotonic_s()
        if live.times_sent == 0:
            self._tally.sent(answer, now_s - live.seen_s)
        live.sent_s, live.times_sent = now_s, live.times_sent + 1
        _log.info("answer_sent", request_id=answer.request_id, success=answer.success, transaction_hash=transaction_hash)
        return True

    async def _vouch(self, live: Live, told: Answer, *, first: bool) -> SignedReceipt | None:
        """The receipt of the answer as the contract will be told it; without one it goes out all the same."""
        kept = [live.receipt] if live.receipt is not None else [] if first else await self._parts.store.receipts(told.request_id)
        try:
            live.receipt = await self._parts.receipts.make(live.job, told, kept)
        except EvidenceRefused as error:
            self._tally.last_error = str(error)
            _log.warning("no_receipt", request_id=told.request_id, reason=str(error))
            live.receipt = None
        except Exception as error:  # noqa: BLE001  a fault of ours must not leave the caller without an answer
            self._tally.last_error = f"receipt of request {told.request_id}: {type(error).__name__}"
            _log.exception("no_receipt", request_id=told.request_id)
            live.receipt = None
        return live.receipt

    async def _is_settled(self, live: Live) -> bool:
        return await self._parts.contract.request(live.job.request_id, at_least_height=live.job.origin.block_height) is None

    async def extend(self, live: Live) -> None:
        """Announce that work goes on; when that fails, the next block tries again."""
        request_id, window = live.job.request_id, live.job.yield_height
        try:
            await self._parts.send.extend(request_id)
        except (ChainError, StoreError) as error:
            self._tally.last_error = str(error)
            _log.warning("extension_not_sent", request_id=request_id, reason=str(error))
            live.announced_for = None
        else:
            live.extended_for = window
            _log.info("extension_sent", request_id=request_id)

    def is_overdue(self, live: Live) -> bool:
        """Whether the answer was sent, and long enough ago that it should have settled the request."""
        if live.sent_s is None or (live.sending is not None and not live.sending.done()):
            return False
        patience_s = RESEND_AFTER_S[min(live.times_sent, len(RESEND_AFTER_S)) - 1]
        return self._clock.monotonic_s() - live.sent_s >= patience_s
