"""
What is asked of the tables; each function runs inside one transaction that its caller holds.

Statements are built once: building one costs more than running it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, bindparam, case, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from oracle.model import BlockEvents, Cursor, Job, Requested, Stage, Unreadable
from oracle.model.receipt import ReceiptQuote, SignedReceipt
from oracle.ports import ChainIdentity, SignedTransaction
from oracle.store.rows import (
    QUOTE_COLUMNS,
    changing_columns,
    job_from_row,
    new_job_row,
    quote_columns,
    receipt_from_row,
    receipt_row,
    text_rows,
    transaction_from_row,
    transaction_row,
)
from oracle.store.tables import facts, jobs, keys, receipts, texts, transactions, unreadable

PRUNED_AT_ONCE = 100

_DONE = Stage.DONE.value
_WRITTEN_ONCE = frozenset({"request_id", "request_json", "origin_json", "input_data"})
_ID: BindParameter[int] = bindparam("of_request")

_GET_FACT = select(facts.c.value).where(facts.c.name == bindparam("of_name"))
_new_fact = insert(facts)
_SET_FACT = _new_fact.on_conflict_do_update(index_elements=[facts.c.name], set_={"value": _new_fact.excluded.value})

_ADD_JOB = insert(jobs).on_conflict_do_nothing()
_SAVE_JOB = (
    update(jobs)
    .where(jobs.c.request_id == _ID, jobs.c.stage != _DONE)
    .values({column.name: bindparam(column.name) for column in jobs.c if column.name not in _WRITTEN_ONCE})
    .values(input_data=case((bindparam("stage") == _DONE, None), else_=jobs.c.input_data))
)
_GET_JOB = select(jobs).where(jobs.c.request_id == _ID)
_UNFINISHED_JOBS = select(jobs).where(jobs.c.stage != _DONE).order_by(jobs.c.request_id)
_LATEST_JOBS = select(jobs).order_by(jobs.c.request_id.desc()).limit(bindparam("most"))
_LATEST_JOBS_BEFORE = _LATEST_JOBS.where(jobs.c.request_id < _ID)
_COUNT_JOBS = select(jobs.c.stage, func.count()).group_by(jobs.c.stage)
_newest = select(func.max(jobs.c.request_id)).scalar_subquery()
_OLD_JOBS = (
    select(jobs.c.request_id)
    .where(jobs.c.stage == _DONE, jobs.c.request_id < _newest - bindparam("kept"))
    .order_by(jobs.c.request_id)
    .limit(PRUNED_AT_ONCE)
)
_DROP_JOB = delete(jobs).where(jobs.c.request_id == _ID)

_ADD_TRANSACTION = insert(transactions).on_conflict_do_nothing()
_GET_TRANSACTIONS = select(transactions).where(transactions.c.request_id == _ID).order_by(transactions.c.number)
_DROP_SIGNED_BYTES = update(transactions).where(transactions.c.request_id == _ID).values(signed_bytes=b"")
_DROP_TRANSACTIONS = delete(transactions).where(transactions.c.request_id == _ID)

_WITHOUT_QUOTE = receipts.c.quote.is_(None)
_new_receipt = insert(receipts)
_ADD_RECEIPT = _new_receipt.on_conflict_do_update(
    index_elements=[receipts.c.receipt_sha256_hex],
    set_={name: _new_receipt.excluded[name] for name in QUOTE_COLUMNS},
    where=_WITHOUT_QUOTE,
)
_HAS_RECEIPT = select(func.count()).select_from(receipts).where(receipts.c.receipt_sha256_hex == bindparam("of_receipt"))
_ADD_QUOTE = (
    update(receipts)
    .where(receipts.c.receipt_sha256_hex == bindparam("of_receipt"), _WITHOUT_QUOTE)
    .values({name: bindparam(name) for name in QUOTE_COLUMNS})
)
_ADD_TEXT = insert(texts).on_conflict_do_nothing()
_event_log, _collateral = texts.alias("event_log"), texts.alias("collateral")
_GET_RECEIPTS = (
    select(receipts, _event_log.c.text.label("event_log"), _collateral.c.text.label("collateral"))
    .outerjoin(_event_log, receipts.c.event_log_sha256_hex == _event_log.c.sha256_hex)
    .outerjoin(_collateral, receipts.c.collateral_sha256_hex == _collateral.c.sha256_hex)
    .where(receipts.c.request_id == _ID)
    .order_by(receipts.c.number.desc())
)
_DROP_SECOND_COPIES = update(receipts).where(receipts.c.request_id == _ID, receipts.c.output == bindparam("of_job")).values(output=None)
_DROP_RECEIPTS = delete(receipts).where(receipts.c.request_id == _ID)

_new_nonce = insert(keys)
_RAISE_NONCE = _new_nonce.on_conflict_do_update(
    index_elements=[keys.c.public_key],
    set_={"highest_nonce": _new_nonce.excluded.highest_nonce},
    where=keys.c.highest_nonce < _new_nonce.excluded.highest_nonce,
)
_GET_NONCE = select(keys.c.highest_nonce).where(keys.c.public_key == bindparam("of_key"))

_ADD_UNREADABLE = insert(unreadable)
_DROP_UNREADABLE = delete(unreadable).where(
    unreadable.c.number <= select(func.max(unreadable.c.number)).scalar_subquery() - bindparam("kept")
)
_COUNT_UNREADABLE = select(func.count()).select_from(unreadable)


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of what is over is kept."""

    done_jobs: int = 100_000
    unreadable: int = 1_000


