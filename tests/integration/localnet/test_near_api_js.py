"""near-api-js 7, unmodified: `tests/clients/near_api_js.mjs` uses it as a program would, and prints what it was told."""

import json
import os
import subprocess
from base64 import b64encode

import pytest

from localnet.values.hashes import hash_of, hash_to_text

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def told(served, node_clients, greeter_file):
    command = ["node", node_clients / "near_api_js.mjs", served.rpc_url, served.root_id, served.root_key.secret_key, greeter_file]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _environment():
    """near-api-js wants WebCrypto as a global, which Node 18 (Debian 12's) has only when asked."""
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    return {**os.environ, "NODE_OPTIONS": "--experimental-global-webcrypto"} if version.startswith("v18.") else dict(os.environ)


def test_near_api_js_works_against_the_chain_as_against_a_node(told, greeter_wasm):
    # Accounts and keys.
    assert told["created"] is True
    assert told["registered"] == str(10**24)
    assert told["state"]["balance"]["total"] == str(10**25)
    assert told["state"]["balance"]["usedOnStorage"] == str(182 * 10**19)
    limited = {"allowance": str(10**24), "receiver_id": "greeter.test.near", "method_names": ["tell"]}
    assert told["limited"] == {"FunctionCall": limited}
    assert told["keys"] == 2
    # A contract.
    assert told["codeHash"] == hash_to_text(hash_of(greeter_wasm))
    assert (told["before"], told["returned"], told["after"]) == (None, {"text": "hello"}, {"text": "hello"})
    assert told["contractState"] == [{"key": b64encode(b"STATE").decode(), "value": b64encode(b'{"text":"hello"}').decode()}]
    assert told["logs"] == ["it was told"]
    assert told["transfers"] == 5
    assert told["meta"] == {"text": "meta"}
    # Reading.
    assert (told["status"], told["receipts"], told["receipt"]) == ("FINAL", 2, "greeter.test.near")
    assert told["chunkTransactions"] == [True]
    assert (told["gasPrice"], told["chainId"], told["validators"]) == ("100000000", "localnet", ["test.near"])
    assert told["storageAmountPerByte"] == str(10**19)


def test_near_api_js_knows_every_failure_by_its_name(told):
    names = {what: failure["name"] for what, failure in told["failures"].items()} | {"deleted": told["deleted"]["name"]}
    assert names == {
        "account": "AccountDoesNotExistError",
        "key": "AccessKeyDoesNotExistError",
        "panicked": "ContractExecutionError",
        "method": "ContractMethodNotFoundError",
        "view": "RpcError",
        "viewMethod": "ContractMethodNotFoundError",
        "code": "ContractCodeDoesNotExistError",
        "forbidden": "AccessKeyMethodNameMismatchActionError",
        "poor": "NotEnoughBalanceError",
        "transaction": "UnknownTransactionError",
        "block": "UnknownBlockError",
        "deleted": "AccountDoesNotExistError",
    }
    assert told["failures"]["panicked"]["message"] == "Smart contract panicked: it went wrong"
    assert told["failures"]["view"]["message"].endswith('HostError(GuestPanic { panic_msg: "it went wrong" })')
