"""`scripts/deploy-register.py` and `scripts/approve-measurements.py` as they are called, on a chain over HTTP."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from localnet import NEAR, Chain
from localnet.server import ServerThread
from localnet.values.errors import ViewFailed
from oracle.tee.simulator import Simulator, SimulatorOptions

SCRIPTS = Path(__file__).parents[3] / "scripts"
OPERATOR, OWNER, MAIN = "operator.test.near", "owner.test.near", "outlayer.test.near"
FIVE = {name: f"{index:02d}" * 48 for index, name in enumerate(("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"))}
DEPLOY = ("--owner", OWNER, "--outlayer", MAIN)


class Stage:
    def __init__(self, directory: Path) -> None:
        self.directory, self.chain = directory, Chain()
        for account_id in (OPERATOR, OWNER):
            account = self.chain.root.create_account(account_id, balance_yocto=50 * NEAR)
            self.key_file(account_id).write_text(json.dumps({"account_id": account_id, "private_key": account.key.secret_key}))
        (directory / "m.json").write_text(json.dumps(FIVE))

    def key_file(self, account_id: str) -> Path:
        return self.directory / f"{account_id}.json"

    def call(self, script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        with ServerThread(self.chain) as server:
            command = [sys.executable, str(SCRIPTS / script), *map(str, arguments), "--rpc-url", server.rpc_url]
            return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def deploy(self, *options: object) -> subprocess.CompletedProcess[str]:
        return self.call("deploy-register.py", self.key_file(OPERATOR), *(options or DEPLOY))

    def approve(self, *options: object) -> subprocess.CompletedProcess[str]:
        return self.call(
            "approve-measurements.py", self.directory / "m.json", "--contract", OPERATOR, "--key-file", self.key_file(OWNER), *options
        )

    def view(self, method: str) -> object:
        return json.loads(self.chain.view(OPERATOR, method, {}).value)

    def keys(self) -> list[object]:
        return list(self.chain.access_keys(OPERATOR))


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def test_it_makes_the_account_a_register_contract_with_intels_root(stage):
    done = stage.deploy()
    assert (done.returncode, done.stderr) == (0, "")
    assert "its root is Intel's" in done.stdout
    with stage.chain:
        config = stage.view("get_config")
        assert (config["owner_id"], config["outlayer_contract_id"]) == (OWNER, MAIN)
        assert len(stage.keys()) == 1


def test_locked_the_account_has_no_key_and_the_owner_still_approves(stage):
    done = stage.deploy(*DEPLOY, "--lock")
    assert (done.returncode, done.stderr) == (0, "")
    assert "taken off the account: ed25519:" in done.stdout
    assert stage.approve().returncode == 0
    with stage.chain:
        assert stage.keys() == []
        assert stage.view("get_approved_measurements") == [FIVE]


def test_an_account_whose_contract_does_not_start_keeps_its_keys(stage):
    assert stage.deploy().returncode == 0
    done = stage.deploy(*DEPLOY, "--lock")
    assert done.returncode == 1
    assert "already been initialized" in done.stderr
    with stage.chain:
        assert len(stage.keys()) == 1


def test_an_account_that_would_own_itself_is_not_locked(stage):
    done = stage.deploy("--owner", OPERATOR, "--outlayer", MAIN, "--lock")
    assert (done.returncode, "name another --owner" in done.stderr) == (1, True)
    with stage.chain, pytest.raises(ViewFailed, match="CodeDoesNotExist"):
        stage.view("get_config")


def test_a_test_root_is_put_in_and_said_to_be_one(stage):
    root_der = Simulator(SimulatorOptions(seed="deployment")).root_der
    (stage.directory / "root.crt").write_bytes(load_der_x509_certificate(root_der).public_bytes(Encoding.PEM))
    done = stage.deploy(*DEPLOY, "--root-ca", stage.directory / "root.crt")
    assert (done.returncode, "is a test" in done.stdout) == (0, True)
    with stage.chain:
        assert root_der.hex() in json.dumps(stage.view("get_root"))


def test_what_is_no_certificate_is_refused(stage):
    (stage.directory / "root.crt").write_text("no")
    done = stage.deploy(*DEPLOY, "--root-ca", stage.directory / "root.crt")
    assert (done.returncode, "no X.509 certificate" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_measurements_are_approved_once_and_removed_once(stage):
    stage.deploy()
    told = [stage.approve(*options).stdout for options in ((), (), ("--remove",), ("--remove",))]
    assert [line.partition(": ")[2] for line in told] == [
        "approved\n",
        "nothing to do, they were approved before\n",
        "removed\n",
        "nothing to do, they were removed before\n",
    ]
    with stage.chain:
        assert stage.view("get_approved_measurements") == []


def test_who_is_not_the_owner_is_told(stage):
    stage.deploy()
    key_file = stage.key_file(OPERATOR)
    done = stage.call("approve-measurements.py", stage.directory / "m.json", "--contract", OPERATOR, "--key-file", key_file)
    assert done.returncode == 1
    assert OWNER in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_sends_nothing_and_prints_the_call_for_near_cli(stage):
    stage.deploy()
    done = stage.approve("--dry-run")
    words = shlex.split(done.stdout)
    assert words[:6] == ["near", "contract", "call-function", "as-transaction", OPERATOR, "add_approved_measurements"]
    assert json.loads(words[7]) == FIVE
    assert words[-4:] == ["sign-as", OWNER, "network-config", "testnet"]
    with stage.chain:
        assert stage.view("get_approved_measurements") == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"account_id": "a.near", "private_key": "ed25519:hunter2hunter2"}'])
def test_a_key_file_of_another_shape_is_refused_without_showing_it(stage, content):
    stage.key_file(OPERATOR).write_text(content)
    done = stage.deploy()
    assert (done.returncode, "hunter2" in done.stderr, "Traceback" in done.stderr) == (1, False, False)


def test_without_a_node_the_mend_is_named(stage):
    script, key_file = SCRIPTS / "deploy-register.py", stage.key_file(OPERATOR)
    command = [sys.executable, str(script), str(key_file), *DEPLOY, "--rpc-url", "http://127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "--rpc-url" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
