"""Answers and refusals as dstack's agent gives them, its limits; the service's refusals; sockets and files that cannot be had."""

import asyncio
import json
import socket
import stat
import tempfile
import time
from pathlib import Path

import aiohttp
import dcap_qvl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from oracle.errors import ConfigurationError
from oracle.settings import Listen
from oracle.tee.simulator import CollateralTerms, PckCa, Platform, Simulator, SimulatorOptions, TcbStatus, Tee, Verdict

RECORDED = json.loads((Path(__file__).parents[3] / "unit/tee/simulator/dstack_0_6_0.json").read_text())


@pytest.fixture
async def http(simulator):
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(simulator.socket_path))) as session:
        yield session


@pytest.fixture
async def post(http):
    async def run(path: str, body: object = None, data: bytes | None = None) -> tuple[int, dict]:
        async with http.post(f"http://localhost{path}", json=body, data=data) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()

    return run


@pytest.mark.parametrize("path", ["/Info", "/prpc/Tappd.Info"])
async def test_info_has_the_recorded_fields(post, path):
    status, answer = await post(path, {})
    tcb = json.loads(answer["tcb_info"])
    assert status == 200
    assert set(answer) == set(RECORDED["info"])
    assert set(tcb) == set(RECORDED["info"]["tcb_info"])
    assert {name: type(value) for name, value in tcb["event_log"][0].items()} == {
        name: type(value) for name, value in RECORDED["info"]["tcb_info"]["event_log"][0].items()
    }


async def test_a_quote_has_the_recorded_fields(post):
    status, answer = await post("/GetQuote", {"report_data": "ab" * 32})
    assert (status, set(answer)) == (200, set(RECORDED["quote"]))
    assert answer["report_data"] == RECORDED["quote"]["report_data"]
    assert set(json.loads(answer["vm_config"])) == set(json.loads(RECORDED["quote"]["vm_config"]))


async def test_a_key_has_the_recorded_fields(post):
    status, answer = await post("/GetKey", {"path": "a"})
    assert (status, set(answer)) == (200, set(RECORDED["key"]))
    assert [len(one) for one in answer["signature_chain"]] == [len(one) for one in RECORDED["key"]["signature_chain"]]


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("/GetQuote", {"report_data": "00" * 65}, 400, "Report data is too long"),
        ("/Attest", {"report_data": "00" * 65}, 400, "Report data is too long"),
        ("/GetQuote", {"report_data": "xyz"}, 400, "report_data"),
        ("/GetQuote", {"report_data": 7}, 400, "report_data"),
        ("/GetQuote", [], 400, "object"),
        ("/GetKey", {"algorithm": "rsa"}, 400, "Unsupported algorithm"),
        ("/GetTlsKey", {"not_before": 9, "not_after": 8}, 400, "not_before must be earlier than not_after"),
        ("/GetTlsKey", {"not_after": 2**60}, 400, "9999"),
        ("/GetTlsKey", {"subject": "x" * 65}, 400, "no certificate can say that"),
        ("/GetTlsKey", {"alt_names": ["ü"]}, 400, "no certificate can say that"),
        ("/EmitEvent", {"event": ""}, 400, "128 bytes"),
        ("/prpc/Tappd.RawQuote", {"report_data": "00"}, 400, "invalid content length"),
        ("/prpc/Tappd.TdxQuote", {"hash_algorithm": "md5"}, 400, "invalid hash algorithm"),
        ("/Nothing", {}, 404, "Service not found: Nothing"),
        ("/prpc/GetQuote", {}, 404, "Service not found"),
    ],
)
async def test_a_refusal_is_one_sentence_in_json(post, path, body, status, reason):
    answered, answer = await post(path, body)
    assert (answered, list(answer)) == (status, ["error"])
    assert reason in answer["error"]


async def test_what_is_no_json_is_refused(post):
    assert (await post("/Info", data=b"{" * 10_000))[0] == 400


async def test_a_body_beyond_the_limit_is_refused(post):
    status, answer = await post("/EmitEvent", {"event": "x", "payload": "00" * 40_000})
    assert (status, answer) == (413, {"error": "a request has up to 65,536 bytes"})


async def test_an_empty_body_means_defaults(post):
    status, answer = await post("/GetQuote", data=b"")
    assert (status, answer["report_data"]) == (200, "00" * 64)


async def test_methods_are_post_alone(http):
    async with http.get("http://localhost/Info") as answer:
        assert (answer.status, await answer.json()) == (405, {"error": "use POST with a JSON object"})


async def test_the_other_methods_are_answered(post):
    assert await post("/GpuInfo", {}) == (200, {"attestation": ""})
    assert (await post("/Version", {}))[1]["version"] == (await post("/prpc/Tappd.Version", {}))[1]["version"]
    status, answer = await post("/prpc/Tappd.DeriveK256Key", {"path": "a"})
    assert (status, set(answer)) == (200, {"k256_key", "k256_signature_chain"})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tdx/certification/v4/tcb?fmspc=B0C06F000000", 404),
        ("/tdx/certification/v4/tcb", 404),
        ("/sgx/certification/v4/pckcrl?ca=other", 400),
        ("/tdx/certification/v3/tcb?fmspc=7E57C0DE0000", 404),
    ],
)
async def test_the_service_refuses_what_it_does_not_know(simulator, path, status):
    async with aiohttp.ClientSession() as session, session.get(simulator.pccs_url + path) as answer:
        assert answer.status == status


