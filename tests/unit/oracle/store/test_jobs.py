"""One suite for every store of jobs: the file and its twin in memory give the same answers to the same questions."""

import asyncio
import hashlib
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from oracle.errors import ConfigurationError
from oracle.model import (
    Answer,
    BlockEvents,
    BuildTarget,
    Completed,
    Cursor,
    GitHub,
    Job,
    Limits,
    Metrics,
    Origin,
    OutputFormat,
    Requested,
    SecretsRef,
    Stage,
    TxHash,
    Unreadable,
    WasmUrl,
    YoctoNear,
)
from oracle.model.receipt import BatchProof, ReceiptQuote, SignedReceipt
from oracle.ports import ChainIdentity, SignedTransaction
from oracle.store import Kept, SqliteJobs
from oracle.testing.chain import request
from oracle.testing.code import TOOLCHAIN
from oracle.testing.jobs import MemoryJobs

HERE = ChainIdentity("localnet", "outlayer.test.near", "genesis")

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(0, 30)
requests = st.builds(
    request,
    numbers,
    source=st.builds(GitHub, text, text, st.sampled_from(BuildTarget)) | st.builds(WasmUrl, text, text, st.sampled_from(BuildTarget)),
    limits=st.none() | st.builds(Limits, st.integers(1, 2**64 - 1), st.integers(1, 2**32), st.integers(1, 600)),
    input_data=st.none() | text,
    response_format=st.sampled_from(OutputFormat),
    payment=st.integers(0, 2**128 - 1).map(YoctoNear),
    timestamp_ns=st.integers(0, 2**63),
    secrets_ref=st.none() | st.builds(SecretsRef, text, text),
    compile_only=st.booleans(),
    force_rebuild=st.booleans(),
    attached_usd=text,
    project_id=st.none() | text,
    project_uuid=st.none() | text,
)
origins = st.builds(Origin, text, text, st.integers(0, 10**9), st.integers(0, 2**63), text, st.integers(0, 10**15))
metrics = st.builds(Metrics, st.integers(0, 2**64 - 1), st.integers(0, 10**6), st.integers(0, 2**40), st.none() | st.integers(0, 10**6))
hashes = st.binary(min_size=32, max_size=32)
batches = st.builds(BatchProof, st.integers(1, 2**32), st.integers(0, 2**32), st.lists(hashes, max_size=3).map(tuple))
quotes = st.builds(ReceiptQuote, st.binary(max_size=20), text, st.none() | batches, st.none() | text)
receipts = st.builds(
    SignedReceipt,
    request_id=numbers,
    receipt=st.binary(max_size=20),
    receipt_sha256_hex=hashes.map(bytes.hex),
    public_key=text,
    signature=st.binary(max_size=64),
    quote=st.none() | quotes,
)


@st.composite
def answers(draw, request_id):
    success = draw(st.booleans())
    output = draw(st.none() | st.binary(max_size=20)) if success else None
    error = None if success else draw(text)
    note = draw(st.none() | text)
    return Answer(request_id, success, output, draw(st.sampled_from(OutputFormat)), error, draw(metrics), note)


