"""Which block a request means."""

from localnet.chain import Chain
from localnet.rpc.errors import RpcError
from localnet.rpc.params import AtHash, AtHeight, BlockReference, Earliest, Latest
from localnet.values.block import Block
from localnet.values.errors import UnknownBlock
from localnet.values.hashes import hash_to_text
from localnet.values.header import Header


def oldest_height(chain: Chain) -> int:
    """The first block that is still kept: those before it are all forgotten, so that halving finds it."""
    forgotten, kept = -1, chain.head.height
    while kept - forgotten > 1:
        middle = (forgotten + kept) // 2
        try:
            chain.header(middle)
            kept = middle
        except UnknownBlock:
            forgotten = middle
    return kept


def block_of(chain: Chain, reference: BlockReference) -> Block:
    """
    The block itself.

    Raises:
        UnknownBlock: there is none, or not any more.
    """
    match reference:
        case AtHeight(height):
            if height > chain.head.height:
                raise UnknownBlock(height)
            return chain.block(height)
        case AtHash(block_hash):
            return chain.block(block_hash)
        case Earliest():
            return chain.block(oldest_height(chain))
        case Latest():
            return chain.block(chain.head.height)


def require_latest(chain: Chain, reference: BlockReference) -> None:
    """
    Make sure that the latest block is meant: the state after older ones is not kept.

    Raises:
        RpcError: GARBAGE_COLLECTED_BLOCK, for an older block.
        UnknownBlock: no such block.
    """
    if isinstance(reference, Latest):
        return
    header = block_of(chain, reference).header
    if header.height != chain.head.height:
        raise _garbage_collected(header, chain.head)


def _garbage_collected(header: Header, head: Header) -> RpcError:
    text = (
        f"The data for block #{header.height} is garbage collected on this node, use an archival node to fetch historical data "
        f"(localnet keeps the state after its latest block only, which is #{head.height}: ask for finality final)"
    )
    return RpcError("GARBAGE_COLLECTED_BLOCK", text, {"block_height": header.height, "block_hash": hash_to_text(header.hash)})
