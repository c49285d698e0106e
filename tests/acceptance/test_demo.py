"""`oracle demo` as a user runs it: a process, its output, its exit code, and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys

import pytest


@pytest.fixture
def environment(tmp_path):
    """Nothing of the caller's settings; temporary files where the test sees them. A setting that must not matter is there to show it."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "NEAR_RPC_URL": "http://127.0.0.1:9",
        "ORACLE_HOME": "/proc",
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    home = tmp_path_factory.mktemp("demo")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "oracle", "demo", "--json"], capture_output=True, env=environment, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert list(home.glob("near-compute-oracle*")) == []
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_last_line_is_a_summary_of_every_request(told):
    summary = told[-1]
    assert (summary["event"], summary["ok"]) == ("summary", True)
    assert [request["request_id"] for request in summary["requests"]] == [0, 1, 2, 3, 4]
    assert set(summary["requests"][0]) == {
        "request_id", "status", "output", "error", "instructions", "time_ms", "charged_yocto", "refunded_yocto", "transaction_hash",
    }  # fmt: skip


def test_answers_are_right_and_failures_say_why(told):
    words, digest, loop, memory, wrong_hash = told[-1]["requests"]
    assert json.loads(words["output"])["words"] == 8
    assert digest["output"].strip() == "d8fe93fdceb58393f9b75cc69c7ce9fa10512c4dea20ba7294bcd74f2ef95fb1"  # sha256sum's answer
    assert (loop["output"], loop["instructions"]) == (None, 50_000_000)
    assert "out of instructions" in loop["error"]
    assert "memory" in memory["error"]
    assert "sha256" in wrong_hash["error"]


def test_price_and_refund_add_up_to_the_deposit(told):
    deposits = [int(line["deposit_yocto"]) for line in told if line["event"] == "asked"]
    for request, deposit in zip(told[-1]["requests"], deposits, strict=True):
        assert int(request["charged_yocto"]) + int(request["refunded_yocto"]) == deposit


def test_a_failed_run_costs_the_base_fee(told):
    assert {request["charged_yocto"] for request in told[-1]["requests"] if request["output"] is None} == {str(10**21)}


def test_every_part_is_told_as_it_is_ready(told):
    kinds = [line["event"] for line in told]
    assert kinds[:5] == ["begin", "chain_ready", "contract_ready", "contract_ready", "worker_ready"]
    assert kinds[5:-1] == ["asked", "answered"] * 5


@pytest.fixture
def kept(environment):
    """A demonstration that goes on running, and the lines it told; ended and judged by the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "oracle", "demo", "--keep"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True,
        start_new_session=True,
    )  # fmt: skip
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if lines[-1] == "oracle doctor":
            break
    yield process, lines
    if process.poll() is None:
        process.terminate()
        process.communicate(timeout=30)


def test_kept_running_it_answers_the_commands_it_tells(kept, environment, tmp_path):
    _, lines = kept
    source, *commands = lines[-4:]
    assert source.startswith(f". {tmp_path}")
    (environment_file,) = tmp_path.glob("near-compute-oracle-demo-*/environment")
    assert environment_file.stat().st_mode & 0o777 == 0o600

    def told(command: str) -> str:
        in_shell = ["sh", "-c", f"{source}\n{command}"]
        done = subprocess.run(in_shell, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    ask, show, doctor = commands
    assert told(ask) == "hello\n"
    assert "contract   succeeded" in told(show)
    assert "operator: worker.test.near has" in told(doctor)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGHUP, 130)])
def test_kept_running_it_ends_cleanly_when_told_to(kept, tmp_path, number, code):
    process, _ = kept
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (code, "")
    assert list(tmp_path.glob("near-compute-oracle*")) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
