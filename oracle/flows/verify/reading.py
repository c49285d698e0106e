"""
Answers of a node read into facts. Shapes: NEAR JSON-RPC, `EXPERIMENTAL_tx_status` and `query`; PROTOCOL for what the contracts say.

Whatever does not have its shape makes a `Missing`, because a verifier has to end with a verdict and not with an exception.
"""

import base64
import hashlib
import json
from typing import Any

import base58

from oracle.flows.verify.facts import AnswerSeen, BlockSeen, CompletedSeen, EndSeen, Missing, OperatorSeen, RegistrationSeen, RequestSeen
from oracle.flows.verify.logged import placed, used_in
from oracle.model import Completed, Metrics, Origin, Request
from oracle.model.tee import MEASUREMENT_NAMES
from oracle.near.events import events_of_logs
from oracle.near.transactions import failure_text

SHAPELESS = (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError, OverflowError)
"""What reading anything may raise; a number such as 1e999 is infinite, and no int."""
_MAX_HASH_CHARS = 44
"""Of 32 bytes in base58."""
_NO_CODE = "1" * 32
"""The code hash of an account without code: 32 zero bytes in base58."""


def receipt_of_request(outcome: Any, contract_id: str, standard: str, request_id: int | None) -> tuple[Any, Request, int | None] | None:
    """
    The receipt whose logs tell the request, the request, and its place among the requests of that receipt (`placed`).

    Only receipts that the contract itself ran, and that went through, count. `request_id` None takes the first.
    """
    for ran in outcome["receipts_outcome"]:
        if ran["outcome"]["executor_id"] != contract_id or not went_through(ran["outcome"]["status"]):
            continue
        logs = [str(log) for log in ran["outcome"]["logs"]]
        found = placed(events_of_logs(logs, Origin(), standard=standard), request_id)
        if found is not None:
            return ran, *found
    return None


def request_seen(outcome: Any, found: tuple[Any, Request, int | None], block: BlockSeen, contract_id: str, standard: str) -> RequestSeen:
    """The facts of a request that `receipt_of_request` found."""
    ran, request, place = found
    receipt_id = str(ran["id"])
    text = request.input_data
    if text is None and place is not None:
        text = _input_of_call(outcome, receipt_id, place)
    return RequestSeen(
        request=request,
        transaction_hash=str(outcome["transaction"]["hash"]),
        receipt_id=receipt_id,
        block=block,
        input_sha256_hex=None if text is None else hashlib.sha256(text.encode()).hexdigest(),
        completed=_completed(outcome, contract_id, standard, request.request_id),
    )


def _input_of_call(outcome: Any, receipt_id: str, place: int) -> str | None:
    """A long input stands in the call's arguments alone; each call of a batch tells one request, in order."""
    for receipt in outcome.get("receipts", ()):
        if receipt["receipt_id"] != receipt_id:
            continue
        actions = [action["FunctionCall"] for action in receipt["receipt"]["Action"]["actions"] if "FunctionCall" in action]
        calls = [call for call in actions if call["method_name"] == "request_execution"]
        if len(calls) <= place:
            return None
        told = json.loads(base64.b64decode(calls[place]["args"])).get("input_data")
        return told if isinstance(told, str) else None
    return None


def _completed(outcome: Any, contract_id: str, standard: str, request_id: int) -> CompletedSeen | None:
    for ran in outcome["receipts_outcome"]:
        if ran["outcome"]["executor_id"] != contract_id or not went_through(ran["outcome"]["status"]):
            continue
        logs = [str(log) for log in ran["outcome"]["logs"]]
        for event in events_of_logs(logs, Origin(), standard=standard):
            if isinstance(event, Completed) and event.request_id == request_id and event.success is not None:
                returned = ran["outcome"]["status"].get("SuccessValue")
                heard = None if returned is None else base64.b64decode(returned, validate=True)
                return CompletedSeen(event.success, event.error, heard, used_in(logs, request_id))
    return None


def receipt_of_answer(outcome: Any) -> Any:
    """The receipt that the transaction became."""
    first = outcome["transaction_outcome"]["outcome"]["receipt_ids"][0]
    return {ran["id"]: ran for ran in outcome["receipts_outcome"]}[first]


