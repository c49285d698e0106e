"""Whether the nodes that were asked know the block that gathered evidence leads to: one of them alone could invent it, and all under it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from oracle.errors import ChainError, RpcRefused
from oracle.flows.verify.reading import SHAPELESS
from oracle.near import Rpc
from oracle.near.rpc import place_of
from oracle.ports import Clock


async def denying(urls: Sequence[str], head: str, clock: Clock) -> tuple[str, ...]:
    """The places of those that say they know no such block; who does not answer denies nothing."""
    denied = await asyncio.gather(*(_denies(url, head, clock) for url in urls))
    return tuple(place_of(url) for url, is_denied in zip(urls, denied, strict=True) if is_denied)


async def _denies(url: str, head: str, clock: Clock) -> bool:
    try:
        async with Rpc([url], clock) as rpc:
            block: Any = await rpc.call("block", {"block_id": head})
        return bool(block["header"]["hash"] != head)
    except RpcRefused:
        return True
    except (ChainError, *SHAPELESS):
        return False
