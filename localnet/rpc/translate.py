"""The chain's errors as JSON-RPC's."""

from typing import Any

from localnet.rpc.errors import (
    InternalError,
    InvalidTransaction,
    ParseError,
    RpcError,
    UnknownBlock,
    UnknownReceipt,
    UnknownTransaction,
)
from localnet.values import errors as chain_errors
from localnet.values.hashes import hash_to_text
from localnet.values.header import Header


def rpc_error(error: chain_errors.ChainError, head: Header) -> RpcError:  # noqa: PLR0911 (one arm an error)
    """
    What a client is told.

    Args:
        error: of the chain.
        head: the block that was looked at; errors of `query` name it.
    """
    at = block_at(head)
    match error:
        case chain_errors.MalformedTransaction():
            return ParseError(f"Failed parsing args: {error}")
        case chain_errors.InvalidTransaction():
            return InvalidTransaction(error.to_json())
        case chain_errors.UnknownBlock():
            return UnknownBlock(error.which)
        case chain_errors.UnknownTransaction():
            return UnknownTransaction(error.tx_hash)
        case chain_errors.UnknownReceipt():
            return UnknownReceipt(error.receipt_id)
        case chain_errors.UnknownAccount():
            return RpcError("UNKNOWN_ACCOUNT", str(error), {"requested_account_id": error.account_id, **at})
        case chain_errors.NoContractCode():
            return RpcError("NO_CONTRACT_CODE", str(error), {"contract_account_id": error.account_id, **at})
        case _:
            return InternalError(str(error))


def block_at(head: Header) -> dict[str, Any]:
    """`block_height` and `block_hash`, which every answer of `query` carries."""
    return {"block_height": head.height, "block_hash": hash_to_text(head.hash)}
