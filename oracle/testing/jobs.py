"""Jobs in memory: the twin of `oracle.store`, with the same answers to the same questions."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from oracle.errors import ConfigurationError, StoreError
from oracle.model import BlockEvents, Cursor, Job, Requested, Stage, Unreadable
from oracle.model.receipt import ReceiptQuote, SignedReceipt
from oracle.ports import ChainIdentity, SignedTransaction

PRUNED_AT_ONCE = 100


@dataclass(slots=True)
class MemoryJobs:
    """`StoreJobs` without a file. What it holds outlives the worker, so a test may start another one on it."""

    done_jobs_kept: int = 100_000
    unreadable_kept: int = 1_000
    broken: str | None = None
    """While set, everything raises `StoreError` with this sentence, as a full disk would."""
    _identity: ChainIdentity | None = None
    _cursor: Cursor | None = None
    _jobs: dict[int, Job] = field(default_factory=dict)
    _transactions: list[SignedTransaction] = field(default_factory=list)
    _receipts: list[SignedReceipt] = field(default_factory=list)
    _nonces: dict[str, int] = field(default_factory=dict)
    _unreadable: list[Unreadable] = field(default_factory=list)

    async def bind(self, identity: ChainIdentity) -> None:
        """See `StoreJobs`."""
        self._check()
        if self._identity not in {None, identity}:
            raise ConfigurationError((f"this store holds the jobs of another contract than {identity.contract_id}; take another store",))
        self._identity = identity

    async def cursor(self) -> Cursor | None:
        """See `StoreJobs`."""
        self._check()
        return self._cursor

    async def admit(self, block: BlockEvents, changed: Sequence[Job] = ()) -> list[Job]:
        """See `StoreJobs`."""
        self._check()
        if self._cursor is not None and block.cursor.height <= self._cursor.height:
            return []
        new: list[Job] = []
        for event in block.events:
            match event:
                case Requested(request, origin):
                    job = Job.asked(request, origin)
                    if await self.adopt(job):
                        new.append(job)
                case Unreadable():
                    self._unreadable = [*self._unreadable, event][-self.unreadable_kept :]
                case _:
                    pass
        for job in changed:
            await self.save(job)
        self._cursor = block.cursor
        return new

    async def adopt(self, job: Job) -> bool:
        """See `StoreJobs`."""
        self._check()
        if job.request_id in self._jobs:
            return False
        self._jobs[job.request_id] = _kept(job)
        return True

    async def save(self, job: Job) -> None:
        """See `StoreJobs`."""
        self._check()
        known = self._jobs.get(job.request_id)
        if known is None or known.stage is Stage.DONE:
            return
        self._jobs[job.request_id] = _kept(replace(job, request=known.request, origin=known.origin))
        if job.stage is Stage.DONE:
            self._transactions = [
                replace(sent, signed_bytes=b"") if sent.request_id == job.request_id else sent for sent in self._transactions
            ]
            self._receipts = [_without_second_copy(known, job) for known in self._receipts]
            self._prune()

    async def get(self, request_id: int) -> Job | None:
        """See `StoreJobs`."""
        self._check()
        return self._jobs.get(request_id)

    async def unfinished(self) -> list[Job]:
        """See `StoreJobs`."""
        self._check()
        return [job for _, job in sorted(self._jobs.items()) if job.stage is not Stage.DONE]

    async def recent(self, limit: int, before_request_id: int | None = None) -> list[Job]:
        """See `StoreJobs`."""
        self._check()
        newest_first = [job for _, job in sorted(self._jobs.items(), reverse=True)]
        return [job for job in newest_first if before_request_id is None or job.request_id < before_request_id][:limit]

    async def counts(self) -> dict[str, int]:
        """See `StoreJobs`."""
        self._check()
        found = dict.fromkeys((stage.value for stage in Stage), 0)
        for job in self._jobs.values():
            found[job.stage.value] += 1
        return {**found, "unreadable": len(self._unreadable)}

    async def record(self, transaction: SignedTransaction, receipt: SignedReceipt | None = None) -> None:
        """See `StoreJobs`."""
        self._check()
        if receipt is not None and not (receipt.quote and await self.add_quote(receipt.receipt_sha256_hex, receipt.quote)):
            self._receipts += [] if self._known(receipt.receipt_sha256_hex) else [receipt]
        if all(sent.transaction_hash != transaction.transaction_hash for sent in self._transactions):
            self._transactions.append(transaction)
        self._nonces[transaction.public_key] = max(transaction.nonce, self._nonces.get(transaction.public_key, 0))

    async def add_quote(self, receipt_sha256_hex: str, quote: ReceiptQuote) -> bool:
        """See `StoreJobs`."""
        self._check()
        known = self._known(receipt_sha256_hex)
        if known is not None and known.quote is None:
            self._receipts[self._receipts.index(known)] = replace(known, quote=quote)
        return known is not None

    def _known(self, receipt_sha256_hex: str) -> SignedReceipt | None:
        return next((known for known in self._receipts if known.receipt_sha256_hex == receipt_sha256_hex), None)

    async def transactions(self, request_id: int) -> list[SignedTransaction]:
        """See `StoreJobs`."""
        self._check()
        return [sent for sent in self._transactions if sent.request_id == request_id]

    async def receipts(self, request_id: int) -> list[SignedReceipt]:
        """See `StoreJobs`."""
        self._check()
        return [known for known in reversed(self._receipts) if known.request_id == request_id]

    async def highest_nonce(self, public_key: str) -> int:
        """See `StoreJobs`."""
        self._check()
        return self._nonces.get(public_key, 0)

    def _check(self) -> None:
        if self.broken is not None:
            raise StoreError(self.broken)

    def _prune(self) -> None:
        newest = max(self._jobs)
        old = [number for number, job in sorted(self._jobs.items()) if job.stage is Stage.DONE and number < newest - self.done_jobs_kept]
        for number in old[:PRUNED_AT_ONCE]:
            del self._jobs[number]
            self._transactions = [sent for sent in self._transactions if sent.request_id != number]
            self._receipts = [known for known in self._receipts if known.request_id != number]


def _kept(job: Job) -> Job:
    """A job as the store keeps it: without its input once it is DONE."""
    return replace(job, request=replace(job.request, input_data=None)) if job.stage is Stage.DONE else job


def _without_second_copy(receipt: SignedReceipt, job: Job) -> SignedReceipt:
    """A receipt as the store keeps it once its job is DONE: without the output that the job has."""
    is_second = receipt.request_id == job.request_id and job.answer is not None and receipt.output == job.answer.output
    return replace(receipt, output=None) if is_second else receipt
