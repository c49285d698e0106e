"""A process that makes blocks is killed at random moments; what it leaves is whole blocks, and what it promised."""

import os
import random
import selectors
import signal
import subprocess
import sys

import pytest

from localnet import NEAR, Chain, GenesisAccount, KeyPair
from localnet.rpc.block_views import header_view
from localnet.rpc.light_client_views import outcome_proof_view
from localnet.state.tables import Table
from localnet.values.actions import Transfer
from localnet.values.hashes import CryptoHash

KEY = KeyPair.from_seed("root")
NAMES = ("test.near", "near")
ACCOUNTS = tuple(GenesisAccount(name, 10**6 * NEAR, KEY.public_key, None) for name in NAMES)


def tell(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def busy(home):
    """Make blocks for ever, and tell each transaction that was accepted."""
    chain = Chain(home, key=KEY, accounts=ACCOUNTS)
    tell("ready")
    while True:
        for _ in range(3):
            tell(chain.root.submit("near", [Transfer(1)]).hex())
        chain.produce_block()


PROGRAM = f"import sys, runpy, pathlib; runpy.run_path({__file__!r})['busy'](pathlib.Path(sys.argv[1]))"


def run_and_kill(home, accepted, rng):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(home)], stdout=subprocess.PIPE, text=True)
    try:
        lines = rng.randrange(1, 120)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            assert selector.select(timeout=30)
        for _ in range(lines):
            line = process.stdout.readline().strip()
            assert line, "the process ended by itself"
            if line != "ready":
                accepted.append(CryptoHash(bytes.fromhex(line)))
    finally:
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read().splitlines()
        process.stdout.close()
        process.wait()
    accepted += [CryptoHash(bytes.fromhex(line)) for line in rest if len(line) == 64]


def rows(store):
    return {(table, owner, sub): value for table in Table for owner in ("", *NAMES) for sub, value in store.scan(table, owner, b"")}


def replay(chain):
    """The same transactions at the same times, on a chain in memory."""
    times = iter([chain.header(height).timestamp_ns for height in range(chain.head.height + 1)])
    twin = Chain(key=KEY, accounts=ACCOUNTS, clock=lambda: next(times))
    for height in range(1, chain.head.height + 1):
        for done in chain.block(height).transactions:
            twin.submit(done.signed)
        twin.produce_block()
    return twin


def is_proven(chain, tx_hash):
    from tests.unit.localnet.light_client import outcome_is_proven  # noqa: PLC0415 (the process that is killed may run anywhere)

    proof = chain.outcome_proof(tx_hash)
    shown = outcome_proof_view(proof, chain.block_path(proof.header, chain.head))
    return outcome_is_proven(shown, header_view(chain.head))


def check(home, accepted):
    chain = Chain(home, key=KEY, accounts=ACCOUNTS)
    try:
        chain.run_until_idle()
        assert all(chain.transaction(tx_hash).succeeded for tx_hash in accepted)
        included = [done.signed.hash for height in range(chain.head.height + 1) for done in chain.block(height).transactions]
        assert len(included) == len(set(included))
        assert set(accepted) <= set(included)
        assert chain.account("near").amount_yocto == 10**6 * NEAR + len(included)
        twin = replay(chain)
        assert twin.head == chain.head
        assert rows(twin._store) == rows(chain._store)
        for _ in range(2):
            chain.produce_block()
        assert all(is_proven(chain, tx_hash) for tx_hash in accepted)
    finally:
        chain.close()


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.soak)])
def test_a_killed_chain_loses_nothing_and_doubles_nothing(tmp_path, kills):
    rng, accepted = random.Random(kills), []
    for _ in range(kills):
        run_and_kill(tmp_path / "home", accepted, rng)
    assert accepted
    check(tmp_path / "home", accepted)
