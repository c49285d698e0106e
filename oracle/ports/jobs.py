"""Jobs, and the journal of what was signed for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from oracle.model import BlockEvents, Cursor, Job, TxHash
from oracle.model.receipt import ReceiptQuote, SignedReceipt


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to be sent, stored before it goes out."""

    transaction_hash: TxHash
    request_id: int
    public_key: str
    nonce: int
    block_height: int
    """Height of the block it refers to: it expires 86,400 blocks later."""
    signed_bytes: bytes = field(repr=False)
    """Empty once the job is DONE: the hash is kept, the bytes are of no more use."""
    kind: Literal["answer", "extend"] = "answer"


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """Which chain and contract a store belongs to; another one is refused."""

    chain_id: str
    contract_id: str
    genesis_hash: str


class StoreJobs(Protocol):
    """
    Jobs, the cursor and the journal of sent transactions, durable across kill -9.

    A job that is DONE is kept without its request's input and is forgotten when enough younger ones are DONE.
    Everything but `bind` raises `StoreError` alone, and what raised has changed nothing.
    """

    async def bind(self, identity: ChainIdentity) -> None:
        """
        Claim an empty store for a chain, or check that it is this chain's.

        Raises:
            ConfigurationError: it belongs to another chain or contract.
        """
        ...

    async def cursor(self) -> Cursor | None:
        """The last block taken in."""
        ...

    async def admit(self, block: BlockEvents, changed: Sequence[Job] = ()) -> list[Job]:
        """
        Store a block's new requests and unreadable events and move the cursor, in one transaction; a block told twice adds nothing.

        `changed`: jobs that `job.step` took further because of the block (Completed, Extended), saved in the same transaction.
        Returns the jobs that are new.
        """
        ...

    async def adopt(self, job: Job) -> bool:
        """Store a job found by asking the contract, without touching the cursor; False when it was there already."""
        ...

    async def save(self, job: Job) -> None:
        """Store how far the job is; its request and origin stay as they are, and a job that is DONE stays so."""
        ...

    async def get(self, request_id: int) -> Job | None:
        """One job."""
        ...

    async def unfinished(self) -> list[Job]:
        """All jobs that are not DONE, oldest first."""
        ...

    async def recent(self, limit: int, before_request_id: int | None = None) -> list[Job]:
        """The latest jobs, newest first."""
        ...

    async def counts(self) -> dict[str, int]:
        """How many jobs stand at which stage, and `unreadable` events."""
        ...

    async def record(self, transaction: SignedTransaction, receipt: SignedReceipt | None = None) -> None:
        """
        Write a signed transaction down before it is sent, and with it the receipt of the answer that it carries.

        A receipt that is there already gets the quote that it had none of, and changes in nothing else.
        """
        ...

    async def add_quote(self, receipt_sha256_hex: str, quote: ReceiptQuote) -> bool:
        """Keep the quote of a receipt that has none; a quote that is there stays. False where there is no such receipt."""
        ...

    async def receipts(self, request_id: int) -> list[SignedReceipt]:
        """All receipts that were recorded for a request, newest first: one, unless an answer had to be signed anew."""
        ...

    async def transactions(self, request_id: int) -> list[SignedTransaction]:
        """All that were signed for a request, oldest first."""
        ...

    async def highest_nonce(self, public_key: str) -> int:
        """The highest nonce ever recorded for a key; 0 without any."""
        ...
