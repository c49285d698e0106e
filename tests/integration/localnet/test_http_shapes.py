"""
Every answer parsed by nearcore's own types, as Rust clients do, and written again: nothing may be missing, too much, or different.

The hash of each header is computed anew by near-primitives (`tests/clients/near_views`).
"""

import json
import subprocess
import urllib.request
from base64 import b64encode

import pytest

from localnet import NEAR, Chain, KeyPair
from localnet.server import ServerThread
from localnet.values.actions import AccessKey, AddKey, CreateAccount, DeleteKey, FunctionCall, FunctionCallPermission, Stake, Transfer

pytestmark = [pytest.mark.rust, pytest.mark.soak]

KEY = KeyPair.from_seed("another").public_key


class Asking:
    """Collects answers with the type that each is of."""

    def __init__(self, url):
        self.url, self.answers = url, []

    def call(self, kind, method, params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url, body), timeout=30) as response:
            answer = json.load(response)
        value = answer.get("result", answer.get("error"))
        self.answers.append((kind, value))
        return value

    def send(self, signed, wait_until="FINAL"):
        text = b64encode(signed.encoded).decode()
        return self.call("transaction", "send_tx", {"signed_tx_base64": text, "wait_until": wait_until})

    def stream(self, height):
        with urllib.request.urlopen(f"{self.url}/v0/block/{height}", timeout=30) as response:
            block = json.load(response)
        for shard in block["shards"]:
            for executed in shard["receipt_execution_outcomes"]:
                # FastNear's addition; the indexer's own type has no place for it.
                assert executed.pop("tx_hash")
        self.answers.append(("stream", block))


def transactions(alice, bob):
    """One of each kind of action, one that fails, one that nobody waits for."""
    limited = AddKey(KEY, AccessKey(0, FunctionCallPermission(NEAR, "bob.test.near", ("tell",))))
    yield alice.sign(alice.account_id, [limited, Stake(1, KEY), Transfer(5)])
    yield alice.sign(
        "sub.alice.test.near", [CreateAccount(), Transfer(NEAR), AddKey(KEY, AccessKey(0, FunctionCallPermission(None, "near", ())))]
    )
    yield alice.sign(bob.account_id, [FunctionCall("tell", b"1", 10**13, 1)])
    yield alice.sign(bob.account_id, [FunctionCall("boom", b"", 10**13, NEAR)])
    yield alice.sign(alice.account_id, [DeleteKey(KEY)])


@pytest.fixture(scope="module")
def answers(greeter_wasm):
    chain = Chain()
    alice, bob = chain.create_account("alice"), chain.create_account("bob").deploy(greeter_wasm)
    signed = list(transactions(alice, bob))
    with chain, ServerThread(chain) as server:
        asking = Asking(server.rpc_url)
        for transaction in signed:
            outcome = asking.send(transaction)
            with_receipts = asking.call("transaction", "EXPERIMENTAL_tx_status", [outcome["transaction"]["hash"], "alice.test.near"])
            asking.answers += [("receipt", receipt) for receipt in with_receipts["receipts"]]
        asking.send(signed[0], "NONE")
        ask_all(asking, alice)
        for height in range(asking.call("status", "status", [])["sync_info"]["latest_block_height"] + 1):
            asking.call("block", "block", [height])
            asking.call("chunk", "chunk", {"block_id": height, "shard_id": 0})
            asking.stream(height)
    return asking.answers


def ask_all(asking, alice):
    asking.call("validators", "validators", [None])
    asking.call("gas_price", "gas_price", [None])
    asking.call("protocol_config", "EXPERIMENTAL_protocol_config", {"finality": "final"})
    key = str(alice.key.public_key)
    for query in (
        {"request_type": "view_account", "account_id": "alice.test.near"},
        {"request_type": "view_access_key", "account_id": "alice.test.near", "public_key": key},
        {"request_type": "view_access_key_list", "account_id": "sub.alice.test.near"},
        {"request_type": "view_code", "account_id": "bob.test.near"},
        {"request_type": "view_state", "account_id": "bob.test.near", "prefix_base64": ""},
        {"request_type": "call_function", "account_id": "bob.test.near", "method_name": "told", "args_base64": ""},
    ):
        asking.call("query", "query", query | {"finality": "final"})
    for method, params, cause in (
        ("nothing", [], None),
        ("block", [10**6], None),
        ("query", {"request_type": "view_account", "account_id": "no.near"}, "query_error"),
        ("query", {"request_type": "view_code", "account_id": "alice.test.near"}, "query_error"),
        ("query", {"request_type": "view_account", "account_id": "near", "block_id": 0}, "query_error"),
        ("query", {"request_type": "view_global_contract_code", "code_hash": "1" * 32}, "query_error"),
        ("query", {"request_type": "view_global_contract_code_by_account_id", "account_id": "near"}, "query_error"),
        ("tx", ["1" * 32, "near"], "transaction_error"),
        ("light_client_block_proof", {"block_hash": "1" * 32, "light_client_head": "1" * 32}, None),
        (
            "light_client_proof",
            {"type": "receipt", "receipt_id": "1" * 32, "receiver_id": "near", "light_client_head": "1" * 32},
            "light_client_error",
        ),
        ("send_tx", ["AAAA"], None),
    ):
        error = asking.call("error", method, params)
        if cause is not None:
            asking.answers.append((cause, error["cause"]))


def test_nearcores_types_read_every_answer_and_write_it_again_as_it_was(near_views, answers):
    lines = "\n".join(json.dumps({"type": kind, "value": value}) for kind, value in answers)
    judged = subprocess.run([near_views], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(judged) == len(answers) > 60
    assert [(kind, verdict) for (kind, _), verdict in zip(answers, judged, strict=True) if verdict != "ok"] == []
