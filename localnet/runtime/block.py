"""
One block: transactions, local receipts, what came in, time-outs; within the block's gas, the rest goes on in the next.

Source: nearcore `lib.rs` (`Runtime::apply`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from localnet.runtime import yields
from localnet.runtime.environment import Environment
from localnet.runtime.receipts import is_instant, process
from localnet.runtime.transactions import charge
from localnet.state.tables import Key, Table
from localnet.state.world import World, counter_key
from localnet.values.block import Block, ExecutedReceipt, ExecutedTransaction
from localnet.values.errors import InvalidTransaction
from localnet.values.hashes import CryptoHash
from localnet.values.outcome import Outcome, SuccessReceiptId
from localnet.values.receipt import ActionReceipt, Receipt
from localnet.values.transaction import SignedTransaction

GAS_LIMIT = 10**15
"""Of a block; a receipt that begins below it runs to its end."""

TRANSACTIONS_GAS_LIMIT = 5 * 10**14
"""What turning transactions into receipts may burn of it (`max_tx_gas`)."""

_FIRST, _NEXT, _INCOMING = (counter_key(b"queue " + name) for name in (b"first", b"next", b"incoming"))
_BURNT, _MINTED = counter_key(b"burnt yocto"), counter_key(b"minted yocto")


@dataclass(frozen=True, slots=True)
class Refused:
    """A transaction that was good when it was sent and is not any more."""

    tx_hash: CryptoHash
    error: InvalidTransaction


@dataclass(slots=True)
class BlockRun:
    """Makes one block."""

    world: World
    environment: Environment
    transactions: list[ExecutedTransaction] = field(default_factory=list)
    incoming: list[Receipt] = field(default_factory=list)
    executed: list[ExecutedReceipt] = field(default_factory=list)
    produced: list[Receipt] = field(default_factory=list)
    """Every new receipt."""
    refused: list[Refused] = field(default_factory=list)
    left_out: set[CryptoHash] = field(default_factory=set)
    """Transactions for which the block has no room; they wait on."""
    gas_burnt: int = 0
    burnt_yocto: int = 0
    minted_yocto: int = 0
    _outgoing: list[Receipt] = field(default_factory=list)

    def apply(self, transactions: Iterable[SignedTransaction]) -> Block:
        """Do everything that the block does; the world then holds its changes."""
        local = self._take_transactions(transactions)
        first, after, incoming_from = (self.world.counter(name) for name in (_FIRST, _NEXT, _INCOMING))
        for receipt in local:
            self.incoming.append(receipt)
            self._process_or_delay(receipt)
        first = self._process_queue(first, after, incoming_from)
        resumes = yields.due(self.world, self.environment)
        self.produced += resumes
        self._outgoing += resumes
        self._write_queue(first, after)
        self._write_totals()
        self.world.keep()
        return Block.of(self.environment.header, self.transactions, self.incoming, self.executed)

    def _take_transactions(self, transactions: Iterable[SignedTransaction]) -> list[ActionReceipt]:
        local = []
        for signed in transactions:
            if self.gas_burnt >= TRANSACTIONS_GAS_LIMIT:
                self.left_out.add(signed.hash)
                continue
            receipt = self._take_transaction(signed)
            if receipt is None:
                continue
            self.produced.append(receipt)
            if receipt.receiver_id == receipt.signer_id:
                local.append(receipt)
            else:
                self._outgoing.append(receipt)
        return local

    def _take_transaction(self, signed: SignedTransaction) -> ActionReceipt | None:
        environment = self.environment
        try:
            receipt, cost = charge(self.world, signed, environment.fees, environment.parameters, environment.height)
        except InvalidTransaction as error:
            self.world.discard()
            self.refused.append(Refused(signed.hash, error))
            return None
        self.world.keep()
        self.gas_burnt += cost.gas_burnt
        self.burnt_yocto += cost.burnt_yocto
        outcome = Outcome(
            id=signed.hash,
            block_hash=environment.header.hash,
            block_height=environment.height,
            executor_id=signed.transaction.signer_id,
            logs=(),
            receipt_ids=(receipt.receipt_id,),
            gas_burnt=cost.gas_burnt,
            tokens_burnt_yocto=cost.burnt_yocto,
            status=SuccessReceiptId(receipt.receipt_id),
        )
        self.transactions.append(ExecutedTransaction(signed, outcome))
        return receipt

    def _process_or_delay(self, receipt: Receipt) -> None:
        if self.gas_burnt >= GAS_LIMIT:
            self._outgoing.append(receipt)
        else:
            self._process(receipt)

    def _process(self, receipt: Receipt) -> None:
        """Take a receipt in, and then the instant ones it made, theirs too."""
        waiting: list[Receipt] = [receipt]
        for current in waiting:
            processed = process(self.world, self.environment, current)
            if processed is None:
                continue
            self.executed.append(processed.executed)
            self.gas_burnt += processed.executed.outcome.gas_burnt
            self.burnt_yocto += processed.burnt_yocto
            self.minted_yocto += processed.minted_yocto
            self.produced += processed.new_receipts
            for made in processed.new_receipts:
                (waiting if is_instant(made) else self._outgoing).append(made)

    def _process_queue(self, first: int, after: int, incoming_from: int) -> int:
        """Work through the queue as it was when the block began; gives the place of the first receipt that is left."""
        for place in range(incoming_from, after):
            self.incoming.append(self.world.get(_queue_key(place)))
        while first < after and self.gas_burnt < GAS_LIMIT:
            receipt: Receipt = self.world.get(_queue_key(first))
            self.world.put(_queue_key(first), None)
            self._process(receipt)
            first += 1
        return first

    def _write_queue(self, first: int, after: int) -> None:
        for place, receipt in enumerate(self._outgoing, start=after):
            self.world.put(_queue_key(place), receipt)
        for name, value in ((_FIRST, first), (_INCOMING, after), (_NEXT, after + len(self._outgoing))):
            if value != self.world.counter(name):
                self.world.put(name, value)

    def _write_totals(self) -> None:
        for name, more in ((_BURNT, self.burnt_yocto), (_MINTED, self.minted_yocto)):
            if more:
                self.world.put(name, self.world.counter(name) + more)


def _queue_key(place: int) -> Key:
    return Key(Table.QUEUE, "", place.to_bytes(8, "big"))


def receipts_in_flight(world: World) -> int:
    """How many receipts the next blocks will run; those that wait for data or a resume are not among them."""
    return world.counter(_NEXT) - world.counter(_FIRST)


def burnt_yocto(world: World) -> int:
    """All that was burnt since genesis."""
    return world.counter(_BURNT)


def minted_yocto(world: World) -> int:
    """All that the protocol gave since genesis (1 yoctoNEAR deposits of accounts without balance)."""
    return world.counter(_MINTED)
