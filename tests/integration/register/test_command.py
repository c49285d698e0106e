import json
import subprocess
import sys

import pytest

from register.telling import Step
from tests.integration.register.conftest import NOWHERE


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


async def test_a_program_is_told_why_it_ended_with_the_values_to_approve(stage, register_worker):
    code, lines, err = await register_worker("--json")
    told = json.loads(lines[-1])
    assert (code, told["step"], told["exit_code"]) == (1, "ended", "1")
    assert stage.measurements.items() <= told.items()
    assert told["sentence"] in err
    code, lines, _ = await register_worker("--check", "--json", DSTACK_SIMULATOR_ENDPOINT="/nowhere.sock")
    assert (code, [json.loads(line)["exit_code"] for line in lines]) == (75, ["75"])


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
