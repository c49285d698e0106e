import json
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest

from oracle.ports import Latencies, WorkerSnapshot
from oracle.settings import Listen
from oracle.status import StatusServer
from oracle.tee.collateral import moment
from oracle.testing.jobs import MemoryJobs
from register.telling import Step
from tests.integration.register.conftest import NOWHERE, REGISTER


async def test_it_tries_registers_skips_and_looks(stage, register_worker):
    stage.approve()
    code, lines, _ = await register_worker("--dry-run")
    assert (code, [line.split()[0] for line in lines]) == (0, [*list(Step)[:5], "ready"])
    assert stage.view("list_workers") == []
    assert (await register_worker("--check"))[0] == 1
    code, lines, _ = await register_worker("--json")
    told = [json.loads(line) for line in lines]
    assert (code, [step["step"] for step in told]) == (0, [*list(Step)[:5], "notice", *list(Step)[5:], "released"])
    (worker,) = stage.view("list_workers")
    assert told[-2]["public_key"] == told[-1]["public_key"] == worker["public_key"]
    assert told[-3]["rtmr3"] == stage.measurements["rtmr3"]
    assert (await register_worker("--check"))[0] == 0
    code, lines, _ = await register_worker()
    assert (code, lines[-1].split()[:2]) == (0, ["skipped", worker["public_key"]])
    assert "no worker answers at 127.0.0.1:0, so whether anybody holds that key is not known" in lines[-1]
    assert len(stage.view("list_workers")) == 1
    assert (await register_worker("--force"))[0] == 0
    assert len(stage.view("list_workers")) == 2


async def test_a_registration_that_is_about_to_end_is_not_skipped_and_one_that_has_ended_is_none(stage, register_worker):
    stage.approve()
    stage.own("set_policy", registration_lifetime_seconds="3600")
    await register_worker()
    stage.chain.advance_time(3_000)
    assert (await register_worker("--check"))[0] == 0
    assert (await register_worker())[1][-1].startswith("released")
    stage.chain.advance_time(3_700)
    assert (await register_worker("--check"))[0] == 1


async def test_it_says_before_and_after_that_nobody_holds_the_key(stage, register_worker):
    stage.approve()
    _, lines, _ = await register_worker()
    (worker,) = stage.view("list_workers")
    (before,), (after,) = ([line for line in lines if line.startswith(step)] for step in ("notice", "released"))
    assert "the key made for this ends with this command" in before
    assert "`oracle run` makes and registers a key of its own" in before
    until = moment(int(worker["expires_at"]) // 10**9)
    assert f"{worker['public_key']} ends with this command and answers for nobody. It stays on {REGISTER} until {until}" in after
    assert "revoke_worker" in after


@asynccontextmanager
async def worker_here(public_key):
    """The interface of a worker on this machine that answers with a key."""
    snapshot = WorkerSnapshot(1, 1, {}, 0, 0, 0, None, None, None, Latencies((), (0,), 0.0))
    about = {} if public_key is None else {"public_key": public_key}
    async with StatusServer(Listen("127.0.0.1", 0), MemoryJobs(), lambda: snapshot, about) as server:
        yield {"API_LISTEN": str(server.address)}


async def test_the_key_that_the_worker_here_answers_with_is_the_one_that_is_looked_at(stage, register_worker):
    stage.approve()
    key = stage.key()
    async with worker_here(key.public_key) as here:
        code, lines, _ = await register_worker("--check", **here)
        assert (code, f"the key {key.public_key}, which the worker at {here['API_LISTEN']} answers with, has no" in lines[-1]) == (1, True)
        await register_worker("--force", **here)  # of the same RTMR3, and held by nobody
        assert (await register_worker("--check", **here))[0] == 1
        assert (await register_worker("--check"))[0] == 0
        async with stage.registrar() as registrar:
            await registrar.register(key)
        for arguments, step in ((("--check", "--json"), "registered"), (("--json",), "skipped")):
            code, lines, _ = await register_worker(*arguments, **here)
            told = json.loads(lines[-1])
            assert (code, told["step"], told["public_key"], told["worker_answers"]) == (0, step, key.public_key, "true")
    assert len(stage.view("list_workers")) == 2


@pytest.mark.parametrize("says", [None, "ed25519:0", "ed25519:" + "1" * 31, "ed25519:" + "1" * 200, "secp256k1:" + "1" * 32])
async def test_a_worker_without_a_key_or_what_is_no_worker_leaves_the_machines_own_registrations(stage, register_worker, says):
    stage.approve()
    async with worker_here(says) as here:
        assert (await register_worker(**here))[0] == 0
        code, lines, _ = await register_worker("--check", **here)
    assert (code, "no worker answers at" in lines[-1]) == (0, True)


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
    code, lines, _ = await register_worker("--json", INIT_ACCOUNT_ID="")
    assert (code, [json.loads(line)["exit_code"] for line in lines]) == (78, ["78"])


@pytest.mark.parametrize(
    ("arguments", "changed", "refusal"),
    [
        ((), {"PCCS_URL": NOWHERE}, (75, "no collateral for tdx-")),
        ((), {"TEE_ROOT_CA": ""}, (1, "Intel's root is trusted: name a simulator's with TEE_ROOT_CA")),
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
    script = "from oracle.cli import register_main; register_main()"
    done = subprocess.run([sys.executable, "-c", script, "--help"], capture_output=True, text=True, timeout=30, check=True)
    assert "Usage: register-worker" in done.stdout
    assert "The key ends with this command" in done.stdout
    for code in ("0 registered", "1 refused", "64 wrong usage", "75 trouble", "78 wrong settings"):
        assert code in done.stdout
