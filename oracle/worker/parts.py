"""What a worker is joined from."""

from dataclasses import dataclass

from oracle.ports import Clock, MakeReceipts, ProvideCode, ReadContract, RunGuests, StoreJobs, SubmitAnswers, WatchChain


@dataclass(frozen=True, slots=True)
class Parts:
    """The outside worlds, as ports."""

    chain: WatchChain
    contract: ReadContract
    send: SubmitAnswers
    code: ProvideCode
    guests: RunGuests
    store: StoreJobs
    receipts: MakeReceipts
    clock: Clock


@dataclass(frozen=True, slots=True)
class Place:
    """What a guest is told of where it runs."""

    contract_id: str
    network_id: str


@dataclass(frozen=True, slots=True)
class Slots:
    """How many things are done at once; each guest is a process."""

    guests: int
    fetches: int = 4
