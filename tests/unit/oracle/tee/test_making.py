"""Receipts made of jobs: what they say, who signed them, when an earlier one stands, and what is quoted."""

import hashlib
from dataclasses import replace

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oracle.errors import EvidenceRefused
from oracle.model import Answer, Attestation, Job, Metrics, Origin, OutputFormat, Stage
from oracle.model.environment import guest_environment
from oracle.model.receipt import Outcome, TeeMode
from oracle.tee.making import ReceiptMaker, Standing
from oracle.tee.quoting import ReceiptQuotes
from oracle.tee.receipt import MAX_RECEIPT_BYTES, environment_sha256_hex, parse_receipt, receipt_sha256_hex, signature_message
from oracle.testing.chain import request
from oracle.testing.clock import EagerClock, ManualClock
from oracle.testing.code import TOOLCHAIN
from oracle.testing.receipts import receipt

ORIGIN = Origin("tx", "receipt", 40, 41, "ed25519:caller", 5)
ANSWER = Answer(7, True, b"out", metrics=Metrics(5, 6, 7))
JOB = Job(request(7), ORIGIN, Stage.ANSWERING, wasm_sha256_hex="ec" * 32, input_sha256_hex="1a" * 32, answer=ANSWER)


def maker(seed=1, quotes=None, **changes):
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    public_key = "ed25519:" + base58.b58encode(key.public_key().public_bytes_raw()).decode()
    plain = receipt()
    standing = Standing(
        plain.chain, plain.engine, replace(plain.worker, public_key=public_key), plain.settings_sha256_hex, plain.policy_sha256_hex
    )
    return ReceiptMaker(replace(standing, **changes), key.sign, ManualClock(), quotes), key.public_key()


async def test_a_receipt_says_what_was_asked_what_ran_and_what_came_of_it():
    making, public_key = maker()
    made = await making.make(JOB, ANSWER)
    said = parse_receipt(made.receipt)
    asked = said.request
    assert (asked.request_id, asked.transaction_hash, asked.block_height, asked.compile_only) == (7, "tx", 40, False)
    assert (said.source, said.limits, said.metrics) == (JOB.request.source, JOB.request.limits, ANSWER.metrics)
    assert (said.wasm_sha256_hex, said.input_sha256_hex) == ("ec" * 32, "1a" * 32)
    assert said.outcome == Outcome(True, hashlib.sha256(b"out").hexdigest(), 3)
    environment = guest_environment(JOB.request, ORIGIN, contract_id="outlayer.test.near", network_id="localnet")
    assert said.environment_sha256_hex == environment_sha256_hex(environment)
    assert (said.made_at_ns, said.worker.tee_mode) == (ManualClock().now_ns(), TeeMode.NONE)
    assert made.receipt_sha256_hex == receipt_sha256_hex(made.receipt)
    assert (made.request_id, made.public_key, made.quote) == (7, said.worker.public_key, None)
    public_key.verify(made.signature, signature_message(made.receipt))


@pytest.mark.parametrize(
    ("job", "answer", "outcome"),
    [
        (JOB, Answer(7, False, error="why"), Outcome(False, error="why")),
        (JOB, Answer(7, True, None), Outcome(True)),
        (JOB, Answer(7, True, b"", OutputFormat.BYTES), Outcome(True, hashlib.sha256(b"").hexdigest(), 0)),
    ],
)
async def test_an_outcome_is_the_one_that_the_contract_is_told(job, answer, outcome):
    assert parse_receipt((await maker()[0].make(job, answer)).receipt).outcome == outcome


@pytest.mark.parametrize(
    ("answer", "output"), [(Answer(7, True, b" 1.50\n"), b" 1.50\n"), (Answer(7, True), None), (Answer(7, False, error="why"), None)]
)
async def test_a_receipt_comes_with_the_very_bytes_that_it_holds_by_hash(answer, output):
    making, _ = maker()
    made = await making.make(JOB, answer)
    assert made.output == output
    assert (await making.make(JOB, answer, [replace(made, output=None)])).output == output  # one that an older version kept


async def test_a_receipt_names_what_built_the_module():
    made = await maker()[0].make(replace(JOB, toolchain=TOOLCHAIN), ANSWER)
    assert parse_receipt(made.receipt).toolchain == TOOLCHAIN
    assert parse_receipt((await maker()[0].make(JOB, ANSWER)).receipt).toolchain is None


async def test_what_is_not_known_is_null():
    bare = Job(request(7, limits=None), Origin(), Stage.ANSWERING)
    said = parse_receipt((await maker()[0].make(bare, Answer(7, False, error="why"))).receipt)
    assert (said.wasm_sha256_hex, said.input_sha256_hex, said.environment_sha256_hex, said.limits) == (None, None, None, None)
    asked = said.request
    assert (asked.transaction_hash, asked.receipt_id, asked.block_height, asked.block_timestamp_ns) == (None, None, None, None)
    assert asked.compile_only


async def test_an_earlier_receipt_that_says_the_same_stands():
    making, _ = maker()
    earlier = await making.make(JOB, ANSWER)
    making._clock.jump(60)
    assert await making.make(JOB, ANSWER, [earlier]) == earlier
    assert await making.make(JOB, ANSWER) != earlier


async def test_a_receipt_of_another_key_answer_or_setting_does_not_stand():
    making, _ = maker()
    earlier = await making.make(JOB, ANSWER)
    of_another_key = await maker(seed=2)[0].make(JOB, ANSWER, [earlier])
    assert of_another_key.public_key != earlier.public_key
    assert await making.make(JOB, replace(ANSWER, output=b"other"), [earlier]) != earlier
    assert await maker(settings_sha256_hex="00" * 32)[0].make(JOB, ANSWER, [earlier]) != earlier


async def test_a_receipt_that_somebody_wrote_into_the_store_does_not_stand():
    making, public_key = maker()
    earlier = await making.make(JOB, ANSWER)
    forged = replace(earlier, receipt=earlier.receipt.replace(b'"1000000000"', b'"1000000001"'))
    foreign = replace(await maker(seed=2)[0].make(JOB, ANSWER), public_key=earlier.public_key)
    for lie in (forged, foreign, replace(earlier, signature=b""), replace(earlier, receipt=b"{}")):
        made = await making.make(JOB, ANSWER, [lie])
        assert made == earlier
        public_key.verify(made.signature, signature_message(made.receipt))


class Socket:
    """Quotes nothing, but remembers what it was asked for."""

    def __init__(self):
        self.asked = []

    async def quote(self, report_data):
        self.asked.append(report_data)
        return Attestation(b"no quote", "[]")


async def test_without_a_quote_in_time_there_is_a_receipt_all_the_same():
    socket = Socket()
    making, public_key = maker(quotes=ReceiptQuotes(socket, EagerClock()))
    assert making.is_attested
    made = await making.make(JOB, ANSWER)
    assert made.quote is None
    public_key.verify(made.signature, signature_message(made.receipt))
    assert socket.asked


async def test_what_no_reader_would_take_is_refused():
    with pytest.raises(EvidenceRefused, match="at most"):
        await maker()[0].make(replace(JOB, request=request(7, sender_id="x" * MAX_RECEIPT_BYTES)), ANSWER)
