"""Sending transactions and following them: `send_tx`, `broadcast_tx_*`, `tx`, `EXPERIMENTAL_tx_status`, `EXPERIMENTAL_receipt`."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from localnet.chain import Chain
from localnet.parameters import parameters
from localnet.rpc.errors import ParseError, RpcError, TransactionTimeout
from localnet.rpc.node import Node
from localnet.rpc.params import Params
from localnet.rpc.progress import Progress, WaitUntil, progress_of
from localnet.rpc.translate import rpc_error
from localnet.rpc.tx_views import progress_view
from localnet.rpc.views import Json, receipt_view
from localnet.values.borsh import BorshError
from localnet.values.errors import ChainError
from localnet.values.hashes import CryptoHash, hash_to_text
from localnet.values.transaction import SignedTransaction, read_signed_transaction

T = TypeVar("T")

_WAITS = tuple(WaitUntil)


async def send_tx(node: Node, raw: Any) -> Json:
    """`send_tx`: submit, then wait as `wait_until` says."""
    params = Params(raw, positional=("signed_tx_base64",))
    signed, wait_until = _signed(params), _wait_until(params)
    if wait_until is WaitUntil.NONE:
        await _submit_unheard(node, signed)
        return {"final_execution_status": WaitUntil.NONE.value}
    await _submit(node, signed)
    return progress_view(await _wait(node, signed.hash, wait_until))


async def broadcast_tx_commit(node: Node, raw: Any) -> Json:
    """`broadcast_tx_commit`: `send_tx` that waits for the result."""
    signed = _signed(Params(raw, positional=("signed_tx_base64",)))
    await _submit(node, signed)
    return progress_view(await _wait(node, signed.hash, WaitUntil.EXECUTED_OPTIMISTIC))


async def broadcast_tx_async(node: Node, raw: Any) -> str:
    """`broadcast_tx_async`: the hash, whether the transaction is valid or not."""
    signed = _signed(Params(raw, positional=("signed_tx_base64",)))
    await _submit_unheard(node, signed)
    return hash_to_text(signed.hash)


async def tx(node: Node, raw: Any) -> Json:
    """`tx`: what has come of a transaction."""
    return progress_view(await _status(node, raw))


async def tx_status(node: Node, raw: Any) -> Json:
    """`EXPERIMENTAL_tx_status`: what `tx` gives, and the receipts."""
    return progress_view(await _status(node, raw), with_receipts=True)


async def receipt(node: Node, raw: Any) -> Json:
    """`EXPERIMENTAL_receipt`: any receipt that was made, run or not."""
    receipt_id = Params(raw, positional=("receipt_id",)).hash("receipt_id")
    return receipt_view(await node.run(partial(_translated, lambda chain: chain.receipt(receipt_id))))


async def _status(node: Node, raw: Any) -> Progress:
    params = Params(raw, positional=("tx_hash", "sender_account_id"))
    if params.has("signed_tx_base64"):
        tx_hash = _signed(params).hash
    else:
        tx_hash = params.hash("tx_hash")
        # One shard: the account is not needed to find the transaction. py-near sends the receiver's.
        params.account_id("sender_account_id")
    return await _wait(node, tx_hash, _wait_until(params))


async def _submit(node: Node, signed: SignedTransaction) -> None:
    await node.run(partial(_translated, lambda chain: chain.submit(signed)))
    node.nudge()


async def _submit_unheard(node: Node, signed: SignedTransaction) -> None:
    """
    As nodes do: who does not wait is not told that the transaction is invalid; it is just never seen again.

    Source: nearcore `JsonRpcHandler::send_tx_async`, which hands a transaction that it could read over and answers at once.
    """
    if node.take(signed):
        return
    try:
        await _submit(node, signed)
    except RpcError as error:
        if error.cause != "INVALID_TRANSACTION":
            raise


async def _wait(node: Node, tx_hash: CryptoHash, wait_until: WaitUntil) -> Progress:
    """
    Follow a transaction until it got far enough.

    Raises:
        UnknownTransaction, InvalidTransaction: it will never get there.
        TransactionTimeout: not in time; it goes on.
    """
    with node.watch.following(tx_hash) as news:
        deadline = asyncio.get_running_loop().time() + node.transaction_timeout_s
        while True:
            news.clear()
            progress = await node.run(partial(_translated, partial(progress_of, tx_hash)))
            if progress.status.satisfies(wait_until):
                return progress
            left_s = deadline - asyncio.get_running_loop().time()
            if left_s <= 0 or node.watch.is_closed:
                raise TransactionTimeout(None if progress.outcome is None else progress_view(progress))
            if progress.outcome is None:
                # Whether the next block takes it or drops it, that block brings the news.
                await node.watch.wait_for_height(progress.height + 1, timeout_s=left_s)
            else:
                await _any_news(news, timeout_s=left_s)


async def _any_news(news: asyncio.Event, *, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await news.wait()
    except TimeoutError:
        pass  # the caller looks once more, and then tells


def _translated(work: Callable[[Chain], T], chain: Chain) -> T:
    try:
        return work(chain)
    except ChainError as error:
        raise rpc_error(error, chain.head) from error


def _signed(params: Params) -> SignedTransaction:
    try:
        return read_signed_transaction(params.data("signed_tx_base64", most=parameters().limits.max_transaction_size))
    except BorshError as error:
        raise ParseError(f"Failed parsing args: Failed to decode transaction: {error}") from error


def _wait_until(params: Params) -> WaitUntil:
    return WaitUntil(params.one_of("wait_until", _WAITS, default=WaitUntil.EXECUTED_OPTIMISTIC))


METHODS = {
    "send_tx": send_tx,
    "broadcast_tx_commit": broadcast_tx_commit,
    "broadcast_tx_async": broadcast_tx_async,
    "tx": tx,
    "EXPERIMENTAL_tx_status": tx_status,
    "EXPERIMENTAL_receipt": receipt,
}