DEFAULT_KEPT = Kept()


def bind(connection: Connection, identity: ChainIdentity) -> ChainIdentity | None:
    """Write the identity where there is none; returns the one that is there when it is another."""
    found = _fact(connection, "chain_id")
    if found is None:
        _set_fact(connection, "chain_id", identity.chain_id)
        _set_fact(connection, "contract_id", identity.contract_id)
        _set_fact(connection, "genesis_hash", identity.genesis_hash)
        return None
    known = ChainIdentity(found, _fact(connection, "contract_id") or "", _fact(connection, "genesis_hash") or "")
    return None if known == identity else known


def cursor(connection: Connection) -> Cursor | None:
    """The last block taken in."""
    found = _fact(connection, "cursor")
    if found is None:
        return None
    height, _, block_hash = found.partition(" ")
    return Cursor(int(height), block_hash)


def admit(connection: Connection, block: BlockEvents, changed: Sequence[Job], limits: Kept) -> list[Job]:
    """Store a block's news and what it changed, and move the cursor; a block at or below the cursor is old."""
    known = cursor(connection)
    if known is not None and block.cursor.height <= known.height:
        return []
    new: list[Job] = []
    for found in block.events:
        match found:
            case Requested(request, origin):
                job = Job.asked(request, origin)
                if insert_job(connection, job):
                    new.append(job)
            case Unreadable(block_height, receipt_id, reason, log):
                values = {"block_height": block_height, "receipt_id": receipt_id, "reason": reason, "log": log}
                connection.execute(_ADD_UNREADABLE, values)
                connection.execute(_DROP_UNREADABLE, {"kept": limits.unreadable})
            case _:
                pass  # Completed and Extended change jobs: they are for `job.step`
    for job in changed:
        save(connection, job, limits)
    _set_fact(connection, "cursor", f"{block.cursor.height} {block.cursor.block_hash}")
    return new


def insert_job(connection: Connection, job: Job) -> bool:
    """Store a job that is not there yet; says whether it was new."""
    return connection.execute(_ADD_JOB, new_job_row(job)).rowcount == 1


def save(connection: Connection, job: Job, limits: Kept) -> None:
    """Store a job's new state unless it is DONE already."""
    changed = connection.execute(_SAVE_JOB, {"of_request": job.request_id, **changing_columns(job)})
    if job.stage is Stage.DONE and changed.rowcount:
        connection.execute(_DROP_SIGNED_BYTES, {"of_request": job.request_id})
        if job.answer is not None and job.answer.output is not None:
            connection.execute(_DROP_SECOND_COPIES, {"of_request": job.request_id, "of_job": job.answer.output})
        _prune(connection, limits.done_jobs)