class BothStores(RuleBasedStateMachine):
    """Everything is asked of both; they have to agree, whatever the order, and over closing and opening the file again."""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "jobs.sqlite"
        self.twin = MemoryJobs(done_jobs_kept=5, unreadable_kept=3)
        self.height = 0

    @initialize()
    def open(self):
        self.stack = AsyncExitStack()
        self.file = self.run(self.stack.enter_async_context(SqliteJobs(self.path, kept=Kept(done_jobs=5, unreadable=3))))

    def run(self, work):
        return self.loop.run_until_complete(work)

    def both(self, name, *args):
        found = self.run(getattr(self.file, name)(*args))
        assert found == self.run(getattr(self.twin, name)(*args))
        return found

    def teardown(self):
        self.run(self.stack.aclose())
        self.loop.close()
        self.directory.cleanup()

    @rule()
    def bind(self):
        self.both("bind", HERE)

    @rule(
        events=st.lists(st.builds(Requested, requests, origins), max_size=4),
        bad=st.integers(0, 4),
        back=st.integers(-2, 3),
        settled=st.integers(0, 2),
    )
    def admit(self, events, bad, back, settled):
        self.height = max(0, self.height + back)
        unreadable = [Unreadable(self.height, f"r{n}", "why", "log") for n in range(bad)]
        block = BlockEvents(Cursor(self.height, f"b{self.height}"), 1, (*events, *unreadable, Completed(1, True, None)))
        changed = [replace(job, stage=Stage.DONE, settled_by="event") for job in self.run(self.twin.unfinished())[:settled]]
        self.both("admit", block, changed)

    @rule(found=requests, origin=origins)
    def adopt(self, found, origin):
        self.both("adopt", Job(found, origin))

    @rule(data=st.data(), number=numbers, stage=st.sampled_from(Stage), height=st.integers(0, 10**9))
    def save(self, data, number, stage, height):
        known = self.run(self.twin.get(number))
        if known is None or list(Stage).index(stage) < list(Stage).index(known.stage):
            return
        answer = data.draw(answers(number)) if stage in {Stage.ANSWERING, Stage.DONE} else None
        job = replace(
            known, stage=stage, answer=answer, yield_height=height, wasm_sha256_hex="ab" * 32, input_sha256_hex="cd" * 32, compile_time_ms=3
        )
        job = replace(job, toolchain=TOOLCHAIN if height % 2 else None)
        self.both("save", replace(job, settled_by="event" if stage is Stage.DONE else None))

    @rule(number=numbers, nonce=st.integers(0, 2**40), key=st.sampled_from(["k1", "k2"]), kind=st.sampled_from(["answer", "extend"]))
    def record(self, number, nonce, key, kind):
        self.both("record", SignedTransaction(TxHash(f"{key}{nonce}"), number, key, nonce, 7, b"signed", kind))
        self.both("highest_nonce", key)
        self.both("transactions", number)

    @rule(number=numbers, nonce=st.integers(0, 2**40), receipt=receipts)
    def record_with_a_receipt(self, number, nonce, receipt):
        transaction = SignedTransaction(TxHash(f"k3{nonce}"), number, "k3", nonce, 7, b"signed")
        self.both("record", transaction, replace(receipt, request_id=number))
        self.both("receipts", number)

    @rule(data=st.data(), number=numbers, quote=quotes)
    def quote_a_receipt_later(self, data, number, quote):
        known = self.run(self.twin.receipts(number))
        sha256_hex = data.draw(st.sampled_from([receipt.receipt_sha256_hex for receipt in known])) if known else "ee" * 32
        self.both("add_quote", sha256_hex, quote)
        if known:
            again = replace(data.draw(st.sampled_from(known)), quote=quote)
            self.both("record", SignedTransaction(TxHash("again"), number, "k3", 1, 7, b"signed"), again)
        self.both("receipts", number)

    @rule(number=numbers, limit=st.integers(1, 40))
    def ask_everything(self, number, limit):
        self.both("get", number)
        self.both("unfinished")
        self.both("recent", limit)
        self.both("recent", limit, number)
        self.both("counts")
        self.both("transactions", number)
        self.both("receipts", number)
        self.both("highest_nonce", "k1")
        self.both("cursor")

    @rule()
    def close_and_open_again(self):
        self.run(self.stack.aclose())
        self.open()


BothStores.TestCase.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestBothStores = BothStores.TestCase


@pytest.fixture(params=["file", "memory"])
async def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryJobs()
        return
    async with SqliteJobs(tmp_path / "jobs.sqlite") as jobs:
        yield jobs


def told(number, height=1):
    return BlockEvents(Cursor(height, f"b{height}"), 1, (Requested(request(number), Origin(block_height=height)),))


async def test_a_block_told_twice_adds_nothing(store):
    assert [job.request_id for job in await store.admit(told(1))] == [1]
    assert await store.admit(told(1)) == []
    assert await store.admit(told(2)) == []
    assert await store.cursor() == Cursor(1, "b1")


async def test_a_new_jobs_yield_counts_from_its_block(store):
    (job,) = await store.admit(told(1, height=40))
    assert job.yield_height == 40


async def test_a_done_job_stays_done_and_forgets_what_is_large(store):
    (job,) = await store.admit(told(1))
    await store.record(SignedTransaction(TxHash("h"), 1, "k", 9, 1, b"signed"))
    await store.save(job.at(Stage.DONE, settled_by="event"))
    await store.save(job.at(Stage.RUNNING))
    found = await store.get(1)
    assert (found.stage, found.request.input_data) == (Stage.DONE, None)
    (sent,) = await store.transactions(1)
    assert (sent.transaction_hash, sent.signed_bytes) == ("h", b"")
    assert await store.highest_nonce("k") == 9


