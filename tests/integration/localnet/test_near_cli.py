"""near-cli 4, unmodified, with the settings that docs/localnet.md gives."""

import json
import os
import re
import subprocess

import pytest

from localnet import KeyPair

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def near(served, node_clients, tmp_path_factory):
    """A function that runs the command in a home of its own, where the root account's key is."""
    home = tmp_path_factory.mktemp("home")
    credentials = home / ".near-credentials" / "custom"
    credentials.mkdir(parents=True)
    key = {"account_id": served.root_id, "public_key": str(served.root_key.public_key), "secret_key": served.root_key.secret_key}
    (credentials / f"{served.root_id}.json").write_text(json.dumps(key))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "NEAR_NETWORK": "custom",
        "NEAR_CUSTOM_RPC": served.rpc_url,
        "NEAR_CUSTOM_WALLET": served.rpc_url,
        "NEAR_CUSTOM_HELPER": served.rpc_url,
        "NEAR_CUSTOM_TLA": "near",
        # Its check for updates would go out to the network.
        "NO_UPDATE_NOTIFIER": "1",
        "FORCE_COLOR": "0",
    }

    def run(*arguments, fails=False):
        command = ["node", node_clients / "node_modules" / "near-cli" / "bin" / "near-cli.js", *arguments]
        done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=60, check=False)
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, output
        return output

    return run


@pytest.fixture(scope="module")
def greeter(near, greeter_file):
    near("create-account", "greeter.test.near", "--useAccount", "test.near", "--initialBalance", "10")
    deployed = near("deploy", "greeter.test.near", str(greeter_file), "--initFunction", "tell", "--initArgs", '{"text":"hello"}')
    assert "it was told" in deployed
    return "greeter.test.near"


def test_near_cli_makes_accounts(near):
    near("create-account", "alice.test.near", "--useAccount", "test.near", "--initialBalance", "10")
    assert "already exists" in near("create-account", "alice.test.near", "--useAccount", "test.near", fails=True)
    near("create-account", "sub.alice.test.near", "--useAccount", "alice.test.near", "--initialBalance", "0.5")
    # Not alice's to make: the registrar contract of the top-level account does it.
    assert "near.create_account()" in near("create-account", "bob.near", "--useAccount", "alice.test.near")
    near("send-near", "test.near", "sub.alice.test.near", "1.5")
    assert "amount: '2000000000000000000000000'" in near("state", "sub.alice.test.near")
    assert "amount: '1000000000000000000000000'" in near("state", "bob.near")
    near("delete-account", "sub.alice.test.near", "alice.test.near", "--force")
    assert "AccountDoesNotExist" in near("state", "sub.alice.test.near", fails=True)


def test_near_cli_adds_and_removes_keys(near):
    key = str(KeyPair.from_seed("another").public_key)
    near("add-key", "test.near", key, "--contractId", "near", "--allowance", "0.2")
    listed = near("list-keys", "test.near")
    assert key in listed
    assert "200000000000000000000000" in listed
    near("delete-key", "test.near", key, "--force")
    assert key not in near("list-keys", "test.near")


def test_near_cli_deploys_calls_and_reads(near, greeter, greeter_file):
    assert "{ text: 'hello' }" in near("view", greeter, "told", "{}")
    called = near("call", greeter, "tell", '{"text":"again"}', "--useAccount", "test.near", "--depositYocto", "1")
    assert "it was told" in called
    assert "{ text: 'again' }" in called
    transaction = re.search(r"Transaction Id ([1-9A-HJ-NP-Za-km-z]+)", called)[1]
    status = near("tx-status", transaction, "test.near")
    assert "receiver_id: 'greeter.test.near'" in status
    assert "SuccessValue" in status
    assert "STATE" in near("storage", greeter, "--finality", "final", "--utf8")
    # Over a contract that is there.
    near("deploy", greeter, str(greeter_file), "--force")


def test_near_cli_tells_what_went_wrong(near, greeter):
    assert "Smart contract panicked: it went wrong" in near("call", greeter, "boom", "{}", "--useAccount", "test.near", fails=True)
    assert "it went wrong" in near("view", greeter, "boom", "{}", fails=True)
    assert "Account nobody.test.near was not found" in near("view", "nobody.test.near", "told", "{}", fails=True)


def test_near_cli_shows_the_validators(near):
    assert "test.near" in near("validators", "current")