def get(connection: Connection, request_id: int) -> Job | None:
    """One job."""
    row = connection.execute(_GET_JOB, {"of_request": request_id}).mappings().one_or_none()
    return None if row is None else job_from_row(dict(row))


def unfinished(connection: Connection) -> list[Job]:
    """All jobs that are not DONE, oldest first."""
    return [job_from_row(dict(row)) for row in connection.execute(_UNFINISHED_JOBS).mappings()]


def recent(connection: Connection, limit: int, before_request_id: int | None) -> list[Job]:
    """The latest jobs, newest first."""
    if before_request_id is None:
        rows = connection.execute(_LATEST_JOBS, {"most": limit})
    else:
        rows = connection.execute(_LATEST_JOBS_BEFORE, {"most": limit, "of_request": before_request_id})
    return [job_from_row(dict(row)) for row in rows.mappings()]


def counts(connection: Connection) -> dict[str, int]:
    """Jobs by stage, all stages named, and unreadable events."""
    found = dict.fromkeys((stage.value for stage in Stage), 0)
    for stage, count in connection.execute(_COUNT_JOBS):
        found[stage] = count
    found["unreadable"] = int(connection.execute(_COUNT_UNREADABLE).scalar_one())
    return found


def record(connection: Connection, transaction: SignedTransaction, receipt: SignedReceipt | None) -> None:
    """Write a transaction down with its receipt, and its nonce for good; told twice they are written once."""
    connection.execute(_ADD_TRANSACTION, transaction_row(transaction))
    connection.execute(_RAISE_NONCE, {"public_key": transaction.public_key, "highest_nonce": transaction.nonce})
    if receipt is not None:
        _add_texts(connection, receipt.quote)
        connection.execute(_ADD_RECEIPT, receipt_row(receipt))


def add_quote(connection: Connection, receipt_sha256_hex: str, quote: ReceiptQuote) -> bool:
    """Keep the quote of a receipt that has none; says whether there is the receipt."""
    found = connection.execute(_HAS_RECEIPT, {"of_receipt": receipt_sha256_hex}).scalar_one() == 1
    if found:
        _add_texts(connection, quote)
        connection.execute(_ADD_QUOTE, {"of_receipt": receipt_sha256_hex, **quote_columns(quote)})
    return found


def _add_texts(connection: Connection, quote: ReceiptQuote | None) -> None:
    for row in text_rows(quote):
        connection.execute(_ADD_TEXT, row)


def receipts_of(connection: Connection, request_id: int) -> list[SignedReceipt]:
    """All that were recorded for a request, newest first."""
    rows = connection.execute(_GET_RECEIPTS, {"of_request": request_id}).mappings()
    return [receipt_from_row(dict(row)) for row in rows]


def transactions_of(connection: Connection, request_id: int) -> list[SignedTransaction]:
    """All that were signed for a request, oldest first."""
    rows = connection.execute(_GET_TRANSACTIONS, {"of_request": request_id}).mappings()
    return [transaction_from_row(dict(row)) for row in rows]


def highest_nonce(connection: Connection, public_key: str) -> int:
    """The highest nonce ever recorded for a key."""
    return connection.execute(_GET_NONCE, {"of_key": public_key}).scalar_one_or_none() or 0


def _prune(connection: Connection, done_jobs_kept: int) -> None:
    """
    Forget DONE jobs whose number lies more than `done_jobs_kept` below the newest.

    Requests are numbered one by one, so this keeps about as many, and finding them costs nothing. A few at a time, so that no transaction
    grows long.
    """
    old = [{"of_request": found} for (found,) in connection.execute(_OLD_JOBS, {"kept": done_jobs_kept})]
    if old:
        connection.execute(_DROP_JOB, old)
        connection.execute(_DROP_TRANSACTIONS, old)
        connection.execute(_DROP_RECEIPTS, old)


def _fact(connection: Connection, name: str) -> str | None:
    value = connection.execute(_GET_FACT, {"of_name": name}).scalar_one_or_none()
    return None if value is None else str(value)


def _set_fact(connection: Connection, name: str, value: str) -> None:
    connection.execute(_SET_FACT, {"name": name, "value": value})
