"""Blocks, chunks and what is the same in all of them: `block`, `chunk`, `gas_price`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from localnet.chain import Chain
from localnet.rpc.block_views import SHARD_ID, ChainFacts, block_view, chunk_hash, chunk_view
from localnet.rpc.errors import InvalidShardId, UnknownBlock, UnknownChunk
from localnet.rpc.node import Node
from localnet.rpc.params import Latest, Params
from localnet.rpc.references import block_of
from localnet.rpc.views import Json
from localnet.values import errors as chain_errors
from localnet.values.block import Block


async def block(node: Node, raw: Any) -> Json:
    """`block` by `{finality}`, `{block_id}` or `[block_id]`."""
    reference = Params(raw, positional=("block_id",)).block_reference()
    return await node.run(partial(_viewed, block_view, node.facts, lambda chain: block_of(chain, reference)))


async def chunk(node: Node, raw: Any) -> Json:
    """`chunk` by `{chunk_id}`, `[chunk_id]`, or `{block_id, shard_id}`."""
    if isinstance(raw, list) and len(raw) == 2:
        raw = {"block_id": raw[0], "shard_id": raw[1]}
    params = Params(raw, positional=("chunk_id",))
    if params.has("chunk_id"):
        wanted = params.hash("chunk_id")
        try:
            return await node.run(partial(_viewed, chunk_view, node.facts, lambda chain: chain.block(chunk_hash(wanted))))
        except UnknownBlock as error:
            raise UnknownChunk(wanted) from error
    reference, shard_id = params.block_reference(), params.integer("shard_id")
    if shard_id != SHARD_ID:
        raise InvalidShardId(shard_id)
    return await node.run(partial(_viewed, chunk_view, node.facts, lambda chain: block_of(chain, reference)))


async def gas_price(node: Node, raw: Any) -> Json:
    """`gas_price` of a block: always the same here, but an unknown block is an error."""
    reference = Params(raw, positional=("block_id",)).block_reference()
    if not isinstance(reference, Latest):
        await node.run(partial(_viewed, block_view, node.facts, lambda chain: block_of(chain, reference)))
    return {"gas_price": str(node.facts.gas_price_yocto)}


def _viewed(view: Callable[[Block, ChainFacts], Json], facts: ChainFacts, find: Callable[[Chain], Block], chain: Chain) -> Json:
    try:
        return view(find(chain), facts)
    except chain_errors.UnknownBlock as error:
        raise UnknownBlock(error.which) from error


METHODS = {"block": block, "chunk": chunk, "gas_price": gas_price}
