"""
A NEAR chain in this process: accounts, real contracts, blocks on demand.

    chain = Chain()
    alice = chain.create_account("alice")
    counter = chain.create_account("counter").deploy(Path("counter.wasm"))
    alice.call(counter.account_id, "increment", {"by": 2}).raise_for_failure()
    assert chain.view(counter.account_id, "get").json() == 2

The chain has no threads and no clock of its own making: whoever holds it produces blocks, and one thread at a time may use it.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from localnet.account import DEFAULT_BALANCE_YOCTO, Account, encode_args
from localnet.parameters import parameters
from localnet.runtime import block as block_rules
from localnet.runtime import genesis
from localnet.runtime.admission import Admission
from localnet.runtime.environment import Environment, Machine
from localnet.runtime.fees import GAS_PRICE_YOCTO, Fees
from localnet.runtime.history import final_outcome
from localnet.runtime.pool import Room
from localnet.runtime.transactions import check_age
from localnet.runtime.views import ViewResult, view
from localnet.state.evidence import EvidenceReading
from localnet.state.intake_log import IntakeLog, NoIntakeLog, transactions_of
from localnet.state.memory import MemoryStore
from localnet.state.store import StateError, Store
from localnet.state.world import World, counter_key
from localnet.values.block import Block
from localnet.values.borsh import BorshError
from localnet.values.errors import InvalidTransaction, MalformedTransaction, TimeOutOfRange, UnknownTransaction
from localnet.values.final_outcome import FinalOutcome
from localnet.values.hashes import CryptoHash, hash_of
from localnet.values.header import Header, Terms, first_header, make_header
from localnet.values.keys import KeyPair
from localnet.values.transaction import SignedTransaction, read_signed_transaction

CHAIN_ID = "localnet"

_CLOCK_OFFSET = counter_key(b"clock offset ns")
_NS = 10**9
_LATEST_TIME_NS = 2**63 - 1  # half of what a timestamp (u64) holds, so that time can go on after the clock was put there


@cache
def shared_machine() -> Machine:
    """The virtual machine of this process: chains share what it compiled, and keep it for the next process where they may."""
    from localnet.vm import CacheDirectoryError, Vm, default_cache_directory  # noqa: PLC0415 (loads wasmtime, which not all need)

    try:
        return Vm(cache_directory=default_cache_directory())
    except CacheDirectoryError:
        # Native code is not read from where others could write; compiling again is only slower.
        return Vm()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A chain in memory at one moment (`Chain.snapshot`)."""

    store: MemoryStore
    clock_offset_ns: int