def answer_seen(outcome: Any, ran: Any, block: BlockSeen) -> AnswerSeen | Missing:
    """The facts of a transaction with one function call."""
    transaction, status = outcome["transaction"], ran["outcome"]["status"]
    actions = transaction["actions"]
    if len(actions) != 1 or "FunctionCall" not in actions[0]:
        return Missing("the transaction is not one function call", is_denial=True)
    call = actions[0]["FunctionCall"]
    return AnswerSeen(
        transaction_hash=str(transaction["hash"]),
        signer_id=str(transaction["signer_id"]),
        public_key=str(transaction["public_key"]),
        receiver_id=str(transaction["receiver_id"]),
        method=str(call["method_name"]),
        args=base64.b64decode(call["args"], validate=True),
        failure=None if went_through(status) else failure_text(status.get("Failure")),
        block=block,
    )


def block_seen(answer: Any) -> BlockSeen:
    """A block's header."""
    header = answer["header"]
    return BlockSeen(int(header["height"]), str(header["hash"]), int(header["timestamp_nanosec"]))


def end_seen(raw: bytes, request_id: int) -> EndSeen | Missing:
    """What `get_outcome` returned."""
    told = json.loads(raw)
    if told is None:
        return Missing("the contract keeps no outcome of it (any more)", is_gone=True)
    if told["request_id"] != request_id:
        return Missing(f"the node tells the outcome of request {told['request_id']!r}", is_denial=True)
    used = told["resources_used"]
    return EndSeen(
        success=told["success"] is True,
        status=str(told["status"]),
        error=told["error"],
        metrics=Metrics(int(used["instructions"]), int(used["time_ms"]), 0, used.get("compile_time_ms")),
        receipt_sha256_hex=told.get("receipt_sha256"),
        json=sorted_json(told),
    )


def sorted_json(value: object) -> str:
    """One spelling, to compare what was recorded with what is told."""
    return json.dumps(value, sort_keys=True)


def registration_seen(raw: bytes) -> RegistrationSeen | None:
    """What `get_worker` returned."""
    told = json.loads(raw)
    if told is None:
        return None
    return RegistrationSeen(
        public_key=str(told["public_key"]),
        measurements_hex=tuple(str(told["measurements"][name]).lower() for name in MEASUREMENT_NAMES),
        settings_sha256_hex=str(told["settings_sha256"]),
        registered_ns=int(told["registered_at"]),
        expires_ns=int(told["expires_at"]),
        renewals=int(told["renewals"]),
    )


def operator_seen(account: Any, keys: Any, account_id: str) -> OperatorSeen:
    """What `view_account` and `view_access_key_list` answered; of which keys are workers they do not tell."""
    code_hash = str(account["code_hash"])
    if len(code_hash) > _MAX_HASH_CHARS:  # decoding takes the square of the length
        raise ValueError("a hash that is too long")
    limited = keys_by_receiver(keys)
    return OperatorSeen(
        code_sha256_hex=None if code_hash == _NO_CODE else base58.b58decode(code_hash).hex(),
        full_access_keys=tuple(key for key, receiver_id in limited.items() if receiver_id is None),
        own_keys=tuple(key for key, receiver_id in limited.items() if receiver_id == account_id),
        stranger_keys=(),
    )


def keys_by_receiver(keys: Any) -> dict[str, str | None]:
    """Each key of `view_access_key_list` with the account it may call; None: full access."""
    permissions = {str(key["public_key"]): key["access_key"]["permission"] for key in keys["keys"]}
    if any(permission != "FullAccess" and "FunctionCall" not in permission for permission in permissions.values()):
        raise ValueError("a permission of an unknown kind")
    return {
        key: None if permission == "FullAccess" else str(permission["FunctionCall"]["receiver_id"])
        for key, permission in permissions.items()
    }


def workers_listed(raw: bytes) -> list[str]:
    """The keys on a page of `list_workers`."""
    return [str(worker["public_key"]) for worker in json.loads(raw)]


def went_through(status: Any) -> bool:
    """Whether an outcome with this status counts."""
    return isinstance(status, dict) and ("SuccessValue" in status or "SuccessReceiptId" in status)
