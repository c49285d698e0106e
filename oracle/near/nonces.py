"""
Nonces of access keys: what the chain counts, and what it can take.

A nonce lies above the last one of its key and below 10**6 times the height of the block it arrives in (nearcore,
`ACCESS_KEY_NONCE_RANGE_MULTIPLIER`). What is said to lie beyond is no nonce, whoever says it: a transaction with it would be lost, and
with it every later one of the key.
"""

from oracle.errors import RpcUnavailable, TransactionRefused
from oracle.near.keys import SigningKey
from oracle.near.rpc import Rpc
from oracle.near.rpc_errors import AccessKeyUnknown, AccountUnknown

NONCES_A_BLOCK = 1_000_000

_HEAD_AHEAD_BLOCKS = 4
"""The newest block, in which keys are looked up and made, is so much younger than the final one, whose height is compared with."""


def is_possible(nonce: int, final_height: int) -> bool:
    """Whether the chain can take a nonce by now, or in a few blocks."""
    return 0 <= nonce < (final_height + _HEAD_AHEAD_BLOCKS) * NONCES_A_BLOCK


async def nonce_on_chain(rpc: Rpc, key: SigningKey, final_height: int) -> int:
    """
    The last nonce of a key.

    Raises:
        TransactionRefused: there is no such account or key.
        RpcUnavailable: no node answers, or with a nonce that no key can have at this height.
    """
    params = {"request_type": "view_access_key", "finality": "optimistic", "account_id": key.account_id, "public_key": key.public_key}
    try:
        answer = await rpc.call("query", params)
    except AccessKeyUnknown as error:
        raise _no_such_key(key) from error
    except AccountUnknown as error:
        raise TransactionRefused("SignerDoesNotExist", f"account {key.account_id} does not exist") from error
    if not isinstance(answer, dict):
        raise RpcUnavailable("the node's answer to view_access_key cannot be read")
    nonce = answer.get("nonce")
    if not isinstance(nonce, int):
        if "does not exist" in str(answer.get("error")):
            raise _no_such_key(key)
        raise RpcUnavailable("the node's answer to view_access_key cannot be read")
    if not is_possible(nonce, final_height):
        raise RpcUnavailable(f"the node tells the nonce {str(nonce)[:24]}, which no key can have at block {final_height}")
    return nonce


def _no_such_key(key: SigningKey) -> TransactionRefused:
    return TransactionRefused("AccessKeyNotFound", f"account {key.account_id} has no key {key.public_key}")
