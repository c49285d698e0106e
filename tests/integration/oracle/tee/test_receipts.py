"""Receipts quoted by a dstack machine over its socket: what each quote binds, and that the bundle which carries it holds together."""

import asyncio
from dataclasses import replace

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oracle.model import Answer, BlockEvents, Cursor, Job, Origin, OutputFormat, Requested, Stage, TxHash
from oracle.ports import SignedTransaction, SystemClock
from oracle.store import SqliteJobs
from oracle.tee.bundle import bundle_of, read_bundle
from oracle.tee.dstack import Dstack
from oracle.tee.making import ReceiptMaker, Standing
from oracle.tee.merkle import root_from_path
from oracle.tee.quote import parse_quote
from oracle.tee.quoting import ReceiptQuotes
from oracle.tee.receipt import batch_report_data, receipt_report_data, signature_message
from oracle.tee.simulator import Simulator, SimulatorOptions
from oracle.testing.chain import request
from oracle.testing.receipts import receipt

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture
async def socket():
    async with Simulator(SimulatorOptions(seed="receipts")) as simulator, Dstack(str(simulator.socket_path)) as dstack:
        yield dstack


def maker(socket, batch_ms):
    plain = receipt()
    public_key = "ed25519:" + base58.b58encode(KEY.public_key().public_bytes_raw()).decode()
    standing = Standing(
        plain.chain, plain.engine, replace(plain.worker, public_key=public_key), plain.settings_sha256_hex, plain.policy_sha256_hex
    )
    return ReceiptMaker(standing, KEY.sign, SystemClock(), ReceiptQuotes(socket, SystemClock(), batch_ms=batch_ms))


def job(number):
    answer = Answer(number, True, b"out %d" % number)
    return Job(request(number), Origin(), Stage.ANSWERING, "ec" * 32, answer=answer)


async def made_bundle(making, number):
    """The bundle as a verifier reads it."""
    kept = await making.make(job(number), job(number).answer)
    bundle = read_bundle(bundle_of(job(number), kept).to_json().encode())
    KEY.public_key().verify(bundle.signature, signature_message(bundle.receipt))
    assert bundle.output_bytes == b"out %d" % number
    return bundle


async def test_a_quote_of_its_own_binds_the_receipts_exact_bytes(socket):
    bundle = await made_bundle(maker(socket, 0), 7)
    quote = bundle.attestation.quote
    assert parse_quote(quote.quote).report.report_data == receipt_report_data(bundle.receipt)
    assert quote.batch is None


async def test_receipts_that_share_a_quote_each_prove_that_they_are_in_it(socket):
    making = maker(socket, 20)
    bundles = await asyncio.gather(*(made_bundle(making, number) for number in range(7)))
    assert len({bundle.attestation.quote.quote for bundle in bundles}) == 1
    for bundle in bundles:
        quote, batch = bundle.attestation.quote, bundle.attestation.quote.batch
        found = root_from_path(bundle.receipt, batch.leaf_index, batch.tree_size, batch.path)
        assert parse_quote(quote.quote).report.report_data == batch_report_data(found)
    assert sorted(bundle.attestation.quote.batch.leaf_index for bundle in bundles) == list(range(7))


async def test_a_bundle_has_the_output_of_an_answer_that_a_kill_kept_out_of_the_job(tmp_path, socket):
    """The receipt and its transaction are stored, the answer is not yet; the next start finds the request settled."""
    output = b'\n {"a": 1.50}\n\n'
    told = Requested(request(7, response_format=OutputFormat.JSON), Origin(block_height=1))
    async with SqliteJobs(tmp_path / "jobs.sqlite") as store:
        (asked,) = await store.admit(BlockEvents(Cursor(1, "b"), 1, (told,)))
        signed = await maker(socket, 0).make(asked, Answer(7, True, output, OutputFormat.JSON))
        await store.record(SignedTransaction(TxHash("h"), 7, signed.public_key, 1, 1, b"signed"), signed)
    async with SqliteJobs(tmp_path / "jobs.sqlite") as store:
        (found,) = await store.unfinished()
        assert found.answer is None
        await store.save(found.at(Stage.DONE, settled_by="gone"))
        bundle = bundle_of(await store.get(7), (await store.receipts(7))[0])
    assert read_bundle(bundle.to_json().encode()).output_bytes == output
