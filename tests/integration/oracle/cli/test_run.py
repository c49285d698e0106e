import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oracle.build import has_ziglang
from tests.acceptance.harness import World
from tests.integration.oracle.cli.node import key_of


@pytest.fixture
def environment(settings, tmp_path):
    settings.setenv("OPERATOR_ACCOUNT_ID", "operator.test.near")
    settings.setenv("OPERATOR_PRIVATE_KEY", key_of("operator"))
    settings.setenv("API_LISTEN", "127.0.0.1:0")
    return settings


class Running:
    """`oracle run` with its log in a file."""

    def __init__(self, log_file, *arguments: str) -> None:
        self.log_file = log_file
        with log_file.open("wb") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "oracle", "run", *arguments], stdout=log, stderr=subprocess.STDOUT)

    def until(self, word: str) -> str:
        deadline = time.monotonic() + 30
        while word not in (text := self.log_file.read_text()):
            assert self.process.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.02)
        return text

    def ended(self) -> tuple[int, str]:
        try:
            return self.process.wait(20), self.log_file.read_text()
        finally:
            self.process.kill()


def oracle_as(environment: dict[str, str], cwd, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oracle", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, cwd=cwd, check=False, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)])
def test_a_chain_that_is_not_there_is_waited_for_and_a_signal_ends_the_wait(environment, tmp_path, number, code):
    environment.setenv("NEAR_RPC_URL", "http://127.0.0.1:9/hunter2hunter2")
    worker = Running(tmp_path / "log", "--json")
    worker.until("waiting_for_chain")
    worker.process.send_signal(number)
    ended, log = worker.ended()
    assert ended == code
    assert "Traceback" not in log
    assert "hunter2" not in log


def test_bad_settings_stop_the_start_with_a_line_each(environment, tmp_path):
    environment.setenv("WORKER_CONCURRENCY", "0")
    environment.setenv("OPERATOR_PRIVATE_KEY", "ed25519:hunter2hunter2")
    code, log = Running(tmp_path / "log").ended()
    assert code == 2
    assert [line.split("=")[0].split(":")[1].strip() for line in log.splitlines()] == ["OPERATOR_PRIVATE_KEY", "WORKER_CONCURRENCY"]
    assert "hunter2" not in log


def test_another_chain_than_the_settings_name_stops_the_start(environment, node, tmp_path):
    node.chain_id = "mainnet"
    code, log = Running(tmp_path / "log").ended()
    assert code == 2
    assert "NEAR_NETWORK_ID='localnet'" in log


def test_an_interface_that_cannot_be_had_stops_the_start(environment, node, tmp_path):
    node.views["extend_execution"] = None
    node.views["get_pending_request_ids"] = []
    environment.setenv("API_LISTEN", f"127.0.0.1:{node.url.rpartition(':')[2]}")
    code, log = Running(tmp_path / "log").ended()
    assert code == 2
    assert "set another HOST:PORT" in log
    assert "Traceback" not in log


def test_a_second_worker_on_the_same_jobs_is_refused(environment, node, tmp_path):
    environment.setenv("NEAR_RPC_URL", "http://127.0.0.1:9")
    first = Running(tmp_path / "first")
    first.until("waiting_for_chain")
    code, log = Running(tmp_path / "second").ended()
    first.process.terminate()
    assert first.ended()[0] == 0
    assert code == 2
    assert "DATABASE_URL" in log


async def test_a_request_from_the_command_line_is_answered_and_shown_and_the_worker_stops_cleanly(tmp_path):
    async with World(tmp_path) as world:
        (alice,) = await world.add_people(1)
        world.start_worker()
        settings = {
            **world.settings(),
            "ORACLE_HOME": str(world.worker.home),
            "NEAR_ACCOUNT_ID": alice.account_id,
            "NEAR_ACCOUNT_PRIVATE_KEY": alice.secret_key,
        }

        async def oracle(*arguments: str) -> subprocess.CompletedProcess[str]:
            return await asyncio.to_thread(oracle_as, settings, tmp_path, *arguments)

        answered = await oracle("request", "echo", "--input", "hello", "--json")
        told = json.loads(answered.stdout)
        assert (answered.returncode, told["status"], told["output"]) == (0, "succeeded", "hello")
        assert int(told["charged_yocto"]) + int(told["refunded_yocto"]) == 7_000_100_000_000_000_000_000
        shown = json.loads((await oracle("show", str(told["request_id"]), "--json")).stdout)
        assert shown["chain"]["charged_yocto"] == told["charged_yocto"]
        assert shown["job"]["answer"]["instructions"] == told["instructions"]
        for beyond in (("--deposit", "0.007"), ("--max-instructions", "100000000001"), ("--max-seconds", "61")):
            unsent = await oracle("request", "echo", *beyond)
            assert (unsent.returncode, "Sent" in unsent.stderr) == (2, False)
        refused = await oracle("request", "alice.test.near/nothing", "--project")
        assert refused.returncode == 1
        assert "the transaction failed: " in refused.stderr
        doctor = await oracle("doctor", "--json")
        assert doctor.returncode == 0, doctor.stdout
        assert world.worker.get("/health")["answered"] == {"success": 1, "failure": 0}
        assert world.worker.stop() == 0


@pytest.fixture
def repository(tmp_path) -> tuple[Path, str]:
    """A repository of one main.c, and its commit."""
    path = tmp_path / "repository"
    path.mkdir()
    (path / "main.c").write_text('#include <stdio.h>\nint main(void) { puts("built here"); return 0; }\n')
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "x"]):
        subprocess.run([*git, *arguments], cwd=path, check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], cwd=path, check=True, capture_output=True, text=True).stdout.strip()
    return path, commit


@pytest.mark.skipif(not has_ziglang() and os.environ.get("CI") != "true", reason="the extra `build` is not installed")
async def test_a_repository_is_built_run_and_billed_on_the_local_chain(repository, tmp_path, request):
    path, commit = repository
    async with World(tmp_path, worker_settings={"BUILD_BACKEND": "none"}) as world:
        (alice,) = await world.add_people(1)
        cache = tmp_path / "worker" / "cache"
        cache.mkdir(parents=True)
        (cache / "build").symlink_to(request.config.cache.mkdir("zig-builds"))  # libc is built once, not once a test
        world.start_worker()
        settings = {**world.settings(), "NEAR_ACCOUNT_ID": alice.account_id, "NEAR_ACCOUNT_PRIVATE_KEY": alice.secret_key}
        ask = ("request", path.as_uri(), "--commit", commit, "--deposit", "0.1", "--json")
        first = json.loads((await asyncio.to_thread(oracle_as, settings, tmp_path, *ask)).stdout)
        assert (first["status"], first["output"]) == ("succeeded", "built here\n")
        assert first["compile_time_ms"] > 0
        again = json.loads((await asyncio.to_thread(oracle_as, settings, tmp_path, *ask)).stdout)
        assert (again["status"], again["compile_time_ms"]) == ("succeeded", None)
        assert int(again["charged_yocto"]) < int(first["charged_yocto"])
        assert world.worker.stop() == 0
