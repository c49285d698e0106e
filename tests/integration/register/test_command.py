import asyncio
import json
import logging
import subprocess
import sys

import pytest
import structlog

from oracle.cli.exits import exit_code_of
from oracle.cli.register_worker import command
from register.telling import Step
from tests.integration.register.conftest import MAIN, REGISTER

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def register_worker(stage, monkeypatch, capsys):
    """Run the command as it is run from a shell: exit code, lines of stdout, stderr."""
    settings = stage.settings
    environment = {
        "ORACLE_HOME": str(settings.oracle_home),
        "NEAR_NETWORK_ID": "localnet",
        "NEAR_RPC_URL": settings.rpc_urls[0],
        "OFFCHAINVM_CONTRACT_ID": MAIN,
        "TEE_MODE": "tdx",
        "REGISTER_CONTRACT_ID": REGISTER,
        "INIT_ACCOUNT_ID": settings.init_account_id,
        "INIT_ACCOUNT_PRIVATE_KEY": stage.payer.key.secret_key,
        "DSTACK_SIMULATOR_ENDPOINT": settings.dstack_simulator_endpoint,
        "PCCS_URL": settings.pccs_url,
        "TEE_ROOT_CA": str(settings.tee_root_ca),
        "TEE_POLICY_FILE": str(settings.tee_policy_file),
    }
    monkeypatch.setattr("oracle.logging._secrets", set())
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    async def run(*arguments, **changed):
        for name, value in (environment | changed).items():
            monkeypatch.setenv(name, value)
        code = await asyncio.to_thread(exit_code_of, command, "register-worker", list(arguments))
        told = capsys.readouterr()
        assert stage.payer.key.secret_key.removeprefix("ed25519:") not in told.out + told.err
        assert "Traceback" not in told.err
        return code, told.out.splitlines(), told.err

    yield run
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


async def test_it_tries_registers_skips_and_looks(stage, register_worker):
    stage.approve()
    code, lines, _ = await register_worker("--dry-run")
    assert (code, [line.split()[0] for line in lines]) == (0, [*list(Step)[:5], "ready"])
    assert stage.view("list_workers") == []
    assert (await register_worker("--check"))[0] == 1
    code, lines, _ = await register_worker("--json")
    told = [json.loads(line) for line in lines]
    assert (code, [step["step"] for step in told]) == (0, list(Step))
    (worker,) = stage.view("list_workers")
    assert told[-1]["public_key"] == worker["public_key"]
    assert told[-2]["rtmr3"] == stage.measurements["rtmr3"]
    assert (await register_worker("--check"))[0] == 0
    code, lines, _ = await register_worker()
    assert (code, lines[-1].split()[:2]) == (0, ["skipped", worker["public_key"]])
    assert len(stage.view("list_workers")) == 1
    assert (await register_worker("--force"))[0] == 0
    assert len(stage.view("list_workers")) == 2


async def test_a_registration_that_is_about_to_end_is_not_skipped_and_one_that_has_ended_is_none(stage, register_worker):
    stage.approve()
    stage.own("set_policy", registration_lifetime_seconds="3600")
    await register_worker()
    stage.chain.advance_time(3_000)
    assert (await register_worker("--check"))[0] == 0
    assert (await register_worker())[1][-1].startswith("authorised")
    stage.chain.advance_time(3_700)
    assert (await register_worker("--check"))[0] == 1


async def test_an_unapproved_machine_is_refused_with_all_five_values(stage, register_worker):
    code, _, err = await register_worker()
    assert code == 1
    assert all(value in err for value in stage.measurements.values())
    assert "add_approved_measurements" in err


@pytest.mark.parametrize(
    ("arguments", "changed", "refusal"),
    [
        ((), {"PCCS_URL": NOWHERE}, (75, "no collateral for tdx-")),
        ((), {"NEAR_RPC_URL": NOWHERE}, (75, "cannot connect")),
        ((), {"DSTACK_SIMULATOR_ENDPOINT": "/nowhere.sock"}, (75, "there is no such socket")),
        (("--check",), {"DSTACK_SIMULATOR_ENDPOINT": "/nowhere.sock"}, (75, "there is no such socket")),
        ((), {"TEE_MODE": "none"}, (78, "TEE_MODE=none: only a worker with TEE_MODE=tdx registers")),
        ((), {"INIT_ACCOUNT_ID": ""}, (78, "INIT_ACCOUNT_ID is not set; wanted: ")),
        ((), {"OFFCHAINVM_CONTRACT_ID": "other.test.near"}, (78, "its keys answer for outlayer.test.near")),
        (("--dry-run", "--check"), {}, (64, "exclude each other")),
        (("--nonsense",), {}, (64, "No such option")),
    ],
)
async def test_each_kind_of_trouble_has_an_exit_code_of_its_own(stage, register_worker, arguments, changed, refusal):
    code, sentence = refusal
    found, _, err = await register_worker(*arguments, **changed)
    assert (found, sentence in err) == (code, True), err
    assert stage.view("list_workers") == []


def test_its_help_explains_the_exit_codes_and_what_becomes_of_the_key():
    script = "from oracle.cli.register_worker import main; main()"
    done = subprocess.run([sys.executable, "-c", script, "--help"], capture_output=True, text=True, timeout=30, check=True)
    assert "Usage: register-worker" in done.stdout
    assert "The key ends with this command" in done.stdout
    for code in ("0 registered", "1 refused", "64 wrong usage", "75 trouble", "78 wrong settings"):
        assert code in done.stdout
