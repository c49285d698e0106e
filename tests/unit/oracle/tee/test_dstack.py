import asyncio
import gzip
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from oracle.errors import EvidenceRefused, TeeError, TeeUnavailable
from oracle.settings import Listen
from oracle.tee.dstack import Dstack
from oracle.tee.dstack_wire import MAX_ANSWER_BYTES
from oracle.tee.eventlog import EventLog
from oracle.tee.quote import parse_quote
from oracle.tee.simulator import Simulator, SimulatorOptions
from oracle.tee.simulator.guest_agent import CURRENT, TAPPD
from oracle.tee.simulator.reports import EnclaveReport
from tests.unit.oracle.tee.test_eventlog import RECORDED

REPORT_DATA = bytes(range(64))
RECORDED_DATA = bytes.fromhex(RECORDED["report_data_hex"])


@pytest.fixture(scope="module")
def simulator():
    return Simulator(SimulatorOptions(seed="dstack"))


@asynccontextmanager
async def socket_that(tmp_path, handle):
    """A socket that answers every request with `handle`; its path."""
    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(tmp_path / "s")).start()
        yield str(tmp_path / "s")
    finally:
        await runner.cleanup()


def answering(answer):
    async def handle(_request):
        return web.json_response(answer)

    return handle


def only_tappd(simulator):
    """dstack 0.3: nothing but what it knew, and no fields that came later."""
    agent = simulator._agent

    async def handle(request):
        name = request.path.removeprefix("/prpc/Tappd.")
        if name == request.path or name not in TAPPD:
            raise web.HTTPNotFound
        takes, method = TAPPD[name]
        answer = method(agent, takes.model_validate_json(await request.read()))
        if name == "Info":
            told = json.loads(answer["tcb_info"])
            kept = {key: told[key] for key in ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "app_compose", "event_log")}
            answer = {key: answer[key] for key in ("app_id", "instance_id", "app_cert", "app_name")} | {"tcb_info": json.dumps(kept)}
        return web.json_response(answer)

    return handle


async def test_a_quote_of_a_socket_is_over_the_bytes_asked_for():
    async with Simulator(SimulatorOptions(seed="dstack")) as simulator, Dstack(str(simulator.socket_path)) as dstack:
        attestation = await dstack.quote(REPORT_DATA)
        report = parse_quote(attestation.quote).report
        assert report.report_data == REPORT_DATA
        assert EventLog.from_json(attestation.event_log).app_identity(report.measurements).app_id == simulator.machine.app_id.hex()
        info = await dstack.info()
        assert info.measurements == report.measurements
        assert info.compose_hash == simulator.options.machine.compose.sha256.hex()
        assert info.app_id == simulator.machine.app_id.hex()


async def test_the_interface_of_dstack_0_3_is_found_by_itself_and_remembered(tmp_path, simulator):
    asked = []
    inner = only_tappd(simulator)

    async def handle(request):
        asked.append(request.path)
        return await inner(request)

    async with socket_that(tmp_path, handle) as path, Dstack(path) as dstack:
        first, second = await dstack.quote(REPORT_DATA), await dstack.quote(bytes(64))
        info = await dstack.info()
    assert parse_quote(first.quote).report.report_data == REPORT_DATA
    assert parse_quote(second.quote).report.report_data == bytes(64)
    assert (info.os_image_hash, info.key_provider_info) == ("", "")
    assert info.compose_hash == simulator.options.machine.compose.sha256.hex()
    assert asked == ["/GetQuote", "/prpc/Tappd.RawQuote", "/prpc/Tappd.RawQuote", "/prpc/Tappd.Info"]


async def test_a_socket_at_a_url_is_spoken_to_as_well():
    options = SimulatorOptions(seed="dstack", listen=Listen("127.0.0.1", 0))
    async with Simulator(options) as simulator, Dstack(simulator.url) as dstack:
        assert parse_quote((await dstack.quote(REPORT_DATA)).quote).report.report_data == REPORT_DATA


async def test_a_socket_that_is_not_there_may_come_later(tmp_path):
    path = tmp_path / "later.sock"
    async with Dstack(str(path)) as dstack:
        with pytest.raises(TeeUnavailable, match="there is no such socket"):
            await dstack.quote(REPORT_DATA)
        async with Simulator(SimulatorOptions(seed="dstack", socket_path=path)):
            await dstack.quote(REPORT_DATA)
        with pytest.raises(TeeUnavailable):
            await dstack.quote(REPORT_DATA)
        async with Simulator(SimulatorOptions(seed="dstack", socket_path=path)):
            await dstack.quote(REPORT_DATA)


async def test_a_socket_that_hangs_is_left_after_a_time(tmp_path):
    waits = asyncio.Event()

    async def handle(_request):
        await waits.wait()

    async with socket_that(tmp_path, handle) as path, Dstack(path, timeout_s=0.05) as dstack:
        with pytest.raises(TeeUnavailable, match=r"silent|not answered"):
            await dstack.quote(REPORT_DATA)
        waits.set()


