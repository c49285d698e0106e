"""The job store as a file: killed, full, locked, shared, of another version."""

import asyncio
import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from oracle.errors import ConfigurationError, StoreError
from oracle.model import Answer, BlockEvents, Cursor, Origin, Requested, Stage, TxHash
from oracle.model.receipt import ReceiptQuote, SignedReceipt
from oracle.ports import ChainIdentity, SignedTransaction
from oracle.store import Kept, SqliteJobs
from oracle.store.tables import metadata
from oracle.testing.chain import request
from oracle.testing.code import TOOLCHAIN

RECEIPT = SignedReceipt(7, b"said", "ab" * 32, "k", bytes(64))
HERE = ChainIdentity("localnet", "outlayer.test.near", "genesis")


def told(number):
    return BlockEvents(Cursor(number, f"b{number}"), 1, (Requested(request(number), Origin(block_height=number)),))


def _admit_for_ever(path, progress):
    async def work():
        async with SqliteJobs(path) as store:
            known = await store.cursor()
            number = 0 if known is None else known.height
            while True:
                number += 1
                (job,) = await store.admit(told(number))
                await store.save(job.at(Stage.ANSWERING, answer=Answer(number, True, b"x")))
                progress.send(number)

    asyncio.run(work())


async def test_after_kill_9_cursor_and_jobs_are_of_one_moment(tmp_path):
    path = tmp_path / "jobs.sqlite"
    context = multiprocessing.get_context("spawn")
    for kill_after in (1, 7, 30):
        hears, tells = context.Pipe(duplex=False)
        child = context.Process(target=_admit_for_ever, args=(path, tells))
        child.start()
        told_last = 0
        for _ in range(kill_after):
            told_last = hears.recv()
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        hears.close()
        tells.close()
        async with SqliteJobs(path) as store:
            cursor = await store.cursor()
            jobs = await store.recent(10_000)
            assert cursor.height >= told_last
            assert [job.request_id for job in jobs] == list(range(cursor.height, 0, -1))
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_full_disk_is_a_store_error_that_changes_nothing_and_passes(tmp_path):
    async with SqliteJobs(tmp_path / "jobs.sqlite") as store:
        await store.admit(told(1))

        def limit(pages):
            store._connection.connection.driver_connection.execute(f"PRAGMA max_page_count = {pages}")

        pages = store._thread.submit(lambda: store._connection.connection.driver_connection.execute("PRAGMA page_count").fetchone()[0])
        store._thread.submit(limit, pages.result()).result()
        big = replace(told(2), events=(Requested(request(2, input_data="x" * 200_000), Origin()),))
        with pytest.raises(StoreError, match="full"):
            await store.admit(big)
        assert await store.cursor() == Cursor(1, "b1")
        assert await store.get(2) is None
        store._thread.submit(limit, 1_000_000).result()
        assert [job.request_id for job in await store.admit(big)] == [2]


async def test_two_workers_cannot_keep_their_jobs_in_one_file(tmp_path):
    async with SqliteJobs(tmp_path / "jobs.sqlite"):
        with pytest.raises(ConfigurationError, match=r"another worker.*ORACLE_HOME"):
            await SqliteJobs(tmp_path / "jobs.sqlite").__aenter__()
    async with SqliteJobs(tmp_path / "jobs.sqlite"):
        pass


async def test_others_may_look_while_a_worker_writes_and_change_nothing(tmp_path):
    async with SqliteJobs(tmp_path / "jobs.sqlite") as store, SqliteJobs(tmp_path / "jobs.sqlite", read_only=True) as looker:
        await store.admit(told(1))
        assert [job.request_id for job in await looker.recent(5)] == [1]
        with pytest.raises(StoreError, match="readonly"):
            await looker.admit(told(2))
        await store.admit(told(2))
        assert (await looker.counts())["queued"] == 2


async def test_a_file_of_a_newer_version_is_refused_with_the_mend(tmp_path):
    path = tmp_path / "jobs.sqlite"
    async with SqliteJobs(path):
        pass
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigurationError, match=r"version 99.*start the version that wrote it"):
        await SqliteJobs(path).__aenter__()


async def test_a_file_of_version_1_is_brought_up_to_date_with_all_that_is_in_it(tmp_path):
    path = tmp_path / "jobs.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parent / "jobs_version_1.sql").read_text())
    with pytest.raises(ConfigurationError, match=r"version 1.*oracle run"):
        await SqliteJobs(path, read_only=True).__aenter__()
    for _ in range(2):
        async with SqliteJobs(path) as store:
            job = await store.get(7)
            assert (job.stage, job.answer.output, job.input_sha256_hex) == (Stage.ANSWERING, b"out", None)
            assert (await store.transactions(7))[0].nonce == 9
            assert await store.cursor() == Cursor(4, "b4")
            await store.record(SignedTransaction(TxHash("h2"), 7, "k", 10, 4, b"signed"), RECEIPT)
            assert await store.receipts(7) == [RECEIPT]
    assert_shaped_like_a_new_one(path)


def assert_shaped_like_a_new_one(path):
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(path.with_name("new.sqlite"))) as new:
        metadata.create_all(create_engine("sqlite://", creator=lambda: new, poolclass=StaticPool))
        assert columns(old) == columns(new)


