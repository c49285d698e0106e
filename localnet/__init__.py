"""
A NEAR chain in one Python process: real contract wasm, NEAR's JSON-RPC, blocks on demand.

    from localnet import NEAR, Chain

    chain = Chain()                        # or Chain(Path("chain")), which survives the process
    alice = chain.create_account("alice")  # alice.test.near
    outcome = alice.call("counter.test.near", "increment", {"by": 2}, deposit_yocto=1)
    outcome.raise_for_failure().json()

In a test, the fixture `localnet` is a fresh chain. The names below load on first use: pytest imports this package at every start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localnet.account import NEAR, TGAS, Account
    from localnet.chain import Chain, Snapshot
    from localnet.runtime.genesis import GenesisAccount
    from localnet.runtime.views import ViewResult
    from localnet.state.store import HomeLocked, StateError
    from localnet.values.errors import ChainError, ExecutionFailed, InvalidTransaction, ViewFailed
    from localnet.values.final_outcome import FinalOutcome
    from localnet.values.keys import KeyPair, PublicKey

__all__ = [
    "NEAR",
    "TGAS",
    "Account",
    "Chain",
    "ChainError",
    "ExecutionFailed",
    "FinalOutcome",
    "GenesisAccount",
    "HomeLocked",
    "InvalidTransaction",
    "KeyPair",
    "PublicKey",
    "Snapshot",
    "StateError",
    "ViewFailed",
    "ViewResult",
]

_HOMES = {
    "NEAR": "localnet.account",
    "TGAS": "localnet.account",
    "Account": "localnet.account",
    "Chain": "localnet.chain",
    "ChainError": "localnet.values.errors",
    "ExecutionFailed": "localnet.values.errors",
    "FinalOutcome": "localnet.values.final_outcome",
    "GenesisAccount": "localnet.runtime.genesis",
    "HomeLocked": "localnet.state.store",
    "InvalidTransaction": "localnet.values.errors",
    "KeyPair": "localnet.values.keys",
    "PublicKey": "localnet.values.keys",
    "Snapshot": "localnet.chain",
    "StateError": "localnet.state.store",
    "ViewFailed": "localnet.values.errors",
    "ViewResult": "localnet.runtime.views",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'localnet' has no attribute {name!r}")
    return getattr(import_module(home), name)
