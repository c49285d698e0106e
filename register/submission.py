"""
A transaction of the account that pays: signed, sent, and followed to its end.

Nothing of it is kept over a crash: a registration that arrived unheard of is one key more that nobody holds, and its deposit comes back
when it expires.
"""

import base64

from oracle.errors import RpcRefused, RpcUnavailable, TransactionRefused
from oracle.model import NEAR, TxHash, YoctoNear, format_near
from oracle.near import Rpc, SigningKey
from oracle.near.keys import Call
from oracle.near.rpc_errors import AccessKeyUnknown, AccountUnknown
from oracle.near.transactions import Failed, Fate, fate_of
from oracle.ports import Clock
from register.errors import CallFailed, RegistrationRefused

GAS_RESERVE = YoctoNear(NEAR // 10)
"""300 Tgas at three times the least price of 10^8 yoctoNEAR; what is not burnt comes back."""
_SIGN_ATTEMPTS = 3
_UNSEEN_TOLERATED_S = 20.0
_PATIENCE_S = 60.0
_FIRST_WAIT_S, _LONGEST_WAIT_S, _GROWTH = 0.05, 1.0, 1.5
_MAY_HAVE_ARRIVED = frozenset({"TIMEOUT_ERROR", "UNKNOWN_TRANSACTION"})
_AT_FAULT = {
    "NotEnoughBalance": "send it some NEAR",
    "LackBalanceForState": "send it some NEAR",
    "SignerDoesNotExist": "create it, or mend INIT_ACCOUNT_ID",
    "AccessKeyNotFound": "mend INIT_ACCOUNT_PRIVATE_KEY",
    "RequiresFullAccess": "give a full-access key: only that can attach a deposit",
    "DepositWithFunctionCall": "give a full-access key: only that can attach a deposit",
    "MethodNameMismatch": "give a full-access key: only that can attach a deposit",
    "ReceiverMismatch": "give a full-access key: only that can attach a deposit",
}
"""Refusals (nearcore `InvalidTxError`, `InvalidAccessKeyError`) that only people mend, and how."""


class Payer:
    """Signs with the key of INIT_ACCOUNT_ID."""

    def __init__(self, rpc: Rpc, key: SigningKey, clock: Clock) -> None:
        self.rpc, self._key, self.clock = rpc, key, clock

    @property
    def account_id(self) -> str:
        """Who pays."""
        return self._key.account_id

    async def check_can_pay(self, deposit_yocto: int) -> None:
        """
        Look whether the account and its key are there and have enough.

        Raises:
            RegistrationRefused: they do not; the sentence has the mend.
            ChainError: no node answers.
        """
        await self._nonce()
        params = {"request_type": "view_account", "finality": "final", "account_id": self.account_id}
        answer = await self.rpc.call("query", params)
        try:
            balance = YoctoNear(int(answer["amount"]))  # type: ignore[index]
        except (KeyError, TypeError, ValueError) as error:
            raise RpcUnavailable("the node's answer to view_account cannot be read") from error
        needed = YoctoNear(deposit_yocto + GAS_RESERVE)
        if balance < needed:
            raise RegistrationRefused(
                f"{self.account_id} has {format_near(balance)}; a registration needs {format_near(needed)} at hand; most of it comes back"
            )

    async def call(self, call: Call) -> TxHash:
        """
        Bring one call to its end.

        Raises:
            CallFailed: it was executed and failed.
            RegistrationRefused: the chain took it from nobody; the sentence has the reason.
            ChainError: no node answers, or the transaction was never seen.
        """
        transaction_hash = await self._send(call)
        await self._follow(transaction_hash)
        return transaction_hash

    async def _send(self, call: Call) -> TxHash:
        for attempt in range(1, _SIGN_ATTEMPTS + 1):
            block = await self.rpc.final_block()
            transaction_hash, signed = self._key.sign_call(call, nonce=await self._nonce() + 1, block_hash=block.block_hash)
            params = {"signed_tx_base64": base64.b64encode(signed).decode(), "wait_until": "INCLUDED"}
            try:
                await self.rpc.call("send_tx", params)
            except RpcUnavailable:
                return transaction_hash  # it may have arrived all the same: `_follow` finds out
            except RpcRefused as error:
                if error.cause not in _MAY_HAVE_ARRIVED:
                    raise
            except TransactionRefused as error:
                # Another worker that shares the account was faster.
                if error.kind != "InvalidNonce" or attempt == _SIGN_ATTEMPTS:
                    raise self._refused(error) from error
                continue
            return transaction_hash
        raise RpcUnavailable("unreachable: the last attempt returns or raises")

    async def _follow(self, transaction_hash: TxHash) -> None:
        started_s, wait_s, seen = self.clock.monotonic_s(), _FIRST_WAIT_S, False
        while (elapsed_s := self.clock.monotonic_s() - started_s) < _PATIENCE_S:
            try:
                fate: Fate | Failed = await fate_of(self.rpc, transaction_hash, self.account_id)
            except RpcUnavailable:
                fate = Fate.PENDING
            match fate:
                case Fate.SUCCEEDED:
                    return
                case Failed(reason):
                    raise CallFailed(transaction_hash, reason)
                case Fate.PENDING:
                    seen = True
                case Fate.UNKNOWN if not seen and elapsed_s > _UNSEEN_TOLERATED_S:
                    raise RpcUnavailable(f"transaction {transaction_hash} was never seen by the node")
            await self.clock.sleep(wait_s)
            wait_s = min(wait_s * _GROWTH, _LONGEST_WAIT_S)
        raise RpcUnavailable(f"transaction {transaction_hash} has not ended after {_PATIENCE_S:g} seconds")

    async def _nonce(self) -> int:
        params = {
            "request_type": "view_access_key",
            "finality": "optimistic",
            "account_id": self.account_id,
            "public_key": self._key.public_key,
        }
        try:
            answer = await self.rpc.call("query", params)
        except AccountUnknown as error:
            raise self._refused(TransactionRefused("SignerDoesNotExist", f"account {self.account_id} does not exist")) from error
        except AccessKeyUnknown as error:
            raise self._no_key() from error
        match answer:
            case {"permission": {"FunctionCall": _}}:
                raise self._refused(TransactionRefused("DepositWithFunctionCall", f"{self._key.public_key} may only call functions"))
            case {"nonce": int(nonce)}:
                return nonce
            case {"error": str()}:
                raise self._no_key()
        raise RpcUnavailable("the node's answer to view_access_key cannot be read")

    def _no_key(self) -> Exception:
        return self._refused(TransactionRefused("AccessKeyNotFound", f"account {self.account_id} has no key {self._key.public_key}"))

    def _refused(self, error: TransactionRefused) -> Exception:
        """What only people mend; anything else may pass."""
        mend = _AT_FAULT.get(error.kind)
        return error if mend is None else RegistrationRefused(f"INIT_ACCOUNT_ID={self.account_id}: {error}; {mend}")
