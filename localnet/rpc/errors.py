"""
The errors of NEAR's JSON-RPC as clients read them.

`error.data` is always there, because py-near reads it without a check; `cause.name` is what newer clients match, the text of `data` what
older ones match, so both follow nearcore to the letter.

Source: near-jsonrpc-primitives 0.38, `errors.rs` and the `From<..> for RpcError` of each method's `types/*.rs`.
"""

from collections.abc import Mapping
from typing import Any

from localnet.values.hashes import hash_to_text


class RpcError(Exception):
    """A request that is answered with JSON-RPC's error object. Facts are fields; `to_json` is the only text."""

    name = "HANDLER_ERROR"
    code = -32000
    message = "Server error"

    def __init__(self, cause: str, data: Any, info: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{cause}: {data}")
        self.cause, self.data, self.info = cause, data, dict(info or {})

    def to_json(self) -> dict[str, Any]:
        """The value of the answer's `error`."""
        cause = {"name": self.cause, "info": self.info}
        return {"name": self.name, "cause": cause, "code": self.code, "message": self.message, "data": self.data}


class ParseError(RpcError):
    """The request is no JSON, no JSON-RPC, or its params are not those of the method."""

    name = "REQUEST_VALIDATION_ERROR"
    code = -32700
    message = "Parse error"

    def __init__(self, text: str) -> None:
        super().__init__("PARSE_ERROR", text, {"error_message": text})


class MethodNotFound(RpcError):
    """A method that this chain does not have."""

    name = "REQUEST_VALIDATION_ERROR"
    code = -32601
    message = "Method not found"

    def __init__(self, method_name: str) -> None:
        super().__init__("METHOD_NOT_FOUND", method_name, {"method_name": method_name})


class InternalError(RpcError):
    """The chain cannot answer now: it is overloaded, stopping, or cannot write its state."""

    name = "INTERNAL_ERROR"

    def __init__(self, text: str) -> None:
        super().__init__("INTERNAL_ERROR", f"The node reached its limits. Try again later. More details: {text}", {"error_message": text})


class UnknownBlock(RpcError):
    """A block that is not there: not made yet, or none of this chain's."""

    def __init__(self, reference: int | bytes) -> None:
        what = f"BLOCK HEIGHT: {reference}" if isinstance(reference, int) else f"BLOCK HEADER: {hash_to_text(reference)}"
        super().__init__("UNKNOWN_BLOCK", f"DB Not Found Error: {what} \n Cause: Unknown")


class UnknownChunk(RpcError):
    """A chunk hash that no block has."""

    def __init__(self, chunk_hash: bytes) -> None:
        text = hash_to_text(chunk_hash)
        super().__init__(
            "UNKNOWN_CHUNK", f"Chunk Missing (unavailable on the node): ChunkHash(`{text}`) \n Cause: Unknown", {"chunk_hash": text}
        )


class InvalidShardId(RpcError):
    """This chain has shard 0 and no other."""

    def __init__(self, shard_id: int) -> None:
        super().__init__("INVALID_SHARD_ID", f"Shard id {shard_id} does not exist", {"shard_id": shard_id})


class UnknownTransaction(RpcError):
    """A transaction that was never accepted."""

    def __init__(self, transaction_hash: bytes) -> None:
        text = hash_to_text(transaction_hash)
        super().__init__("UNKNOWN_TRANSACTION", f"Transaction {text} doesn't exist", {"requested_transaction_hash": text})


class InvalidTransaction(RpcError):
    """A transaction that the chain refuses; `data` carries nearcore's `TxExecutionError`."""

    def __init__(self, tx_execution_error: Any) -> None:
        super().__init__("INVALID_TRANSACTION", {"TxExecutionError": tx_execution_error})


class TransactionTimeout(RpcError):
    """The wanted status was not reached in time; the transaction goes on. `reached` None: no block has it yet."""

    def __init__(self, reached: Mapping[str, Any] | None) -> None:
        cause = {"cause": "NOT_OBSERVED"} if reached is None else {"cause": "PENDING", "status": dict(reached)}
        super().__init__("TIMEOUT_ERROR", "Timeout", cause)


class UnknownProofBlock(RpcError):
    """A block that a proof is asked for or under, and that is not there. The methods of light clients word it in their own way."""

    def __init__(self, block_hash: bytes) -> None:
        super().__init__("UNKNOWN_BLOCK", f"DB Not Found Error: BLOCK HEADER: {hash_to_text(block_hash)}")


class UnprovableOutcome(RpcError):
    """
    There is no proof of an outcome: NOT_CONFIRMED until the next block, UNKNOWN_TRANSACTION_OR_RECEIPT when there is no such outcome.

    UNAVAILABLE_SHARD and INCONSISTENT_STATE, which nodes have besides, cannot happen where one shard is kept whole.
    """

    def __init__(self, cause: str, text: str, outcome_id: bytes) -> None:
        super().__init__(cause, text, {"transaction_or_receipt_id": hash_to_text(outcome_id)})


class BlockAheadOfHead(RpcError):
    """A block that is to be proven under an older one; nodes have no cause of its own for it."""

    name = "INTERNAL_ERROR"

    def __init__(self, text: str) -> None:
        super().__init__("INTERNAL_ERROR", f"Internal error: {text}", {"error_message": text})


class UnknownReceipt(RpcError):
    """A receipt id that was never seen."""

    def __init__(self, receipt_id: bytes) -> None:
        info = {"receipt_id": hash_to_text(receipt_id)}
        # nearcore writes the error itself as data here, unlike in the other methods.
        super().__init__("UNKNOWN_RECEIPT", {"name": "UNKNOWN_RECEIPT", "info": info}, info)
