"""An account with its key: what a person or a program does on the chain."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from localnet.values.actions import (
    AccessKey,
    Action,
    AddKey,
    CreateAccount,
    DeployContract,
    FullAccess,
    FunctionCall,
    Permission,
    Transfer,
)
from localnet.values.hashes import CryptoHash
from localnet.values.keys import KeyPair, PublicKey
from localnet.values.transaction import SignedTransaction, Transaction

if TYPE_CHECKING:
    from localnet.chain import Chain
    from localnet.values.final_outcome import FinalOutcome

TGAS = 10**12
NEAR = 10**24

DEFAULT_GAS = 100 * TGAS
DEFAULT_BALANCE_YOCTO = 1_000 * NEAR


def encode_args(args: dict[str, Any] | bytes) -> bytes:
    """Arguments of a call: bytes as they are, a dict as compact JSON."""
    return args if isinstance(args, bytes) else json.dumps(args, separators=(",", ":"), ensure_ascii=False).encode()


class Account:
    """
    Signs with one key and keeps count of its nonces.

        alice = chain.create_account("alice")
        outcome = alice.call("counter.test.near", "increment", {"by": 2}, deposit_yocto=1)
        outcome.raise_for_failure()
    """

    def __init__(self, chain: "Chain", account_id: str, key: KeyPair) -> None:
        self._chain = chain
        self.account_id = account_id
        self.key = key
        self._last_nonce = 0

    def __repr__(self) -> str:
        return f"Account({self.account_id!r})"

    @property
    def balance_yocto(self) -> int:
        """What the account holds and may spend. Raises `UnknownAccount`."""
        return self._chain.account(self.account_id).amount_yocto

    def with_key(self, key: KeyPair) -> Self:
        """The same account, signing with another of its keys."""
        return type(self)(self._chain, self.account_id, key)

    def sign(self, receiver_id: str, actions: tuple[Action, ...] | list[Action]) -> SignedTransaction:
        """
        A signed transaction with the key's next nonce; `.encoded` is what a client sends.

        Raises:
            UnknownAccount, UnknownAccessKey: the chain does not know who signs.
        """
        chain = self._chain
        used = chain.access_key(self.account_id, self.key.public_key).nonce
        nonce = max(used, self._last_nonce) + 1
        self._last_nonce = nonce
        transaction = Transaction(self.account_id, self.key.public_key, nonce, receiver_id, chain.head.hash, tuple(actions))
        return transaction.sign(self.key)

    def submit(self, receiver_id: str, actions: tuple[Action, ...] | list[Action]) -> CryptoHash:
        """
        Sign actions and let them wait for the next block (`chain.produce_block`); gives the transaction's hash.

        Raises:
            InvalidTransaction, PoolFull: the chain did not take it.
        """
        return self._chain.submit(self.sign(receiver_id, actions))

    def send(self, receiver_id: str, actions: tuple[Action, ...] | list[Action]) -> "FinalOutcome":
        """
        Sign actions and make blocks until nothing is on its way; gives what came of them.

        A failed transaction is an outcome, no exception; one that a yield holds up is pending.

        Raises:
            InvalidTransaction, PoolFull: the chain did not take it.
        """
        tx_hash = self.submit(receiver_id, actions)
        self._chain.run_until_idle()
        return self._chain.transaction(tx_hash)

    def call(
        self, contract_id: str, method: str, args: dict[str, Any] | bytes = b"", *, deposit_yocto: int = 0, gas: int = DEFAULT_GAS
    ) -> "FinalOutcome":
        """Call a contract's method; a dict of arguments is sent as JSON. Gives and raises what `send` does."""
        return self.send(contract_id, (FunctionCall(method, encode_args(args), gas, deposit_yocto),))

    def transfer(self, receiver_id: str, amount_yocto: int) -> "FinalOutcome":
        """Give tokens. Gives and raises what `send` does."""
        return self.send(receiver_id, (Transfer(amount_yocto),))

    def deploy(
        self, wasm: bytes | Path, init_method: str | None = None, init_args: dict[str, Any] | bytes = b"", *, gas: int = DEFAULT_GAS
    ) -> Self:
        """
        Put a contract on the account, and call its `init_method` in the same transaction.

        Raises:
            ExecutionFailed: it failed; then neither is done.
        """
        code = wasm if isinstance(wasm, bytes) else wasm.read_bytes()
        actions: list[Action] = [DeployContract(code)]
        if init_method is not None:
            actions.append(FunctionCall(init_method, encode_args(init_args), gas, 0))
        self.send(self.account_id, actions).raise_for_failure()
        return self

    def create_account(self, account_id: str, *, balance_yocto: int = DEFAULT_BALANCE_YOCTO, key: KeyPair | None = None) -> "Account":
        """
        Make an account under this one, with a full-access key and a balance that this account pays.

        Raises:
            ExecutionFailed: the chain would not make it (`AccountAlreadyExists`, `CreateAccountNotAllowed`, …).
        """
        key = key or KeyPair.random()
        actions = (CreateAccount(), Transfer(balance_yocto), AddKey(key.public_key, AccessKey(0, FullAccess())))
        self.send(account_id, actions).raise_for_failure()
        return Account(self._chain, account_id, key)

    def add_key(self, public_key: PublicKey, permission: Permission | None = None) -> "FinalOutcome":
        """Give the account another key, with full access unless a permission is given. Gives and raises what `send` does."""
        return self.send(self.account_id, (AddKey(public_key, AccessKey(0, permission or FullAccess())),))
