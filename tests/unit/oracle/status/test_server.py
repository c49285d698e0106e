import asyncio
import hashlib
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import ClientSession

from oracle.errors import ConfigurationError, StoreError
from oracle.model import Answer, GitHub, Job, Limits, Metrics, Origin, OutputFormat, Request, Stage, WasmUrl, YoctoNear
from oracle.model.receipt import Outcome, ReceiptQuote, SignedReceipt
from oracle.ports import Latencies, SignedTransaction, Unquoted, WorkerSnapshot
from oracle.settings import Listen
from oracle.status import StatusServer, job_json
from oracle.tee.bundle import Bundle, read_bundle
from oracle.tee.receipt import receipt_bytes, receipt_sha256_hex
from oracle.testing.receipts import PUBLIC_KEY, receipt

SNAPSHOT = WorkerSnapshot(
    cursor_height=90,
    head_height=100,
    jobs_by_stage={"queued": 1},
    running_guests=0,
    answered_ok=1,
    answered_failed=0,
    chain_trouble=None,
    store_trouble=None,
    last_error=None,
    event_to_sent=Latencies((0.01,), (0, 0), 0.0),
)


def job(request_id: int, **changes) -> Job:
    request = Request(
        request_id=request_id,
        sender_id="alice.near",
        predecessor_id="client.near",
        source=WasmUrl("https://example.com/m.wasm", "ab" * 32),
        limits=Limits(),
        input_data="a private-looking input",
        response_format=OutputFormat.TEXT,
        payment=YoctoNear(2**100),
        timestamp_ns=2**60,
    )
    return Job(request, Origin(transaction_hash="TX", block_height=88), **changes)


class Store:
    """What the server asks of a store."""

    def __init__(self, *jobs: Job) -> None:
        self.jobs = {it.request_id: it for it in jobs}
        self.error: Exception | None = None
        self.kept: dict[int, list[SignedReceipt]] = {}

    def _check(self) -> None:
        if self.error is not None:
            raise self.error

    async def get(self, request_id):
        self._check()
        return self.jobs.get(request_id)

    async def recent(self, limit, before_request_id=None):
        self._check()
        ids = sorted((i for i in self.jobs if before_request_id is None or i < before_request_id), reverse=True)
        return [self.jobs[i] for i in ids[:limit]]

    async def counts(self):
        self._check()
        return {"queued": len(self.jobs)}

    async def receipts(self, request_id):
        return self.kept.get(request_id, [])

    async def transactions(self, request_id):
        return [SignedTransaction("HASH", request_id, "ed25519:K", 7, 88, b"signed")]


class Client:
    def __init__(self, session: ClientSession, base: str) -> None:
        self.session, self.base = session, base

    async def __call__(self, path: str, method: str = "GET"):
        async with self.session.request(method, self.base + path) as response:
            text = await response.text()
            return response.status, json.loads(text) if response.content_type == "application/json" else text


@asynccontextmanager
async def serving(store: Store, snapshot: WorkerSnapshot = SNAPSHOT, **more):
    about = {"chain_id": "localnet", "contract_id": "outlayer.test.near"}
    async with StatusServer(Listen("127.0.0.1", 0), store, lambda: snapshot, about, **more) as server, ClientSession() as session:
        assert server.address.port != 0
        yield Client(session, f"http://{server.address}")


async def test_health_says_where_the_worker_stands():
    async with serving(Store()) as get:
        status, body = await get("/health")
    assert (status, body["status"], body["problems"]) == (200, "ok", [])
    assert (body["chain_id"], body["contract_id"], body["cursor_height"], body["head_height"]) == (
        "localnet",
        "outlayer.test.near",
        90,
        100,
    )


