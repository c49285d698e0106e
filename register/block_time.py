"""
The time of the newest final block, which a quote binds and from which the contract counts its age.

Where independent nodes are named, two of them have to tell a time as late: one by itself can make a quote older, which costs a renewal, and
not younger than it is.
"""

import asyncio
from dataclasses import dataclass, field

from oracle.errors import ChainError, RpcUnavailable
from oracle.near import Rpc
from oracle.near.agreement import NEEDED
from oracle.near.rpc import place_of
from oracle.ports import Clock


@dataclass(frozen=True, slots=True)
class BlockTimes:
    """`nodes`: URLs of independent ones, each of which is asked for itself; empty: `rpc` is believed."""

    rpc: Rpc
    clock: Clock
    nodes: tuple[str, ...] = field(default=(), repr=False)

    async def newest_ns(self) -> int:
        """
        The later of the times that two nodes agree have come.

        Raises:
            ChainError: no node answers, or fewer than two of those that are asked for themselves.
        """
        if not self.nodes:
            return (await self.rpc.final_block()).timestamp_ns
        answers = await asyncio.gather(*map(self._told_by, self.nodes))
        told = sorted((answer for answer in answers if isinstance(answer, int)), reverse=True)
        if len(told) < NEEDED:
            silent = "; ".join(answer for answer in answers if isinstance(answer, str))
            raise RpcUnavailable(f"fewer than {NEEDED} independent nodes tell of the newest final block: {silent}")
        return told[NEEDED - 1]

    async def _told_by(self, url: str) -> int | str:
        """A time, or why there is none. A client that falls back on other nodes would speak for them."""
        try:
            async with Rpc((url,), self.clock) as node:
                return (await node.final_block()).timestamp_ns
        except ChainError as error:
            return f"{place_of(url)}: {error}"
