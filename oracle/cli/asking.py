"""
A request sent from an account of the user's, and followed to its end.

The worker's keys carry no deposit (`oracle.near.keys`); who asks pays, so a transaction with a deposit is made here.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

import base58
from py_near_primitives import FunctionCallAction, Transaction

from oracle.cli.ending import Progress, progress_of
from oracle.errors import RpcRefused, RpcUnavailable, TransactionRefused
from oracle.model import TxHash, YoctoNear, format_near
from oracle.near.nonces import is_possible
from oracle.near.rpc import is_hash
from oracle.near.rpc_errors import MethodMissing, ViewFailed
from oracle.ports import Clock
from oracle.wiring.chain import Chain

TGAS = 10**12
LEAST_GAS = 100 * TGAS
MOST_GAS = 300 * TGAS
_GAS_MARGIN = 20 * TGAS
_GAS_OF_A_TRANSACTION = 1_000 * TGAS
"""NEAR `max_total_prepaid_gas`."""
_U128_MAX = 2**128 - 1
_SIGNATURE_BYTES = 65  # tag of the curve and 64 bytes, at the end of borsh(SignedTransaction)

STORAGE_YOCTO_PER_BYTE = 10**19
"""NEAR `storage_amount_per_byte`."""
FREE_INPUT_BYTES = 10_000
"""Inputs above it need a deposit for their storage, which comes back (PROTOCOL, "Requests")."""

_FIRST_WAIT_S, _LONGEST_WAIT_S, _GROWTH = 0.05, 1.0, 1.5
_UNSEEN = frozenset({"UNKNOWN_TRANSACTION", "TIMEOUT_ERROR"})
_UNSEEN_TOLERATED_S = 60.0


@dataclass(frozen=True, slots=True)
class Requester:
    """An account and its full-access key (`ed25519:` and 64 bytes in base58)."""

    account_id: str
    private_key: str = field(repr=False)


def storage_deposit(input_bytes: int) -> YoctoNear:
    """What the contract wants on top for a long input, with room for the record around it."""
    return YoctoNear(0 if input_bytes < FREE_INPUT_BYTES else (input_bytes + 1_000) * STORAGE_YOCTO_PER_BYTE)


async def gas_to_attach(chain: Chain, input_bytes: int) -> int:
    """
    What the contract asks for, where it tells, with a margin; else what every version takes.

    Raises:
        ChainError: no node can be asked, or it tells what no transaction carries.
    """
    try:
        least = int(json.loads(await chain.contract.view("get_minimum_gas", {"input_bytes": input_bytes})))
    except (MethodMissing, ViewFailed, ValueError, TypeError, OverflowError, RecursionError):
        return MOST_GAS if input_bytes >= FREE_INPUT_BYTES else LEAST_GAS
    if not 0 <= least <= _GAS_OF_A_TRANSACTION:
        raise RpcUnavailable(f"the contract asks for {str(least)[:24]} gas, and a transaction carries at most {_GAS_OF_A_TRANSACTION}")
    return min(max(LEAST_GAS, least + _GAS_MARGIN), max(MOST_GAS, least))


async def send_request(chain: Chain, requester: Requester, arguments: dict[str, object], *, deposit: YoctoNear, gas: int) -> TxHash:
    """
    Sign and send one `request_execution`; a node that is slow to tell of it does not hold this up: `follow` finds out.

    Raises:
        ChainError: no node can be asked, or the chain refuses it; nothing was spent then.
    """
    raw = base58.b58decode(requester.private_key.removeprefix("ed25519:"))
    if deposit > _U128_MAX:
        raise RpcUnavailable(f"the contract asks for {format_near(deposit)[:48]}…, which is more than there can be")
    block = await chain.rpc.final_block()
    if not is_hash(block.block_hash):
        raise RpcUnavailable("the node's final block has a hash that is none")
    nonce = await _nonce(chain, requester, raw[32:]) + 1
    if not is_possible(nonce, block.height):
        raise RpcUnavailable(f"the node tells the nonce {str(nonce - 1)[:24]}, which no key can have at block {block.height}")
    action = FunctionCallAction("request_execution", json.dumps(arguments).encode(), gas, deposit)
    transaction = Transaction(requester.account_id, raw[32:], nonce, chain.contract_id, base58.b58decode(block.block_hash), [action])
    signed = bytes(transaction.to_vec(raw))
    transaction_hash = TxHash(base58.b58encode(sha256(signed[:-_SIGNATURE_BYTES]).digest()).decode())
    # Waits for its block: a transaction that was only handed over is dropped without a word when it is invalid.
    params = {"signed_tx_base64": base64.b64encode(signed).decode(), "wait_until": "INCLUDED"}
    try:
        await chain.rpc.call("send_tx", params)
    except RpcUnavailable:
        pass  # it may have arrived all the same
    except RpcRefused as error:
        if error.cause not in _UNSEEN:
            raise
    return transaction_hash


async def _nonce(chain: Chain, requester: Requester, public_key: bytes) -> int:
    key = "ed25519:" + base58.b58encode(public_key).decode()
    params = {"request_type": "view_access_key", "finality": "optimistic", "account_id": requester.account_id, "public_key": key}
    answer = await chain.rpc.call("query", params)
    match answer:
        case {"error": str(text)}:
            raise TransactionRefused("AccessKeyNotFound", f"account {requester.account_id} has no key {key} ({text[:200]})")
        case {"permission": {"FunctionCall": _}}:
            sentence = f"{key} may only call functions without a deposit; give a full-access key of {requester.account_id}"
            raise TransactionRefused("DepositWithFunctionCall", sentence)
        case {"nonce": int(nonce)}:
            return nonce
    raise RpcUnavailable("the node's answer to view_access_key cannot be read")


async def follow(
    chain: Chain, requester: Requester, transaction_hash: TxHash, *, until: Callable[[Progress], bool], clock: Clock, timeout_s: float
) -> Progress | None:
    """
    Ask how far a transaction has come, less and less often, until it is far enough or has failed; None when time runs out first.

    Trouble with the node is waited out: the transaction is on its way whether anybody looks or not.
    """
    started_s = clock.monotonic_s()
    wait_s, seen = _FIRST_WAIT_S, False
    params = {"tx_hash": transaction_hash, "sender_account_id": requester.account_id, "wait_until": "NONE"}
    while (elapsed_s := clock.monotonic_s() - started_s) < timeout_s:
        try:
            progress = progress_of(await chain.rpc.call("tx", params), chain.contract_id)
        except RpcUnavailable:
            progress = None
        except RpcRefused as error:
            if error.cause not in _UNSEEN or (not seen and elapsed_s > _UNSEEN_TOLERATED_S):
                raise
            progress = None
        if progress is not None:
            seen = True
            if progress.failure is not None or until(progress):
                return progress
        await clock.sleep(wait_s)
        wait_s = min(wait_s * _GROWTH, _LONGEST_WAIT_S)
    return None