async def test_receipts_without_quotes_are_told_and_are_no_reason_to_restart_a_worker():
    async with serving(Store(), replace(SNAPSHOT, unquoted=Unquoted(2, 5))) as get:
        status, body = await get("/health")
    assert (status, body["unquoted_receipts"]) == (200, {"waiting": 2, "given_up": 5})
    async with serving(Store()) as get:
        assert (await get("/health"))[1]["unquoted_receipts"] is None


async def test_trouble_with_chain_or_store_is_a_503_with_its_reason():
    async with serving(Store(), replace(SNAPSHOT, chain_trouble="nobody answers", store_trouble="disk full")) as get:
        status, body = await get("/health")
    assert (status, body["problems"]) == (503, ["chain: nobody answers", "store: disk full"])


async def test_requests_come_in_pages_newest_first():
    async with serving(Store(*(job(i) for i in range(5)))) as get:
        status, page = await get("/requests?limit=2")
        assert (status, [it["request_id"] for it in page["requests"]], page["next_before"]) == (200, [4, 3], 3)
        _, page = await get("/requests?limit=2&before=3")
        assert [it["request_id"] for it in page["requests"]] == [2, 1]
        _, page = await get("/requests?limit=2&before=1")
        assert ([it["request_id"] for it in page["requests"]], page["next_before"]) == ([0], None)
        assert "transactions" not in page["requests"][0]  # they were not looked up; an empty list would say that there are none


async def test_a_hash_that_is_no_text_does_not_hide_the_other_requests():
    strange = replace(job(1), origin=Origin(transaction_hash="\ud800", block_height=88))
    async with serving(Store(strange, job(2))) as get:
        status, page = await get("/requests")
    assert (status, [it["origin"]["transaction_hash"] for it in page["requests"]]) == (200, ["TX", "?"])


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=-1", "before=-1", "before=9999999999999999999999", "limit=%F0%9D%9F%99"]
)
async def test_a_wrong_query_names_what_is_allowed(query):
    async with serving(Store()) as get:
        status, body = await get(f"/requests?{query}")
    assert (status, body["error"]) == (400, "bad_query")
    assert "whole number from" in body["message"]


async def test_one_request_is_told_whole_but_without_its_input_and_output():
    answer = Answer(3, success=True, output=b"secret output", metrics=Metrics(10, 2, 65536))
    store = Store(job(3, stage=Stage.ANSWERING, answer=answer, wasm_sha256_hex="ab" * 32))
    store.kept[3] = [SignedReceipt(3, b"said", "ab" * 32, "ed25519:K", bytes(64))]
    async with serving(store) as get:
        status, body = await get("/requests/3")
    assert (status, body["stage"], body["request"]["payment_yocto"]) == (200, "answering", str(2**100))
    assert body["request"]["input"]["size_bytes"] == len("a private-looking input")
    assert body["answer"]["output"]["size_bytes"] == len(b"secret output")
    assert body["receipts"] == [{"sha256": "ab" * 32, "public_key": "ed25519:K", "quoted": False}]
    assert body["transactions"] == [{"kind": "answer", "transaction_hash": "HASH", "nonce": 7}]
    assert "private-looking" not in json.dumps(body)
    assert "secret output" not in json.dumps(body)


def kept_receipt(request_id, output):
    outcome = Outcome(success=True, output_sha256_hex=hashlib.sha256(output).hexdigest(), output_length=len(output))
    raw = receipt_bytes(receipt(outcome=outcome))
    return SignedReceipt(request_id, raw, receipt_sha256_hex(raw), PUBLIC_KEY, bytes(64))


async def test_a_receipt_is_served_as_a_bundle_with_the_output_it_speaks_of():
    store = Store(job(3, stage=Stage.DONE, answer=Answer(3, True, b"out")))
    newest, older = kept_receipt(3, b"out"), kept_receipt(3, b"of an earlier run")
    store.kept[3] = [newest, older]
    async with serving(store) as get:
        _, body = await get("/attestations/3")
        assert read_bundle(json.dumps(body).encode()) == Bundle(newest.receipt, newest.signature, None, b"out")
        _, body = await get(f"/attestations/3?receipt_sha256={older.receipt_sha256_hex}")
        assert read_bundle(json.dumps(body).encode()) == Bundle(older.receipt, older.signature)
        status, body = await get(f"/attestations/3?receipt_sha256={'00' * 32}")
        assert (status, body["error"]) == (404, "no_such_receipt")


