"""
Evidence for light clients: `EXPERIMENTAL_light_client_proof`, `EXPERIMENTAL_light_client_block_proof`, also without `EXPERIMENTAL_`.

Who asks for a proof that needs a block which is not there yet is told so, as by nodes, and on a chain that makes blocks on demand it is
thereby made: the one that commits to the outcome, and the one under which that can be proven.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from localnet.chain import Chain
from localnet.rpc.errors import BlockAheadOfHead, UnknownProofBlock, UnprovableOutcome
from localnet.rpc.light_client_views import block_proof_view, outcome_proof_view
from localnet.rpc.node import Node
from localnet.rpc.params import Params
from localnet.rpc.views import Json
from localnet.values.errors import NotConfirmed, NotInHead, UnknownBlock, UnknownOutcome
from localnet.values.hashes import CryptoHash
from localnet.values.header import Header

T = TypeVar("T")

_BLOCKS_TO_A_PROOF = 2
"""After the one in which something ran: the next commits to it, the one after that commits to the next."""


async def light_client_proof(node: Node, raw: Any) -> Json:
    """`light_client_proof` of `{type: transaction, transaction_hash, sender_id}` or `{type: receipt, receipt_id, receiver_id}`."""
    params = Params(raw)
    if params.one_of("type", ("transaction", "receipt")) == "transaction":
        outcome_id, account = params.hash("transaction_hash"), "sender_id"
    else:
        outcome_id, account = params.hash("receipt_id"), "receiver_id"
    # One shard: the account is not needed to find the outcome.
    params.account_id(account)
    work = partial(_outcome_proof, outcome_id, params.hash("light_client_head"))
    try:
        return await node.run(partial(_translated, work))
    finally:
        node.nudge()


async def light_client_block_proof(node: Node, raw: Any) -> Json:
    """`light_client_block_proof` of `{block_hash, light_client_head}`."""
    params = Params(raw)
    block_hash, head = params.hash("block_hash"), params.hash("light_client_head")
    return await node.run(partial(_translated, partial(_block_proof, block_hash, head)))


def _outcome_proof(outcome_id: CryptoHash, head_hash: CryptoHash, chain: Chain) -> Json:
    try:
        proof = chain.outcome_proof(outcome_id)
    except NotConfirmed as error:
        chain.want_height(error.height + _BLOCKS_TO_A_PROOF)
        raise
    chain.want_height(proof.outcome.block_height + _BLOCKS_TO_A_PROOF)
    return outcome_proof_view(proof, chain.block_path(proof.header, _header(chain, head_hash)))


def _block_proof(block_hash: CryptoHash, head_hash: CryptoHash, chain: Chain) -> Json:
    block = _header(chain, block_hash)
    return block_proof_view(block, chain.block_path(block, _header(chain, head_hash)))


def _header(chain: Chain, block_hash: CryptoHash) -> Header:
    try:
        return chain.header(block_hash)
    except UnknownBlock as error:
        raise UnknownProofBlock(block_hash) from error


def _translated(work: Callable[[Chain], T], chain: Chain) -> T:
    try:
        return work(chain)
    except UnknownOutcome as error:
        raise UnprovableOutcome("UNKNOWN_TRANSACTION_OR_RECEIPT", str(error), error.outcome_id) from error
    except NotConfirmed as error:
        raise UnprovableOutcome("NOT_CONFIRMED", str(error), error.outcome_id) from error
    except NotInHead as error:
        raise BlockAheadOfHead(str(error)) from error


METHODS = {
    "light_client_proof": light_client_proof,
    "EXPERIMENTAL_light_client_proof": light_client_proof,
    "light_client_block_proof": light_client_block_proof,
    "EXPERIMENTAL_light_client_block_proof": light_client_block_proof,
}