def signed_receipt(number, text, **more):
    return SignedReceipt(number, text.encode(), hashlib.sha256(text.encode()).hexdigest(), "k", bytes(64), **more)


def transaction(number, nonce=9):
    return SignedTransaction(TxHash(f"h{nonce}"), number, "k", nonce, 1, b"signed")


async def test_a_receipt_is_recorded_with_its_transaction_and_outlives_the_job(store):
    (job,) = await store.admit(told(1))
    receipt = signed_receipt(1, "said", quote=ReceiptQuote(b"quote", "log", BatchProof(2, 1, (bytes(32),))))
    await store.record(transaction(1), receipt)
    await store.save(job.at(Stage.DONE, settled_by="event"))
    assert await store.receipts(1) == [receipt]
    assert await store.receipts(2) == []


async def test_the_newest_receipt_of_a_request_comes_first(store):
    older, newer = signed_receipt(1, "said"), signed_receipt(1, "said otherwise")
    await store.record(transaction(1, 9), older)
    await store.record(transaction(1, 10), newer)
    await store.record(transaction(1, 11), older)
    assert await store.receipts(1) == [newer, older]


async def test_an_output_is_kept_with_its_receipt_until_the_job_is_done_with_the_same(store):
    first, second = signed_receipt(1, "said", output=b' {"a": 1.50}\n'), signed_receipt(1, "said of a second run", output=b"other")
    of_another = signed_receipt(2, "said of another", output=b' {"a": 1.50}\n')
    (job,) = await store.admit(told(1))
    await store.record(transaction(1, 9), first)
    await store.record(transaction(1, 10), second)
    await store.record(transaction(2, 11), of_another)
    assert await store.receipts(1) == [second, first]
    done = job.at(Stage.DONE, answer=Answer(1, True, b' {"a": 1.50}\n', OutputFormat.JSON), settled_by="event")
    await store.save(done)
    assert await store.receipts(1) == [second, replace(first, output=None)]
    assert (await store.get(1)).answer.output == first.output
    assert await store.receipts(2) == [of_another]


async def test_an_output_stays_with_its_receipt_where_the_job_ended_without_an_answer(store):
    receipt = signed_receipt(1, "said", output=b"")
    (job,) = await store.admit(told(1))
    await store.record(transaction(1), receipt)
    await store.save(job.at(Stage.DONE, settled_by="gone"))
    assert await store.receipts(1) == [receipt]


QUOTE, OTHER_QUOTE = ReceiptQuote(b"quote", "log", collateral_json="{}"), ReceiptQuote(b"other", "other log")


async def test_a_receipt_is_quoted_later_and_keeps_its_first_quote(store):
    (job,) = await store.admit(told(1))
    await store.record(transaction(1, 9), signed_receipt(1, "said"))
    await store.record(transaction(1, 10), signed_receipt(1, "said otherwise"))
    await store.save(job.at(Stage.DONE, settled_by="event"))
    sha256_hex = signed_receipt(1, "said").receipt_sha256_hex
    assert await store.add_quote(sha256_hex, QUOTE)
    assert await store.add_quote(sha256_hex, OTHER_QUOTE)
    assert await store.receipts(1) == [signed_receipt(1, "said otherwise"), signed_receipt(1, "said", quote=QUOTE)]
    assert not await store.add_quote("ee" * 32, QUOTE)


async def test_a_receipt_recorded_again_gets_the_quote_that_it_lacked(store):
    for quote in (None, QUOTE, OTHER_QUOTE, None):
        await store.record(transaction(1), signed_receipt(1, "said", quote=quote))
    assert await store.receipts(1) == [signed_receipt(1, "said", quote=QUOTE)]


async def test_a_store_of_another_contract_is_refused(store):
    await store.bind(HERE)
    await store.bind(HERE)
    with pytest.raises(ConfigurationError):
        await store.bind(replace(HERE, contract_id="other.test.near"))
    with pytest.raises(ConfigurationError):
        await store.bind(replace(HERE, genesis_hash="another"))


async def test_the_highest_nonce_of_a_key_never_falls(store):
    for nonce in (5, 9, 7):
        await store.record(SignedTransaction(TxHash(f"h{nonce}"), 1, "k", nonce, 1, b"signed"))
    assert await store.highest_nonce("k") == 9
    assert await store.highest_nonce("other") == 0
    assert [sent.nonce for sent in await store.transactions(1)] == [5, 9, 7]
