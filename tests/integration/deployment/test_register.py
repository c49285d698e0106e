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
from oracle.model import Measurements
from oracle.tee.simulator import Simulator, SimulatorOptions
from register.approval import approval_commands
from tests.integration.oracle.cli.node import Node

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
            return subprocess.run(command, cwd=self.directory, capture_output=True, text=True, timeout=60, check=False)

    def deploy(self, *options: object) -> subprocess.CompletedProcess[str]:
        return self.call("deploy-register.py", self.key_file(OPERATOR), *(options or DEPLOY))

    def approve(self, *options: object) -> subprocess.CompletedProcess[str]:
        return self.call("approve-measurements.py", OPERATOR, "--key-file", self.key_file(OWNER), *(options or self.from_file))

    @property
    def from_file(self) -> tuple[object, ...]:
        return ("--file", self.directory / "m.json")

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
    """By the line that `register-worker` prints, where the owner's key file lies, and by file."""
    stage.deploy()
    measurements = Measurements(*map(bytes.fromhex, FIVE.values()))
    _, printed = approval_commands(measurements, register_account_id=OPERATOR, owner_id=OWNER, network_id="testnet")
    script, contract, *options = shlex.split(printed)
    assert (script, contract) == ("scripts/approve-measurements.py", OPERATOR)
    named = (options, stage.from_file)
    told = [stage.approve(*options).stdout for options in (*named, (*stage.from_file, "--remove"), (*stage.from_file, "--remove"))]
    assert [line.partition(": ")[2] for line in told] == [
        "approved\n",
        "nothing to do, they were approved before\n",
        "removed\n",
        "nothing to do, they were removed before\n",
    ]
    with stage.chain:
        assert stage.view("get_approved_measurements") == []


@pytest.mark.parametrize(
    ("options", "told"),
    [((), "mrtd is missing"), (("--mrtd", "ab"), "mrtd is missing or not 96"), (("--file", "m.json", "--rtmr3", "ab"), "named twice")],
)
def test_measurements_that_are_not_five_are_refused(options, told):
    command = [sys.executable, str(SCRIPTS / "approve-measurements.py"), OPERATOR, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, told in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_who_is_not_the_owner_is_told(stage):
    stage.deploy()
    key_file = stage.key_file(OPERATOR)
    done = stage.call("approve-measurements.py", OPERATOR, *stage.from_file, "--key-file", key_file)
    assert done.returncode == 1
    assert OWNER in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_sends_nothing_and_prints_the_call_for_near_cli(stage):
    stage.deploy()
    done = stage.approve(*stage.from_file, "--dry-run")
    near, call, contract, method, arguments, *rest = shlex.split(done.stdout)
    assert (near, call, contract, method, json.loads(arguments)) == ("near", "call", OPERATOR, "add_approved_measurements", FIVE)
    assert rest == ["--useAccount", OWNER, "--deposit", "0.01", "--networkId", "custom"]
    with stage.chain:
        assert stage.view("get_approved_measurements") == []


def dry_run(*options):
    registers = [word for name, value in FIVE.items() for word in (f"--{name}", value)]
    command = [sys.executable, str(SCRIPTS / "approve-measurements.py"), OPERATOR, *registers, "--dry-run", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("chain_id", "network"), [("mainnet", "mainnet"), ("testnet", "testnet"), ("localnet", "custom")])
def test_a_dry_run_names_the_network_of_the_node(chain_id, network):
    with Node() as node:
        node.chain_id = chain_id
        done = dry_run("--rpc-url", node.url)
    assert (done.stderr, shlex.split(done.stdout)[-2:]) == ("", ["--networkId", network])


def test_a_dry_run_needs_no_local_chain_that_runs_and_is_told_the_network_where_no_other_node_answers():
    assert shlex.split(dry_run("--rpc-url", "http://127.0.0.1:1").stdout)[-1] == "custom"
    done = dry_run("--rpc-url", "http://nowhere.invalid:1")
    assert (done.returncode, "--network" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
    assert shlex.split(dry_run("--network", "mainnet").stdout)[-1] == "mainnet"


def test_a_key_that_is_none_is_refused_without_showing_it(stage):
    stage.key_file(OPERATOR).write_text('{"account_id": "a.near", "private_key": "ed25519:hunter2hunter2"}')
    done = stage.deploy()
    assert (done.returncode, "hunter2" in done.stderr, "Traceback" in done.stderr) == (1, False, False)


def test_without_a_node_the_mend_is_named(stage):
    script, key_file = SCRIPTS / "deploy-register.py", stage.key_file(OPERATOR)
    command = [sys.executable, str(script), str(key_file), *DEPLOY, "--rpc-url", "http://127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "--rpc-url" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
