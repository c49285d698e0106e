"""What became of a transaction, asked by `tx` (shapes: NEAR JSON-RPC, "Final outcome")."""

from dataclasses import dataclass
from enum import Enum

from oracle.errors import RpcRefused, RpcUnavailable, TransactionRefused
from oracle.model import TxHash
from oracle.near.rpc import Rpc

_MAX_REASON_CHARS = 300
_NOT_SEEN = frozenset({"UNKNOWN_TRANSACTION", "TIMEOUT_ERROR"})


class Fate(Enum):
    """Where a transaction stands, when it has not failed."""

    UNKNOWN = "the node has not seen it"
    PENDING = "it waits to be executed"
    SUCCEEDED = "it was executed"


@dataclass(frozen=True, slots=True)
class Failed:
    """It was executed and failed, or never can be; `reason` is the contract's message where there is one."""

    reason: str


async def fate_of(rpc: Rpc, transaction_hash: TxHash, account_id: str) -> Fate | Failed:
    """
    Ask for a transaction without waiting for it.

    Raises:
        ChainError: the node cannot say.
    """
    params = {"tx_hash": transaction_hash, "sender_account_id": account_id, "wait_until": "NONE"}
    try:
        outcome = await rpc.call("tx", params)
    except TransactionRefused as error:
        return Failed(str(error))
    except RpcRefused as error:
        if error.cause in _NOT_SEEN:
            return Fate.UNKNOWN
        raise
    if not isinstance(outcome, dict):
        raise RpcUnavailable("the node's answer to tx cannot be read")
    match outcome.get("status"):
        case {"SuccessValue": _}:
            return Fate.SUCCEEDED
        case {"Failure": failure}:
            return Failed(failure_text(failure))
        case None if outcome.get("final_execution_status") == "NONE":
            return Fate.UNKNOWN
        case _:
            return Fate.PENDING


def failure_text(failure: object) -> str:
    """The innermost message of a `TxExecutionError`."""
    found = failure
    while isinstance(found, dict) and found:
        if "ExecutionError" in found:
            found = found["ExecutionError"]
        elif "kind" in found:
            found = found["kind"]
        else:
            name, inner = next(iter(found.items()))
            if not isinstance(inner, dict | str):
                return f"{name}: {inner}"[:_MAX_REASON_CHARS]
            found = inner
    return str(found)[:_MAX_REASON_CHARS]
