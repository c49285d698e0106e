"""What is asked of the tables; each function runs inside one transaction that its caller holds."""

from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from oracle.model import BlockEvents, Cursor, Job, Requested, Stage, Unreadable
from oracle.ports import ChainIdentity, SignedTransaction
from oracle.store.rows import changing_columns, job_from_row, new_job_row, transaction_from_row, transaction_row
from oracle.store.tables import facts, jobs, keys, transactions, unreadable

PRUNED_AT_ONCE = 100


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
    height = _fact(connection, "cursor_height")
    return None if height is None else Cursor(int(height), _fact(connection, "cursor_hash") or "")


def admit(connection: Connection, block: BlockEvents, unreadable_kept: int) -> list[Job]:
    """Store a block's news and move the cursor; a block at or below the cursor is old."""
    known = cursor(connection)
    if known is not None and block.cursor.height <= known.height:
        return []
    new: list[Job] = []
    for found in block.events:
        match found:
            case Requested(request, origin):
                job = Job(request, origin, yield_height=origin.block_height)
                if insert_job(connection, job):
                    new.append(job)
            case Unreadable(block_height, receipt_id, reason, log):
                values = {"block_height": block_height, "receipt_id": receipt_id, "reason": reason, "log": log}
                number = connection.execute(insert(unreadable).values(**values)).inserted_primary_key
                if number is not None:
                    connection.execute(delete(unreadable).where(unreadable.c.number <= number[0] - unreadable_kept))
            case _:
                pass  # Completed and Extended change jobs: they are for `job.step`
    _set_fact(connection, "cursor_height", str(block.cursor.height))
    _set_fact(connection, "cursor_hash", block.cursor.block_hash)
    return new


def insert_job(connection: Connection, job: Job) -> bool:
    """Store a job that is not there yet; says whether it was new."""
    return connection.execute(insert(jobs).values(**new_job_row(job)).on_conflict_do_nothing()).rowcount == 1


def save(connection: Connection, job: Job, done_jobs_kept: int) -> None:
    """Store a job's new state unless it is DONE already."""
    columns = changing_columns(job)
    changed = connection.execute(
        update(jobs).where(jobs.c.request_id == job.request_id, jobs.c.stage != Stage.DONE.value).values(**columns)
    )
    if job.stage is Stage.DONE and changed.rowcount:
        connection.execute(update(transactions).where(transactions.c.request_id == job.request_id).values(signed_bytes=b""))
        prune(connection, done_jobs_kept)


def get(connection: Connection, request_id: int) -> Job | None:
    """One job."""
    row = connection.execute(select(jobs).where(jobs.c.request_id == request_id)).mappings().one_or_none()
    return None if row is None else job_from_row(dict(row))


def unfinished(connection: Connection) -> list[Job]:
    """All jobs that are not DONE, oldest first."""
    rows = connection.execute(select(jobs).where(jobs.c.stage != Stage.DONE.value).order_by(jobs.c.request_id)).mappings()
    return [job_from_row(dict(row)) for row in rows]


def recent(connection: Connection, limit: int, before_request_id: int | None) -> list[Job]:
    """The latest jobs, newest first."""
    query = select(jobs).order_by(jobs.c.request_id.desc()).limit(limit)
    if before_request_id is not None:
        query = query.where(jobs.c.request_id < before_request_id)
    return [job_from_row(dict(row)) for row in connection.execute(query).mappings()]


def counts(connection: Connection) -> dict[str, int]:
    """Jobs by stage, all stages named, and unreadable events."""
    found = dict.fromkeys((stage.value for stage in Stage), 0)
    for stage, count in connection.execute(select(jobs.c.stage, func.count()).group_by(jobs.c.stage)):
        found[stage] = count
    found["unreadable"] = _count(connection, unreadable)
    return found


def record(connection: Connection, transaction: SignedTransaction) -> None:
    """Write a transaction down, and its nonce for good; told twice it is written once."""
    connection.execute(insert(transactions).values(**transaction_row(transaction)).on_conflict_do_nothing())
    connection.execute(
        insert(keys)
        .values(public_key=transaction.public_key, highest_nonce=transaction.nonce)
        .on_conflict_do_update(
            index_elements=[keys.c.public_key],
            set_={"highest_nonce": transaction.nonce},
            where=keys.c.highest_nonce < transaction.nonce,
        )
    )


def transactions_of(connection: Connection, request_id: int) -> list[SignedTransaction]:
    """All that were signed for a request, oldest first."""
    query = select(transactions).where(transactions.c.request_id == request_id).order_by(transactions.c.number)
    return [transaction_from_row(dict(row)) for row in connection.execute(query).mappings()]


def highest_nonce(connection: Connection, public_key: str) -> int:
    """The highest nonce ever recorded for a key."""
    return connection.execute(select(keys.c.highest_nonce).where(keys.c.public_key == public_key)).scalar_one_or_none() or 0


def prune(connection: Connection, done_jobs_kept: int) -> None:
    """
    Forget DONE jobs whose number lies more than `done_jobs_kept` below the newest.

    Requests are numbered one by one, so this keeps about as many, and finding them costs nothing. A few at a time, so that no transaction
    grows long.
    """
    newest = select(func.max(jobs.c.request_id)).scalar_subquery()
    done = select(jobs.c.request_id).where(jobs.c.stage == Stage.DONE.value, jobs.c.request_id < newest - done_jobs_kept)
    ids = [found for (found,) in connection.execute(done.order_by(jobs.c.request_id).limit(PRUNED_AT_ONCE))]
    if ids:
        connection.execute(delete(jobs).where(jobs.c.request_id.in_(ids)))
        connection.execute(delete(transactions).where(transactions.c.request_id.in_(ids)))


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _fact(connection: Connection, name: str) -> str | None:
    value: Any = connection.execute(select(facts.c.value).where(facts.c.name == name)).scalar_one_or_none()
    return None if value is None else str(value)


def _set_fact(connection: Connection, name: str, value: str) -> None:
    connection.execute(
        insert(facts).values(name=name, value=value).on_conflict_do_update(index_elements=[facts.c.name], set_={"value": value})
    )
