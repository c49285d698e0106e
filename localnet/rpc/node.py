"""One chain behind the network: its owner thread, its block producer, and who waits for what."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from localnet.chain import Chain
from localnet.rpc.block_views import ChainFacts
from localnet.rpc.owner import ChainOwner
from localnet.rpc.production import BlockProducer
from localnet.rpc.references import oldest_height
from localnet.rpc.watch import ChainWatch
from localnet.runtime.block import GAS_LIMIT
from localnet.runtime.fees import GAS_PRICE_YOCTO
from localnet.runtime.genesis import ROOT_BALANCE_YOCTO
from localnet.values.block import Block
from localnet.values.transaction import SignedTransaction

T = TypeVar("T")

DEFAULT_TRANSACTION_TIMEOUT_S = 10.0
"""How long a request waits for its transaction (nearcore's `polling_timeout`)."""


class Node:
    """What the methods work with. Made by `running_node`."""

    def __init__(  # noqa: PLR0913 (its parts, each made by running_node)
        self,
        facts: ChainFacts,
        owner: ChainOwner,
        watch: ChainWatch,
        producer: BlockProducer,
        *,
        transaction_timeout_s: float,
        started_s: float,
    ) -> None:
        self.facts, self.watch = facts, watch
        self.transaction_timeout_s, self.started_s = transaction_timeout_s, started_s
        self._owner, self._producer = owner, producer

    async def run(self, work: Callable[[Chain], T]) -> T:
        """Run a function over the chain in the chain's thread."""
        return await self._owner.run(work)

    def take(self, signed: SignedTransaction) -> bool:
        """Keep a transaction that nobody waits for (`ChainOwner.take`)."""
        taken = self._owner.take(signed)
        if taken:
            self.nudge()
        return taken

    def nudge(self) -> None:
        """Say that a transaction waits for a block."""
        self._producer.nudge()

    @property
    def waiting(self) -> int:
        """How much waits for the chain's thread."""
        return self._owner.waiting

    @property
    def trouble(self) -> str | None:
        """Why no blocks are made, when they cannot be."""
        return self._producer.trouble


@asynccontextmanager
async def running_node(chain: Chain, *, block_time_s: float | None, transaction_timeout_s: float) -> AsyncIterator[Node]:
    """
    Own a chain and make its blocks for as long as the context lasts. The chain stays open afterwards.

    Args:
        chain: nobody else may use it meanwhile.
        block_time_s: seconds from block to block; None makes blocks on demand.
        transaction_timeout_s: how long a request waits for its transaction.
    """
    loop = asyncio.get_running_loop()
    watch = ChainWatch(chain.head)

    def announce(block: Block) -> None:
        loop.call_soon_threadsafe(watch.announce, block)

    async with ChainOwner(chain) as owner:
        producer = BlockProducer(owner, block_time_s=block_time_s)
        facts = await owner.run(_facts)
        remove = chain.on_block(announce)
        making = asyncio.create_task(producer.run(), name="localnet-blocks")
        try:
            yield Node(facts, owner, watch, producer, transaction_timeout_s=transaction_timeout_s, started_s=loop.time())
        finally:
            watch.close()
            making.cancel()
            (failure,) = await asyncio.gather(making, return_exceptions=True)
            remove()
            if isinstance(failure, Exception):
                raise failure


def _facts(chain: Chain) -> ChainFacts:
    return ChainFacts(
        chain_id=chain.chain_id,
        validator_id=chain.root.account_id,
        validator_key=chain.root.key.public_key,
        first=chain.header(oldest_height(chain)),
        total_supply_yocto=ROOT_BALANCE_YOCTO,
        gas_price_yocto=GAS_PRICE_YOCTO,
        block_gas_limit=GAS_LIMIT,
    )