async def test_a_socket_that_begins_to_answer_and_hangs_is_left_after_a_time(tmp_path):
    waits = asyncio.Event()

    async def handle(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        await waits.wait()

    async with socket_that(tmp_path, handle) as path, Dstack(path, timeout_s=0.05) as dstack:
        with pytest.raises(TeeUnavailable, match=r"silent|not answered"):
            await dstack.quote(REPORT_DATA)
        waits.set()


async def test_callers_at_once_share_one_finding_of_the_interface(tmp_path, simulator):
    async with socket_that(tmp_path, only_tappd(simulator)) as path, Dstack(path) as dstack:
        asked = [bytes([index]) * 64 for index in range(8)]
        answers = await asyncio.gather(*(dstack.quote(report_data) for report_data in asked))
    assert [parse_quote(answer.quote).report.report_data for answer in answers] == asked


async def test_a_machine_that_was_upgraded_is_found_out_anew(tmp_path, simulator):
    async def upgraded(request):
        if request.path != "/GetQuote":
            raise web.HTTPNotFound
        takes, method = CURRENT["GetQuote"]
        return web.json_response(method(simulator._agent, takes.model_validate_json(await request.read())))

    async with Dstack(str(tmp_path / "s")) as dstack:
        async with socket_that(tmp_path, only_tappd(simulator)):
            await dstack.quote(REPORT_DATA)
        async with socket_that(tmp_path, upgraded):
            with pytest.raises(TeeUnavailable):
                await dstack.quote(REPORT_DATA)
            await dstack.quote(REPORT_DATA)


async def test_an_endless_answer_is_cut_off(tmp_path):
    async def handle(request):
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 65_536)
        except ConnectionError:
            return response

    async with socket_that(tmp_path, handle) as path, Dstack(path) as dstack:
        with pytest.raises(TeeUnavailable, match=f"more than {MAX_ANSWER_BYTES:,} bytes"):
            await dstack.quote(REPORT_DATA)


async def test_a_packed_answer_is_refused_unread(tmp_path):
    async def handle(_request):
        return web.Response(body=gzip.compress(b" " * 10_000_000), headers={"Content-Encoding": "gzip"})

    async with socket_that(tmp_path, handle) as path, Dstack(path) as dstack:
        with pytest.raises(TeeUnavailable, match="compressed"):
            await dstack.quote(REPORT_DATA)


@pytest.mark.parametrize(
    "body", ["", "no json", "[]", "null", "7", "[" * 100_000, '{"error":"busy"}', '{"quote":7,"event_log":"[]"}', "{}", "\x00\xff"]
)
async def test_garbage_is_an_error_of_ours_and_no_crash(tmp_path, body):
    async def handle(_request):
        return web.Response(body=body.encode(), content_type="application/json")

    async with socket_that(tmp_path, handle) as path, Dstack(path) as dstack:
        with pytest.raises(TeeError):
            await dstack.quote(REPORT_DATA)
        with pytest.raises(TeeUnavailable):
            await dstack.info()


async def test_what_is_no_http_is_an_error_of_ours(tmp_path):
    async def handle(_reader, writer):
        writer.write(b"\x00\x01 hello\r\n\r\n")
        writer.close()

    server = await asyncio.start_unix_server(handle, str(tmp_path / "s"))
    async with server, Dstack(str(tmp_path / "s")) as dstack:
        with pytest.raises(TeeUnavailable, match="not answered"):
            await dstack.quote(REPORT_DATA)


async def test_why_a_machine_refuses_is_told(tmp_path):
    async def handle(_request):
        return web.json_response({"error": "no quoting today"}, status=400)

    async with socket_that(tmp_path, handle) as path, Dstack(path) as dstack:
        with pytest.raises(TeeUnavailable, match="status 400: no quoting today"):
            await dstack.quote(REPORT_DATA)


async def test_a_socket_that_knows_neither_interface_is_told_by_its_methods(tmp_path):
    async def handle(_request):
        raise web.HTTPNotFound

    async with socket_that(tmp_path, handle) as path, Dstack(path) as dstack:
        for _ in range(2):
            with pytest.raises(TeeUnavailable, match=r"it knows no /prpc/Tappd\.RawQuote"):
                await dstack.quote(REPORT_DATA)


async def test_a_quote_over_other_bytes_is_refused(tmp_path):
    answer = {"quote": RECORDED["quote_hex"], "event_log": RECORDED["event_log"]}
    async with socket_that(tmp_path, answering(answer)) as path, Dstack(path) as dstack:
        assert (await dstack.quote(RECORDED_DATA)).event_log == RECORDED["event_log"]
        with pytest.raises(EvidenceRefused, match="was asked for"):
            await dstack.quote(REPORT_DATA)


async def test_a_quote_whose_event_log_does_not_replay_is_refused(tmp_path):
    log = json.dumps(json.loads(RECORDED["event_log"])[:-1])
    async with socket_that(tmp_path, answering({"quote": RECORDED["quote_hex"], "event_log": log})) as path, Dstack(path) as dstack:
        with pytest.raises(EvidenceRefused, match="replays to rtmr3"):
            await dstack.quote(RECORDED_DATA)


async def test_a_quote_of_an_enclave_is_refused(tmp_path, simulator):
    quote = simulator.quoter.sgx_quote(EnclaveReport(bytes(32), bytes(32), REPORT_DATA))
    async with socket_that(tmp_path, answering({"quote": quote.hex(), "event_log": "[]"})) as path, Dstack(path) as dstack:
        with pytest.raises(EvidenceRefused, match="is of SGX"):
            await dstack.quote(REPORT_DATA)


async def test_report_data_has_64_bytes(tmp_path):
    async with Dstack(str(tmp_path / "none")) as dstack:
        with pytest.raises(ValueError, match="64 bytes, not 63"):
            await dstack.quote(bytes(63))
