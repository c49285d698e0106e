"""Chains for the tests of ledger and runtime: contracts in Python, and a clock that stands still until it is moved."""

import pytest

from localnet import NEAR, Chain, GenesisAccount, KeyPair
from localnet.runtime.twin import PythonContracts

ROOT_KEY = KeyPair.from_seed("test.near")
GENESIS_YOCTO = 10**9 * NEAR + 2 * 1_000 * NEAR


def genesis_accounts():
    balances = {"test.near": 10**9 * NEAR, "near": 1_000 * NEAR, "registrar": 1_000 * NEAR}
    return tuple(GenesisAccount(name, balance, ROOT_KEY.public_key, None) for name, balance in balances.items())


class Clock:
    """Stands still; a test moves it."""

    def __init__(self):
        self.now_ns = 1_750_000_000_000_000_000

    def __call__(self):
        return self.now_ns


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def contracts():
    return PythonContracts()


@pytest.fixture
def open_chain(contracts, clock):
    """A function that makes a chain, in memory or in a directory."""
    opened = []

    def make(home=None):
        chain = Chain(home, key=ROOT_KEY, accounts=genesis_accounts(), clock=clock, machine=contracts)
        opened.append(chain)
        return chain

    yield make
    for chain in opened:
        chain.close()


@pytest.fixture
def chain(open_chain):
    return open_chain()


@pytest.fixture
def alice(chain):
    return chain.create_account("alice")


@pytest.fixture
def bob(chain):
    return chain.create_account("bob")
