"""`oracle tee simulate` as a process: it says what to set, serves, and ends with a signal."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import dcap_qvl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from dstack_sdk import DstackClient

from oracle.cli.group import run_command
from oracle.tee.simulator import Platform, Secrets, make_pki


@contextmanager
def running(cwd, *arguments: str):
    command = [sys.executable, "-m", "oracle", "tee", "simulate", *arguments]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_serves_what_it_says_and_a_signal_ends_it(tmp_path, number, code):
    compose = tmp_path / "app-compose.json"
    compose.write_text('{"name":"app","no_instance_id":true}')
    with running(
        tmp_path, "--json", "--socket", "d.sock", "--root-out", "root.crt", "--app-compose", compose.name, "--seed", "a"
    ) as process:
        told = json.loads(process.stdout.readline())
        environment = told["environment"]
        client = DstackClient(environment["DSTACK_SIMULATOR_ENDPOINT"])
        quote = client.get_quote(b"x").decode_quote()
        info = client.info()
        client.async_client._get_sync_client().close()
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)
    assert (process.returncode, json.loads(rest), told["instance_id"]) == (code, {"event": "stopped"}, "")
    assert "TEST ONLY" in errors
    assert "Traceback" not in errors
    assert told["measurements"]["rtmr3"] == dcap_qvl.Quote.parse(quote).report.rt_mr3.hex() == info.tcb_info.rtmr3
    assert (told["app_id"], told["compose_hash"]) == (info.app_id, info.compose_hash)
    root = x509.load_pem_x509_certificate(Path(environment["TEE_ROOT_CA"]).read_bytes())
    assert root.public_bytes(Encoding.DER).hex() == told["root_ca_der_hex"]
    assert told["root_ca_der_hex"] == make_pki(Secrets.from_text("a"), Platform()).root_der.hex()
    assert not (tmp_path / "d.sock").exists()


def test_it_tells_people_what_to_set(tmp_path):
    with running(tmp_path) as process:
        lines = []
        while not lines or not lines[-1].startswith("Ctrl-C"):
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    exported = [line.split()[1].partition("=")[0] for line in lines if line.startswith("  export ")]
    assert exported == ["DSTACK_SIMULATOR_ENDPOINT", "TAPPD_SIMULATOR_ENDPOINT", "PCCS_URL", "TEE_ROOT_CA"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--pccs", "nowhere"], "is not HOST:PORT"),
        (["--app-compose", "none.json"], "cannot be read"),
        (["--socket", "."], "name another path"),
        (["--quote-version", "6"], "--quote-version"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_a_sentence(tmp_path, monkeypatch, capsys, arguments, reason):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("oracle.cli.tee.simulate.start_with", lambda _kind: None)  # logging of this process stays as it is
    assert run_command(["tee", "simulate", *arguments]) == 2
    assert reason in capsys.readouterr().err


def test_a_command_of_the_group_that_does_not_exist_is_wrong_usage(capsys):
    assert run_command(["tee", "nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err