@pytest.mark.parametrize("ca", PckCa)
async def test_each_ca_has_its_revocation_list(simulator, ca):
    url = f"{simulator.pccs_url}/sgx/certification/v4/pckcrl?ca={ca}&encoding="
    async with aiohttp.ClientSession() as session:
        async with session.get(url + "der") as answer:
            crl = x509.load_der_x509_crl(await answer.read())
        async with session.get(url + "pem") as answer:
            assert bytes.fromhex(await answer.text())
    assert crl.is_signature_valid(simulator.pki.pck_cas[ca].key.private.public_key())


@pytest.mark.parametrize("ca", PckCa)
async def test_collateral_of_both_kinds_of_platform_can_be_fetched(ca):
    async with Simulator(SimulatorOptions(platform=Platform(pck_ca=ca))) as simulator:
        quote = simulator.quote(b"")
        collateral = await dcap_qvl.get_collateral(simulator.pccs_url, quote)
        assert dcap_qvl.verify_with_root_ca(quote, collateral, simulator.root_der, int(time.time())).status == "UpToDate"


async def test_what_the_service_says_can_change_while_it_runs(simulator):
    simulator.terms = CollateralTerms(verdict=Verdict(TcbStatus.SW_HARDENING_NEEDED, ("INTEL-SA-00001",)))
    quote = simulator.quote(b"")
    collateral = await dcap_qvl.get_collateral(simulator.pccs_url, quote)
    verified = dcap_qvl.verify_with_root_ca(quote, collateral, simulator.root_der, int(time.time()))
    assert (verified.status, verified.advisory_ids) == ("SWHardeningNeeded", ["INTEL-SA-00001"])


async def test_the_service_keeps_the_clock_it_is_given():
    async with Simulator(SimulatorOptions(clock=lambda: 1_600_000_000)) as simulator:
        quote = simulator.quote(b"")
        collateral = await dcap_qvl.get_collateral(simulator.pccs_url, quote)
        assert dcap_qvl.verify_with_root_ca(quote, collateral, simulator.root_der, 1_600_000_000).status == "UpToDate"
        assert json.loads(simulator.collateral(tee=Tee.SGX).tcb_info)["issueDate"] == "2020-09-13T11:26:40Z"


async def test_the_root_is_written_and_its_socket_is_for_its_user_alone(tmp_path):
    root, path = tmp_path / "root.crt", tmp_path / "dstack.sock"
    async with Simulator(SimulatorOptions(root_out=root, socket_path=path)) as simulator:
        assert x509.load_pem_x509_certificate(root.read_bytes()).public_bytes(Encoding.DER) == simulator.root_der
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
    assert root.exists()


async def test_what_was_made_for_a_run_goes_with_it():
    async with Simulator() as simulator:
        directory = simulator.socket_path.parent
        assert {path.name for path in directory.iterdir()} == {"dstack.sock", "test-root.pem"}
    assert not directory.exists()


async def test_temporary_directories_with_long_paths_leave_room_for_a_socket(tmp_path, monkeypatch):
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    async with Simulator() as simulator:
        assert simulator.socket_path.is_socket()
    assert list(deep.iterdir()) == []
    assert not simulator.socket_path.parent.exists()


async def test_a_socket_left_by_a_killed_run_is_replaced(tmp_path):
    path = tmp_path / "dstack.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    async with Simulator(SimulatorOptions(socket_path=path)):
        _reader, writer = await asyncio.open_unix_connection(path)
        writer.close()
        await writer.wait_closed()


async def test_what_cannot_be_had_is_refused_by_the_name_of_its_option(tmp_path, simulator):
    (tmp_path / "file").write_text("kept")
    port = int(simulator.pccs_url.rpartition(":")[2])
    cases = {
        "--socket=.*in use, or no socket": SimulatorOptions(socket_path=tmp_path / "file"),
        "--socket=.*in use": SimulatorOptions(socket_path=simulator.socket_path),
        "--socket=.*107 bytes": SimulatorOptions(socket_path=tmp_path / ("x" * 108)),
        "--socket=.*No such file": SimulatorOptions(socket_path=tmp_path / "none" / "dstack.sock"),
        "--listen=127.0.0.1.*name another HOST:PORT": SimulatorOptions(listen=Listen("127.0.0.1", port)),
        "--pccs=127.0.0.1.*name another HOST:PORT": SimulatorOptions(pccs=Listen("127.0.0.1", port)),
        "--root-out=": SimulatorOptions(root_out=tmp_path),
    }
    for reason, options in cases.items():
        with pytest.raises(ConfigurationError, match=reason):
            async with Simulator(options):
                pass
    assert (tmp_path / "file").read_text() == "kept"
