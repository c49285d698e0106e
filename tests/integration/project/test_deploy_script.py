"""`scripts/deploy-outlayer.py` as it is called, on a chain over HTTP."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from localnet import NEAR, Chain
from localnet.server import ServerThread
from localnet.values.errors import ViewFailed

SCRIPT = Path(__file__).parents[3] / "scripts" / "deploy-outlayer.py"


@pytest.fixture
def deploy(tmp_path):
    """Call the script for an account with so much money; exit code, stdout, stderr, and what the contract says of itself afterwards."""

    def call(*, balance_near: int = 100, times: int = 1):
        chain = Chain()
        account = chain.root.create_account("outlayer.test.near", balance_yocto=balance_near * NEAR)
        key_file = tmp_path / "key.json"
        key_file.write_text(json.dumps({"account_id": account.account_id, "private_key": account.key.secret_key}))
        with ServerThread(chain) as server:
            command = [sys.executable, str(SCRIPT), str(key_file), "--operator", "worker.test.near", "--rpc-url", server.rpc_url]
            for _ in range(times):
                done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done, chain

    return call


def test_it_makes_the_account_the_main_contract(deploy):
    done, chain = deploy()
    assert (done.returncode, done.stderr) == (0, "")
    with chain:
        assert json.loads(chain.view("outlayer.test.near", "get_config").value) == ["worker.test.near", "worker.test.near"]


def test_a_contract_that_is_there_already_is_not_started_anew(deploy):
    done, _ = deploy(times=2)
    assert done.returncode == 1
    assert "already been initialized" in done.stderr


def test_an_account_too_poor_for_the_code_is_told_and_left_as_it_was(deploy):
    done, chain = deploy(balance_near=2)
    assert done.returncode == 1
    assert "LackBalanceForState" in done.stderr
    with chain, pytest.raises(ViewFailed, match="CodeDoesNotExist"):
        chain.view("outlayer.test.near", "get_config")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"account_id": "a.near", "private_key": "ed25519:hunter2hunter2"}'])
def test_a_key_file_of_another_shape_is_refused_without_showing_it(tmp_path, content):
    (tmp_path / "key.json").write_text(content)
    command = [sys.executable, str(SCRIPT), str(tmp_path / "key.json"), "--operator", "worker.test.near"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "key.json" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
