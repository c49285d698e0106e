"""
Independent nodes that must agree before a request is believed, so that one of them, or a block API, cannot invent one.

Each node is asked for itself. Two that say the same are believed; a node that is behind or away is waited for, and one that keeps saying
something else makes the request no request of ours. What nodes are not asked for is the word of the block source alone: the hash of a
request's transaction and receipt, which guests and receipts are told and nothing rests on.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import structlog

from oracle.errors import ChainError, RpcUnavailable
from oracle.model import Request
from oracle.ports import Clock, ReadContract

NEEDED = 2
_RETRY_S = (0.1, 0.3, 0.6, 1.0)
"""Nodes are a block or two apart: what one has settled another may still show."""
_REMEMBERED_S = 900.0

_log = structlog.get_logger()


class NodesDisagree(ChainError):
    """Independent nodes, or a node and the source of blocks, say different things of one request."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node's view of the contract; `place` is its URL without what may be secret."""

    place: str
    contract: ReadContract


class Agreement:
    """What independent nodes agree on."""

    def __init__(self, nodes: Sequence[Node], clock: Clock) -> None:
        if len(nodes) < NEEDED:
            raise ValueError(f"at least {NEEDED} nodes are needed to agree")
        self._nodes, self._clock = nodes, clock
        self._disagreed: tuple[str, float] | None = None

    @property
    def trouble(self) -> str | None:
        """The last disagreement, as long as it is news."""
        if self._disagreed is None or self._clock.monotonic_s() - self._disagreed[1] > _REMEMBERED_S:
            return None
        return self._disagreed[0]

    async def request(self, request_id: int, *, at_least_height: int = 0) -> Request | None:
        """
        A request as at least two nodes have it; None where they agree that it is settled or was never made.

        Raises:
            NodesDisagree: they do not agree, asked several times.
            RpcUnavailable: fewer than two answer.
        """
        for wait_s in _RETRY_S:
            try:
                return await self._ask(request_id, at_least_height)
            except ChainError:
                await self._clock.sleep(wait_s)
        try:
            return await self._ask(request_id, at_least_height)
        except NodesDisagree as error:
            raise self.disagreement(str(error), request_id) from None

    async def _ask(self, request_id: int, at_least_height: int) -> Request | None:
        asked = (node.contract.request(request_id, at_least_height=at_least_height) for node in self._nodes)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        told: Counter[Request | None] = Counter()
        silent = []
        for node, answer in zip(self._nodes, answers, strict=True):
            if isinstance(answer, ChainError):
                silent.append(f"{node.place}: {answer}")
            elif isinstance(answer, BaseException):
                raise answer
            else:
                told[answer] += 1
        ((most, supporters), *others) = told.most_common() or [(None, 0)]
        if supporters >= NEEDED and (not others or others[0][1] < supporters):
            return most
        if len(told) > 1:
            raise NodesDisagree(self._said(request_id, answers))
        raise RpcUnavailable(f"fewer than {NEEDED} independent nodes tell of request {request_id}: {'; '.join(silent)}")

    def _said(self, request_id: int, answers: Sequence[object]) -> str:
        requests = [answer for answer in answers if isinstance(answer, Request)]
        words = ", ".join(f"{node.place} {_word(answer, requests)}" for node, answer in zip(self._nodes, answers, strict=True))
        return f"independent nodes disagree on request {request_id}: {words}"

    def disagreement(self, sentence: str, request_id: int) -> NodesDisagree:
        """Log a disagreement and remember it for `trouble`."""
        _log.error("nodes_disagree", request_id=request_id, reason=sentence)
        self._disagreed = (sentence, self._clock.monotonic_s())
        return NodesDisagree(sentence)


def difference(seen: Request, agreed: Request) -> str | None:
    """
    The first field in which a request, as an event or the store has it, is another one than nodes agree on.

    An event of a long input has none; then there is nothing to compare, and the worker reads it from the contract.
    """
    if seen.input_data is None:
        agreed = replace(agreed, input_data=None)
    return next((field.name for field in fields(Request) if getattr(seen, field.name) != getattr(agreed, field.name)), None)


def _word(answer: object, requests: Sequence[Request]) -> str:
    if isinstance(answer, Request):
        field = difference(answer, requests[0])
        return "has it" if field is None else f"has it with another {field}"
    return "has no such request" if answer is None else "does not answer"
