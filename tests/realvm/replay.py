"""
Runs calls in `realvm`'s input format on `localnet.vm` and gives what realvm prints of each, as far as both have it.

A world lives from call to call, as in realvm: storage, balance, storage usage and pending yields of each account.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localnet.values import actions, base58
from localnet.vm import CallContext, HostError, ReceiptIndex, Vm, VmOutcome

NEAR = 10**24
COMPARED = (
    "status",
    "error",
    "error_text",
    "return_base64",
    "return_receipt",
    "logs",
    "burnt_gas",
    "used_gas",
    "storage_usage",
    "storage_sha256",
    "balance_after",
    "receipts",
    "resumes",
)
LONGEST_LOG = 200
ONLY_AFTER_SUCCESS = {"storage_usage", "balance_after", "receipts", "resumes", "return_base64", "return_receipt"}


@dataclass
class World:
    """What survives of an account from call to call."""

    storage_usage: int
    balance: int = 100 * NEAR
    trie: dict[bytes, bytes] = field(default_factory=dict)
    yields: set[bytes] = field(default_factory=set)

    def storage_get(self, key: bytes) -> bytes | None:
        return self.trie.get(key)

    def yield_exists(self, data_id: bytes) -> bool:
        return data_id in self.yields

    def adopt(self, outcome: VmOutcome) -> None:
        self.storage_usage, self.balance = outcome.storage_usage_bytes, outcome.balance_yocto
        for key, value in outcome.storage_changes.items():
            if value is None:
                self.trie.pop(key, None)
            else:
                self.trie[key] = value
        self.yields |= {receipt.yield_data_id for receipt in outcome.receipts if receipt.yield_data_id}
        self.yields -= {resume.data_id for resume in outcome.resumes}

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for key, value in sorted(self.trie.items()):
            digest.update(len(key).to_bytes(4, "little") + key + len(value).to_bytes(4, "little") + value)
        return digest.hexdigest()


def _yocto(value: object, otherwise: int) -> int:
    return otherwise if value is None else int(str(value).replace("_", ""))


def _input(call: dict[str, Any]) -> bytes:
    if "args_base64" in call:
        return base64.b64decode(call["args_base64"])
    if "args_json" in call:
        return json.dumps(call["args_json"], separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()
    return b""


def _context(call: dict[str, Any], number: int, account: str, world: World) -> CallContext:
    signer = call.get("signer") or "alice.testnet"
    predecessor = call.get("predecessor") or signer
    results = [base64.b64decode(result["ok"]) if isinstance(result, dict) else None for result in call.get("promise_results", [])]
    action_hash = call.get("action_hash_hex") or hashlib.sha256(f"action{number}".encode()).hexdigest()
    return CallContext(
        current_account_id=account,
        signer_account_id=signer,
        signer_public_key=bytes.fromhex(call.get("signer_pk_hex") or "00" * 33),
        predecessor_account_id=predecessor,
        refund_to_account_id=call.get("refund_to") or predecessor,
        input=_input(call),
        promise_results=tuple(results),
        block_height=call.get("block_height") or 100 + number,
        block_timestamp_ns=call.get("block_timestamp") or 1_750_000_000_000_000_000 + number * 10**9,
        epoch_height=call.get("epoch_height") or 1,
        account_balance_yocto=world.balance,
        account_locked_yocto=_yocto(call.get("locked_balance"), 0),
        storage_usage_bytes=world.storage_usage,
        attached_deposit_yocto=_yocto(call.get("attached_deposit"), 0),
        prepaid_gas=call.get("prepaid_gas") or 300 * 10**12,
        random_seed=bytes.fromhex(call.get("random_seed_hex") or "07" * 32),
        action_hash=bytes.fromhex(action_hash),
        chain_id=call.get("chain_id") or "localnet",
        output_data_receivers=tuple(call.get("output_data_receivers", [])),
        is_view=bool(call.get("is_view")),
    )


def replay(vm: Vm, calls: list[dict[str, Any]], account: str, wasm: Path | None = None) -> list[dict[str, Any]]:
    """Run the calls one after another; relative paths of `wasm` in calls are taken from the working directory."""
    worlds: dict[str, World] = {}
    answers = []
    for number, call in enumerate(calls):
        code = Path(call.get("wasm") or wasm or "").read_bytes()
        me = call.get("current_account") or account
        world = worlds.setdefault(me, World(100 + len(code)))
        for key, value in call.get("set_state", {}).items():
            world.trie[base64.b64decode(key)] = base64.b64decode(value)
        world.balance = _yocto(call.get("account_balance"), world.balance)
        outcome = vm.run(code, call["method"], _context(call, number, me, world), world)
        if outcome.error is None and not call.get("is_view"):
            world.adopt(outcome)
        answers.append({"i": number, "method": call["method"], **_printed(outcome, world)})
    return answers


def _printed(outcome: VmOutcome, world: World) -> dict[str, Any]:
    printed: dict[str, Any] = {
        "status": "ok" if outcome.error is None else "aborted",
        "logs": list(outcome.logs),
        "burnt_gas": outcome.burnt_gas,
        "used_gas": outcome.used_gas,
        "storage_usage": outcome.storage_usage_bytes,
        "balance_after": str(outcome.balance_yocto),
        "storage_sha256": world.sha256(),
        "receipts": [_receipt(index, outcome) for index in range(len(outcome.receipts))],
        "resumes": [
            {"data_id": base58.encode(r.data_id), "payload_base64": base64.b64encode(r.payload).decode(), "resolved": True}
            for r in outcome.resumes
        ],
    }
    if outcome.error is not None:
        printed["error"] = outcome.error.view_text
        if isinstance(outcome.error, HostError):
            printed["error_text"] = outcome.error.text
    if isinstance(outcome.return_data, ReceiptIndex):
        printed["return_receipt"] = outcome.return_data.index
    elif outcome.return_data is not None:
        printed["return_base64"] = base64.b64encode(outcome.return_data).decode()
    return printed


def _receipt(index: int, outcome: VmOutcome) -> dict[str, Any]:
    receipt = outcome.receipts[index]
    return {
        "index": index,
        "receiver_id": receipt.receiver_id,
        "depends_on": [dependency.receipt_index for dependency in receipt.input_dependencies],
        "input_data_ids": [base58.encode(data_id) for data_id in receipt.input_data_ids],
        "output_data_receivers": [
            {"data_id": base58.encode(output.data_id), "receiver_id": output.receiver_id} for output in receipt.output_data_receivers
        ],
        "yield_data_id": base58.encode(receipt.yield_data_id) if receipt.yield_data_id else None,
        "refund_to": receipt.refund_to,
        "actions": [_action(action) for action in receipt.actions],
    }


def _action(action: actions.SimpleAction) -> Any:  # noqa: PLR0911 - a return for each kind of action
    match action:
        case actions.CreateAccount():
            return "CreateAccount"
        case actions.DeployContract(code):
            return {"DeployContract": {"code_len": len(code), "code_hash": base58.encode(hashlib.sha256(code).digest())}}
        case actions.FunctionCall():
            args = base64.b64encode(action.args).decode()
            return {
                "FunctionCall": {
                    "method_name": action.method_name,
                    "args_base64": args,
                    "deposit": str(action.deposit_yocto),
                    "gas": action.gas,
                }
            }
        case actions.Transfer(deposit):
            return {"Transfer": {"deposit": str(deposit)}}
        case actions.Stake(amount, key):
            return {"Stake": {"stake": str(amount), "public_key": str(key)}}
        case actions.AddKey(key, access_key):
            permission = _permission(access_key.permission)
            return {"AddKey": {"public_key": str(key), "access_key": {"nonce": access_key.nonce, "permission": permission}}}
        case actions.DeleteKey(key):
            return {"DeleteKey": {"public_key": str(key)}}
        case actions.DeleteAccount(beneficiary):
            return {"DeleteAccount": {"beneficiary_id": beneficiary}}


def _permission(permission: actions.Permission) -> Any:
    if isinstance(permission, actions.FullAccess):
        return "FullAccess"
    allowance = permission.allowance_yocto
    return {
        "FunctionCall": {
            "allowance": None if allowance is None else str(allowance),
            "receiver_id": permission.receiver_id,
            "method_names": list(permission.method_names),
        }
    }


def _short(log: str) -> str:
    if len(log) <= LONGEST_LOG:
        return log
    return f"{len(log)} characters, sha256 {hashlib.sha256(log.encode()).hexdigest()}"


def normalised(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer of realvm or of `replay` cut to what can be compared: after an abort balance, storage usage and receipts do not count."""
    is_ok = answer["status"] == "ok"
    kept = {name: answer[name] for name in COMPARED if name in answer and (is_ok or name not in ONLY_AFTER_SUCCESS)}
    kept["logs"] = [_short(log) for log in kept["logs"]]
    if "resumes" in kept:
        kept["resumes"] = [resume for resume in kept["resumes"] if resume["resolved"]]
    for receipt in kept.get("receipts", []):
        receipt.pop("yield_id_hex", None)
        for action in receipt["actions"]:
            if isinstance(action, dict) and "FunctionCall" in action:
                action["FunctionCall"].pop("gas_weight", None)
    return kept


def differences(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    """What differs, a line for each field."""
    lines = [] if len(expected) == len(found) else [f"{len(expected)} answers expected, {len(found)} found"]
    for want, have in zip(expected, found, strict=False):
        left, right = normalised(want), normalised(have)
        lines += [
            f"call {have['i']} {have['method']} {name}: expected {left.get(name)!r}, found {right.get(name)!r}"
            for name in COMPARED
            if left.get(name) != right.get(name)
        ]
    return lines
