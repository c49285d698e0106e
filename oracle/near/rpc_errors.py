"""A node's error answers, in their several shapes, as typed errors (nearcore `RpcError`, crate near-jsonrpc-primitives)."""

import contextlib

from oracle.errors import ChainError, RpcRefused, RpcUnavailable, TransactionRefused
from oracle.model import format_near, yocto_from_text

_NODE_AT_FAULT = frozenset(
    {
        "INTERNAL_ERROR",
        "NO_SYNCED_BLOCKS",
        "NOT_SYNCED_YET",
        "UNAVAILABLE_SHARD",
        "TIMEOUT_ERROR",
        "DOES_NOT_TRACK_SHARD",
    }
)
"""Causes that say something of the node and not of the question: another node may know."""

_MAX_TEXT_CHARS = 300


class AccountUnknown(RpcRefused):
    """The account does not exist."""


class AccessKeyUnknown(RpcRefused):
    """The account has no such key."""


class MethodMissing(RpcRefused):
    """The contract has no such method, or the account no contract."""


class ViewFailed(RpcRefused):
    """The contract's method panicked or trapped; `str()` has its message."""


def node_is_at_fault(error: ChainError) -> bool:
    """Whether another node may do better."""
    return isinstance(error, RpcUnavailable) or (isinstance(error, RpcRefused) and error.cause in _NODE_AT_FAULT)


def error_from_answer(error: object, what: str) -> ChainError:
    """Read the `error` of an answer; `what` says what was asked of whom."""
    if not isinstance(error, dict):
        return RpcUnavailable(f"{what}: an error that cannot be read")
    cause = error.get("cause")
    name = cause.get("name") if isinstance(cause, dict) else error.get("name")
    data = error.get("data")
    if name == "INVALID_TRANSACTION" or (isinstance(data, dict) and "TxExecutionError" in data):
        return transaction_refusal(data)
    text = _short(data if isinstance(data, str) else error.get("message"))
    match name:
        case "UNKNOWN_ACCOUNT" | "INVALID_ACCOUNT":
            refusal: RpcRefused = AccountUnknown(name, text)
        case "UNKNOWN_ACCESS_KEY":
            refusal = AccessKeyUnknown(name, text)
        case "NO_CONTRACT_CODE":
            refusal = MethodMissing(name, text)
        case "CONTRACT_EXECUTION_ERROR":
            refusal = view_error(text)
        case _:
            refusal = RpcRefused(name if isinstance(name, str) else "UNKNOWN", f"{what}: {text}")
    return refusal


def view_error(text: str) -> RpcRefused:
    """The error of a `call_function`, which older nodes send inside a result; the text is Rust's debug form of it."""
    if "MethodNotFound" in text or "CodeDoesNotExist" in text:
        return MethodMissing("METHOD_NOT_FOUND", _short(text))
    return ViewFailed("CONTRACT_EXECUTION_ERROR", _short(text))


def transaction_refusal(data: object) -> TransactionRefused:
    """`{"TxExecutionError": {"InvalidTxError": {KIND: …}}}`, unit kinds as bare strings; the innermost name is the kind."""
    kind: object = data
    for wrapper in ("TxExecutionError", "InvalidTxError", "InvalidAccessKeyError", "ActionsValidation"):
        if isinstance(kind, dict) and wrapper in kind:
            kind = kind[wrapper]
    facts: object = None
    if isinstance(kind, dict) and kind:
        kind, facts = next(iter(kind.items()))
    name = kind if isinstance(kind, str) else "Unknown"
    return TransactionRefused(name, _short(f"the chain refuses the transaction: {_refusal_in_words(name, facts)}"))


def _refusal_in_words(name: str, facts: object) -> str:
    match name, facts:
        case "NotEnoughBalance", {"signer_id": str(signer_id), "balance": str(balance), "cost": str(cost)}:
            with contextlib.suppress(ValueError):
                has, needs = format_near(yocto_from_text(balance)), format_near(yocto_from_text(cost))
                return f"{signer_id[:64]} has {has} and the transaction needs {needs}, gas included (NotEnoughBalance)"
    return f"{name} {facts}" if facts else name


def _short(text: object) -> str:
    return str(text)[:_MAX_TEXT_CHARS]
