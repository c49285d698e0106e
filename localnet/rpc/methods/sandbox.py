"""What NEAR's sandbox adds to a node: moving height and time forward."""

from functools import partial
from typing import Any

from localnet.chain import Chain
from localnet.rpc.node import Node
from localnet.rpc.params import Params
from localnet.rpc.translate import rpc_error
from localnet.rpc.views import Json
from localnet.values.errors import ChainError

MAX_BLOCKS = 1_000_000
_BLOCKS_A_JOB = 100
"""Between jobs the chain serves others."""


async def fast_forward(node: Node, raw: Any) -> Json:
    """`sandbox_fast_forward {delta_height}`: so many blocks at once, a second apart in the chain's time."""
    left = Params(raw, positional=("delta_height",)).integer("delta_height", most=MAX_BLOCKS)
    while left and not node.watch.is_closed:
        count = min(left, _BLOCKS_A_JOB)
        await node.run(partial(_advance, count))
        left -= count
    # Time-outs of the last block have their receipts in the next one.
    node.nudge()
    return {}


def _advance(count: int, chain: Chain) -> None:
    try:
        chain.advance_blocks(count)
    except ChainError as error:
        raise rpc_error(error, chain.head) from error


METHODS = {"sandbox_fast_forward": fast_forward}
