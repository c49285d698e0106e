"""
Jobs in one SQLite file.

One thread owns the connection, and everything is one transaction there, so callers never see half of a change. WAL with
`synchronous=NORMAL`: what was committed survives a kill -9; a power cut may take back the last commits, but never a cursor without its
jobs, and then the blocks are read again and the contract refuses a second answer. One process at a time writes (a lock file beside the
database); others may read.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from oracle.errors import ConfigurationError, StoreError
from oracle.model import BlockEvents, Cursor, Job
from oracle.model.receipt import ReceiptQuote, SignedReceipt
from oracle.ports import ChainIdentity, SignedTransaction
from oracle.store import queries
from oracle.store.queries import DEFAULT_KEPT, Kept
from oracle.store.tables import MIGRATIONS, SCHEMA_VERSION, metadata

_BUSY_TIMEOUT_S = 5.0
_MEND = "set DATABASE_URL or ORACLE_HOME to another place"
_T = TypeVar("_T")


class SqliteJobs:
    """`StoreJobs` in a file; an async context manager that opens and closes it."""

    def __init__(self, path: Path, *, read_only: bool = False, kept: Kept = DEFAULT_KEPT) -> None:
        """`read_only`: look into the file of a running worker; writing then raises `StoreError`."""
        self._path = path
        self._read_only = read_only
        self._kept = kept
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="jobs")
        self._connection: Connection | None = None
        self._engine: Engine | None = None
        self._lock_fd: int | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._in_thread(self._open)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def bind(self, identity: ChainIdentity) -> None:
        """See `StoreJobs`."""
        other = await self._transaction(lambda connection: queries.bind(connection, identity))
        if other is not None:
            problem = f"{self._path} holds the jobs of {_named(other)}, not of {_named(identity)}; {_MEND}, or move that file away"
            raise ConfigurationError((problem,))

    async def cursor(self) -> Cursor | None:
        """See `StoreJobs`."""
        return await self._transaction(queries.cursor)

    async def admit(self, block: BlockEvents, changed: Sequence[Job] = ()) -> list[Job]:
        """See `StoreJobs`."""
        return await self._transaction(lambda connection: queries.admit(connection, block, changed, self._kept))

    async def adopt(self, job: Job) -> bool:
        """See `StoreJobs`."""
        return await self._transaction(lambda connection: queries.insert_job(connection, job))

    async def save(self, job: Job) -> None:
        """See `StoreJobs`."""
        await self._transaction(lambda connection: queries.save(connection, job, self._kept))

    async def get(self, request_id: int) -> Job | None:
        """See `StoreJobs`."""
        return await self._transaction(lambda connection: queries.get(connection, request_id))

    async def unfinished(self) -> list[Job]:
        """See `StoreJobs`."""
        return await self._transaction(queries.unfinished)

    async def recent(self, limit: int, before_request_id: int | None = None) -> list[Job]:
        """See `StoreJobs`."""
        return await self._transaction(lambda connection: queries.recent(connection, limit, before_request_id))

    async def counts(self) -> dict[str, int]:
        """See `StoreJobs`."""
        return await self._transaction(queries.counts)

    async def record(self, transaction: SignedTransaction, receipt: SignedReceipt | None = None) -> None:
        """See `StoreJobs`."""
        await self._transaction(lambda connection: queries.record(connection, transaction, receipt))

    async def add_quote(self, receipt_sha256_hex: str, quote: ReceiptQuote) -> bool:
        """See `StoreJobs`."""
        return await self._transaction(lambda connection: queries.add_quote(connection, receipt_sha256_hex, quote))

    async def receipts(self, request_id: int) -> list[SignedReceipt]:
        """See `StoreJobs`."""
        return await self._transaction(lambda connection: queries.receipts_of(connection, request_id))

    async def transactions(self, request_id: int) -> list[SignedTransaction]:
        """See `StoreJobs`."""
        return await self._transaction(lambda connection: queries.transactions_of(connection, request_id))

    async def highest_nonce(self, public_key: str) -> int:
        """See `StoreJobs`."""
        return await self._transaction(lambda connection: queries.highest_nonce(connection, public_key))

    async def _transaction(self, work: Callable[[Connection], _T]) -> _T:
        return await self._in_thread(lambda: self._transact(work))

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _transact(self, work: Callable[[Connection], _T]) -> _T:
        if self._connection is None:
            raise StoreError(f"{self._path} is closed")
        with self._translated(), self._connection.begin():
            return work(self._connection)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            reason = getattr(error, "orig", error)
            raise StoreError(f"{self._path}: {reason}") from error
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from error
        except OverflowError as error:
            raise StoreError(f"{self._path} takes no number of more than 63 bits") from error
        except UnicodeEncodeError as error:
            raise StoreError(f"{self._path} takes no text with half a surrogate pair in it") from error
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{self._path} holds a row that cannot be read ({error}); it is damaged") from error

    def _open(self) -> None:
        with self._translated():
            if not self._read_only:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._lock()
                self._path.touch(mode=0o600)
            self._engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool)
            event.listen(self._engine, "begin", self._begin)
            self._connection = self._engine.connect()
            if self._read_only:
                self._check_version()
                return
            with self._connection.begin():
                found = self._check_version()
                if found != SCHEMA_VERSION:
                    there = set(inspect(self._connection).get_table_names())
                    for version in range(found or SCHEMA_VERSION, SCHEMA_VERSION):
                        for table, column in MIGRATIONS[version]:
                            if table in there:
                                self._connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column}")
                    metadata.create_all(self._connection)
                    self._connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self._read_only else "rw"
        # isolation_level None: pysqlite would begin its transactions too late; `_begin` does.
        connection = sqlite3.connect(f"file:{quote(str(self._path))}?mode={mode}", uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        if not self._read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _begin(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if self._read_only else "BEGIN IMMEDIATE")

    def _check_version(self) -> int:
        assert self._connection is not None
        found = int(self._connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        known = f"{self._path} has schema version {found}, and this program knows {SCHEMA_VERSION}"
        if found > SCHEMA_VERSION or (self._read_only and found == 0):
            raise ConfigurationError((f"{known}; start the version that wrote it, or {_MEND}",))
        if self._read_only and found < SCHEMA_VERSION:
            raise ConfigurationError((f"{known}; start this version's worker on it once (oracle run), which brings it up to date",))
        if self._read_only:
            self._connection.rollback()
        return found

    def _lock(self) -> None:
        lock_path = self._path.with_name(self._path.name + ".lock")
        self._lock_fd = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError((f"another worker keeps its jobs in {self._path}; stop it, or {_MEND}",)) from None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._engine is not None:
            self._engine.dispose()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None


def _named(identity: ChainIdentity) -> str:
    return f"{identity.contract_id} on {identity.chain_id} (genesis {identity.genesis_hash or 'unknown'})"