async def test_a_file_of_version_2_keeps_its_receipts_and_takes_outputs_and_what_built_a_module(tmp_path):
    path = tmp_path / "jobs.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parent / "jobs_version_2.sql").read_text())
    with pytest.raises(ConfigurationError, match=r"version 2.*oracle run"):
        await SqliteJobs(path, read_only=True).__aenter__()
    newer = replace(RECEIPT, output=b" 1.50\n")
    for _ in range(2):
        async with SqliteJobs(path) as store:
            await store.record(SignedTransaction(TxHash("h2"), 7, "k", 10, 4, b"signed"), newer)
            added, known = await store.receipts(7)
            assert (added, known.receipt, known.quote.batch.tree_size, known.output) == (newer, b"said", 2, None)
            job = await store.get(7)
            assert (job.answer.output, job.input_sha256_hex, job.toolchain) == (b"out", "1a" * 32, None)
    async with SqliteJobs(path) as store:
        await store.save(replace(job, toolchain=TOOLCHAIN))
        assert (await store.get(7)).toolchain == TOOLCHAIN
    assert_shaped_like_a_new_one(path)


def columns(connection):
    """Table to its columns and their types."""
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    return {table: sorted((row[1], row[2], row[3]) for row in connection.execute(f"PRAGMA table_info({table})")) for table in tables}


async def test_a_receipt_that_cannot_be_stored_leaves_its_transaction_unsaid_too(tmp_path):
    path = tmp_path / "jobs.sqlite"
    async with SqliteJobs(path) as store:
        await store.admit(told(1))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON receipts BEGIN SELECT RAISE(ABORT, 'no room'); END")
    async with SqliteJobs(path) as store:
        with pytest.raises(StoreError, match="no room"):
            await store.record(SignedTransaction(TxHash("h"), 1, "k", 9, 4, b"signed"), RECEIPT)
        assert await store.transactions(1) == []
        assert await store.highest_nonce("k") == 0


async def test_a_long_text_is_kept_once_for_all_quotes_and_receipts_go_with_their_jobs(tmp_path):
    path = tmp_path / "jobs.sqlite"
    async with SqliteJobs(path, kept=Kept(done_jobs=3)) as store:
        for number in range(1, 11):
            (job,) = await store.admit(told(number))
            quote = ReceiptQuote(b"q", "a long log", collateral_json="of day one" if number < 9 else "of day two")
            receipt = replace(RECEIPT, request_id=number, receipt_sha256_hex=f"{number:064x}", quote=quote)
            await store.record(SignedTransaction(TxHash(f"h{number}"), number, "k", number, 4, b"signed"), receipt)
            await store.save(job.at(Stage.DONE, settled_by="event"))
        kept = {number: found for number in range(1, 11) if (found := await store.receipts(number))}
        days = {number: receipt.quote.collateral_json for number, (receipt,) in kept.items()}
        assert days == {7: "of day one", 8: "of day one", 9: "of day two", 10: "of day two"}
    with closing(sqlite3.connect(path)) as connection:
        texts = connection.execute("SELECT text FROM texts ORDER BY text").fetchall()
        assert texts == [("a long log",), ("of day one",), ("of day two",)]


async def test_a_file_of_another_chain_is_refused_with_both_names_and_the_mend(tmp_path):
    async with SqliteJobs(tmp_path / "jobs.sqlite") as store:
        await store.bind(HERE)
        with pytest.raises(ConfigurationError, match=r"outlayer\.test\.near on localnet.*not of outlayer\.near on mainnet.*DATABASE_URL"):
            await store.bind(ChainIdentity("mainnet", "outlayer.near", "other"))


async def test_a_file_that_is_no_database_is_a_store_error(tmp_path):
    path = tmp_path / "jobs.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="not a database"):
        await SqliteJobs(path).__aenter__()


async def test_a_damaged_row_is_a_store_error(tmp_path):
    path = tmp_path / "jobs.sqlite"
    async with SqliteJobs(path) as store:
        await store.admit(told(1))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE jobs SET request_json = '{}'")
    connection.commit()
    connection.close()
    async with SqliteJobs(path) as store:
        with pytest.raises(StoreError, match="damaged"):
            await store.get(1)


async def test_the_file_is_readable_by_its_owner_only(tmp_path):
    async with SqliteJobs(tmp_path / "home" / "jobs.sqlite") as store:
        await store.admit(told(1))
        for path in (tmp_path / "home").iterdir():
            assert path.stat().st_mode & 0o077 == 0, path.name


async def test_what_is_closed_says_so(tmp_path):
    store = SqliteJobs(tmp_path / "jobs.sqlite")
    async with store:
        pass
    with pytest.raises((StoreError, RuntimeError)):
        await store.cursor()


@pytest.mark.parametrize(
    ("block", "named"), [(BlockEvents(Cursor(1, "\ud800"), 1), "surrogate"), (told(2**63), "63 bits")], ids=["half a character", "too high"]
)
async def test_a_value_that_no_row_holds_is_a_store_error_that_changes_nothing(tmp_path, block, named):
    async with SqliteJobs(tmp_path / "jobs.sqlite") as store:
        with pytest.raises(StoreError, match=named):
            await store.admit(block)
        assert (await store.cursor(), await store.recent(1)) == (None, [])