class Chain(EvidenceReading):
    """
    A chain with one shard.

    Args:
        home: a directory to keep it in; it survives the process, also a killed one. None: in memory.
        key: the root account's key; None: that of `home/validator_key.json`, or a new one.
        accounts: what the chain begins with, instead of `test.near`, `near` and `registrar`.
        clock: nanoseconds since 1970; blocks take their time from it, and never go back.
        machine: the virtual machine; None: the process's own.

    Raises:
        HomeLocked: another process has the directory.
        StateError: the directory is not one of this version's, or lacks its key file.
    """

    chain_id = CHAIN_ID

    def __init__(
        self,
        home: Path | None = None,
        *,
        key: KeyPair | None = None,
        accounts: tuple[genesis.GenesisAccount, ...] | None = None,
        clock: Callable[[], int] = time.time_ns,
        machine: Machine | None = None,
    ) -> None:
        self._parameters = parameters()
        self._fees = Fees(self._parameters)
        self._clock = clock
        self._machine = machine
        self._listeners: list[Callable[[Block], None]] = []
        self._wanted_height = 0
        self._store, self.intake_log, root_key = _open(home, key)
        self.root = Account(self, genesis.ROOT_ACCOUNT_ID, root_key)
        try:
            if self._store.head() is None:
                self._begin(accounts or genesis.default_accounts(root_key.public_key))
            self._clock_offset_ns = World(self._store).counter(_CLOCK_OFFSET)
            self._admission = Admission(self._store, self._parameters, self._fees)
            self._take_up_intake()
        except BaseException:
            self.close()
            raise

    def _begin(self, accounts: tuple[genesis.GenesisAccount, ...]) -> None:
        world = World(self._store)
        contents = genesis.write_genesis(world, accounts, self._parameters)
        terms = Terms(self._parameters.protocol_version, GAS_PRICE_YOCTO, genesis.ROOT_BALANCE_YOCTO)
        header = first_header(CHAIN_ID, timestamp_ns=self._clock(), contents=contents, terms=terms)
        self._store.commit(Block.of(header), world.take_changes(), produced=(), leaving_pool=())

    def _take_up_intake(self) -> None:
        """Judge what a killed process had answered the hash of and no more."""
        waiting = transactions_of(self.intake_log)
        while waiting:
            del waiting[: self.submit_unheard(waiting)]
            if waiting:  # the pool is full
                self.produce_block()
        self.intake_log.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the directory; the chain cannot be used any more."""
        self.intake_log.close()
        self._store.close()

    def submit_bytes(self, signed: bytes) -> CryptoHash:
        """
        Take a signed transaction in borsh, as clients send it; gives its hash. Sending it again is harmless.

        Raises:
            MalformedTransaction: the bytes cannot be read.
            InvalidTransaction: the chain refuses it.
            PoolFull: too many wait.
        """
        try:
            transaction = read_signed_transaction(signed)
        except BorshError as error:
            raise MalformedTransaction(str(error)) from error
        return self.submit(transaction)

    def submit(self, signed: SignedTransaction) -> CryptoHash:
        """Check a transaction and let it wait for the next block. Gives and raises what `submit_bytes` does."""
        self._admission.take(signed)
        return signed.hash

    def submit_unheard(self, waiting: Iterable[SignedTransaction]) -> int:
        """
        Check transactions whose senders wait for no verdict: the valid ones wait for the next block, the rest is forgotten, as by nodes.

        Returns:
            How many were dealt with: all, or as many as the pool has room for.

        Raises:
            StateError: they cannot be written; none was dealt with.
        """
        return self._admission.take_unheard(waiting)

    @property
    def refused(self) -> str | None:
        """Why what was last written could not be, and what to do; None when all went through."""
        return self._store.refused or self.intake_log.refused

    @property
    def pool_room(self) -> Room:
        """How much more may wait for a block."""
        return self._admission.pool.room

    @property
    def has_work(self) -> bool:
        """Whether a block is of use: a transaction waits, a receipt is on its way, or it was asked for. A pending yield is no work."""
        if len(self._admission.pool) > 0 or self.head.height < self._wanted_height:
            return True
        return block_rules.receipts_in_flight(World(self._store)) > 0

    def want_height(self, height: int) -> None:
        """Let there be work until the chain is so high: somebody needs later blocks, to prove what is in an earlier one."""
        self._wanted_height = max(self._wanted_height, height)

    def produce_block(self) -> Block:
        """Make the next block of everything that waits, within its gas; an empty one when nothing does."""
        pool, world = self._admission.pool, World(self._store)
        candidates = pool.in_order()
        waiting = b"".join(signed.hash for signed in candidates)
        previous = self.head
        header = make_header(
            previous,
            timestamp_ns=self._now_ns(previous),
            contents=hash_of(waiting),
            chunk_outcome_root=self._outcome_tree(previous.height).root,
            block_merkle_root=self._store.block_tree().root,
        )
        run = block_rules.BlockRun(world, self._environment(header))
        block = run.apply(self._without_expired(candidates, run))
        if self._clock_offset_ns != world.counter(_CLOCK_OFFSET):
            world.put(_CLOCK_OFFSET, self._clock_offset_ns)
            world.keep()
        leaving = [signed.hash for signed in candidates if signed.hash not in run.left_out]
        self._store.commit(block, world.take_changes(), produced=run.produced, leaving_pool=leaving)
        for tx_hash in leaving:
            pool.remove(tx_hash)
        self._admission.refused(run.refused)
        for listener in tuple(self._listeners):
            listener(block)
        return block

    def _without_expired(self, candidates: Iterable[SignedTransaction], run: block_rules.BlockRun) -> Iterable[SignedTransaction]:
        for signed in candidates:
            try:
                check_age(self._store.height_of(signed.transaction.block_hash), run.environment.height)
            except InvalidTransaction as error:
                run.refused.append(block_rules.Refused(signed.hash, error))
            else:
                yield signed

    def _now_ns(self, previous: Header) -> int:
        return max(previous.timestamp_ns + 1, self._clock() + self._clock_offset_ns)

    def _environment(self, header: Header) -> Environment:
        if self._machine is None:
            self._machine = shared_machine()
        return Environment(header, CHAIN_ID, self._parameters, self._fees, self._machine)

    def run_until_idle(self) -> None:
        """Make blocks until there is no work (`has_work`). What a yield waits for does not hold it up."""
        while self.has_work:
            self.produce_block()

    def advance_blocks(self, count: int, *, seconds_each: float = 1.0) -> None:
        """Make so many blocks, with the chain's clock going on by so much for each. Raises `TimeOutOfRange`."""
        for _ in range(count):
            self._put_clock_forward(seconds_each)
            self.produce_block()

    def advance_time(self, seconds: float) -> None:
        """Put the chain's clock forward, for good, and make a block that shows it. Raises `TimeOutOfRange`."""
        self._put_clock_forward(seconds)
        self.produce_block()

    def _put_clock_forward(self, seconds: float) -> None:
        if not 0 <= seconds <= (_LATEST_TIME_NS - self._now_ns(self.head)) / _NS:
            raise TimeOutOfRange(seconds, latest_ns=_LATEST_TIME_NS)
        self._clock_offset_ns += int(seconds * _NS)

    def on_block(self, listener: Callable[[Block], None]) -> Callable[[], None]:
        """Call the listener with each new block, after it is committed; calling what is given back ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def transaction(self, tx_hash: bytes) -> FinalOutcome:
        """
        A transaction with what has come of it.

        Raises:
            InvalidTransaction: it was accepted, but a block refused it.
            UnknownTransaction: no block has it; it may still wait (`is_waiting`).
        """
        outcome = final_outcome(self._store, tx_hash)
        if outcome is not None:
            return outcome
        if (refusal := self._admission.refusal_of(tx_hash)) is not None:
            raise InvalidTransaction(refusal.fault)
        raise UnknownTransaction(tx_hash)

    def is_waiting(self, tx_hash: bytes) -> bool:
        """Whether an accepted transaction waits for a block."""
        return tx_hash in self._admission.pool

    def view(self, contract_id: str, method: str, args: dict[str, Any] | bytes = b"") -> ViewResult:
        """
        Call a view method on the latest state; a dict of arguments is sent as JSON.

        Raises:
            UnknownAccount, ViewFailed: see `localnet.values.errors`.
        """
        return view(World(self._store), self._environment(self.head), contract_id, method, encode_args(args))

    def create_account(self, name: str, *, balance_yocto: int = DEFAULT_BALANCE_YOCTO, key: KeyPair | None = None) -> Account:
        """
        Make an account under the root account: `alice` becomes `alice.test.near`; a full name is taken as it is.

        Raises:
            ExecutionFailed: the chain would not make it (`AccountAlreadyExists`, …).
        """
        account_id = name if "." in name else f"{name}.{self.root.account_id}"
        return self.root.create_account(account_id, balance_yocto=balance_yocto, key=key)

    @property
    def burnt_yocto(self) -> int:
        """All that was burnt since genesis."""
        return block_rules.burnt_yocto(World(self._store))

    def snapshot(self) -> Snapshot:
        """
        Keep the chain as it is now, to come back to.

        Raises:
            StateError: it is kept in a directory.
        """
        if not isinstance(self._store, MemoryStore):
            raise StateError("a chain in a directory takes no snapshots; copy the directory while no process has it open")
        return Snapshot(self._store.copy(), self._clock_offset_ns)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; it can be used again."""
        self._store, self._clock_offset_ns = snapshot.store.copy(), snapshot.clock_offset_ns
        self._admission, self._wanted_height = Admission(self._store, self._parameters, self._fees), 0


def _open(home: Path | None, key: KeyPair | None) -> tuple[Store, IntakeLog, KeyPair]:
    if home is None:
        return MemoryStore(), NoIntakeLog(), key or KeyPair.random()
    from localnet.state.home import open_home  # noqa: PLC0415 (a chain in memory needs no database)

    opened = open_home(home, key)
    return opened.store, opened.intake_log, opened.root_key