async def test_a_bundle_is_completed_with_what_a_verifier_of_its_quote_needs():
    store = Store(job(3))
    store.kept[3] = [replace(kept_receipt(3, b""), quote=ReceiptQuote(b"q", "log"))]

    async def complete(bundle):
        return replace(bundle, attestation=replace(bundle.attestation, collateral_json='{"tcb_info": ""}'))

    async with serving(store, complete=complete) as get:
        _, body = await get("/attestations/3")
    assert body["attestation"]["collateral"] == {"tcb_info": ""}


@pytest.mark.parametrize(("path", "status", "code"), [
    ("/requests/7", 404, "unknown_request"), ("/requests/x", 400, "bad_request_id"), ("/requests/-1", 400, "bad_request_id"),
    ("/attestations/7", 404, "unknown_request"), ("/attestations/3", 404, "no_receipt"), ("/attestations/x", 400, "bad_request_id"),
    ("/requests/99999999999999999999999", 400, "bad_request_id"), ("/", 404, "unknown_path"), ("/../etc", 404, "unknown_path"),
])  # fmt: skip
async def test_what_is_not_there_is_told_in_json(path, status, code):
    async with serving(Store(job(3))) as get:
        got, body = await get(path)
    assert (got, body["error"]) == (status, code)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_can_be_written(method):
    async with serving(Store(job(3))) as get:
        status, body = await get("/requests/3", method)
    assert (status, body["error"]) == (405, "read_only")


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\r\n\r\n", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/9\r\n\r\n"])
async def test_what_is_no_http_is_refused_without_a_word_in_the_log(sent, caplog):
    async with StatusServer(Listen("127.0.0.1", 0), Store(), lambda: SNAPSHOT, {}) as server:
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        writer.write(sent)
        assert (await reader.readline()).startswith(b"HTTP/1.0 400 ")
        writer.close()
        await writer.wait_closed()
    assert caplog.records == []


async def test_a_store_in_trouble_is_a_503_and_metrics_go_on():
    store = Store(job(3))
    store.error = StoreError("the disk is full")
    async with serving(store) as get:
        assert await get("/requests") == (503, {"error": "store_trouble", "message": "the disk is full"})
        status, text = await get("/metrics")
    assert status == 200
    assert "oracle_cursor_height 90.0" in text


async def test_a_defect_shows_nothing_of_itself():
    store = Store()
    store.error = KeyError("inner detail")
    async with serving(store) as get:
        status, body = await get("/requests")
    assert (status, body["error"]) == (500, "defect")
    assert "inner" not in json.dumps(body)


async def test_an_address_in_use_is_a_configuration_error_with_its_mend():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = StatusServer(Listen("127.0.0.1", taken.getsockname()[1]), Store(), lambda: SNAPSHOT, {})
        with pytest.raises(ConfigurationError, match=r"API_LISTEN=127\.0\.0\.1:\d+: .*set another HOST:PORT"):
            async with server:
                pass


def test_a_job_without_answer_limits_or_origin_is_told_with_nulls():
    plain = job(1)
    plain = replace(
        plain, request=replace(plain.request, limits=None, input_data=None, source=GitHub("github.com/o/r", "0" * 40)), origin=Origin()
    )
    told = job_json(plain)
    assert (told["answer"], told["request"]["limits"], told["request"]["input"]) == (None, None, None)
    assert told["request"]["compile_only"] is True
    assert told["origin"] == {"transaction_hash": None, "receipt_id": None, "block_height": None}
