"""Proofs that near-primitives itself verifies: it computes the hashes anew and walks the paths (`tests/clients/near_views`)."""

import json
import subprocess
import urllib.request
from pathlib import Path

import pytest

from localnet import NEAR, Chain
from localnet.server import ServerThread
from localnet.values.actions import FunctionCall, Transfer
from localnet.values.hashes import hash_of, hash_to_text

pytestmark = [pytest.mark.rust, pytest.mark.soak]

RECORDED = Path(__file__).parents[2] / "vectors" / "near_primitives" / "light_client.json"
PROOFS = Path(__file__).parents[2] / "vectors" / "light_client" / "proofs.json"


def ask(url, method, params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as response:
        return json.load(response)["result"]


@pytest.fixture(scope="module")
def proofs(greeter_wasm):
    """Each outcome of a chain under each later block, and each block under each later one; then what light clients are given."""
    chain = Chain()
    ids = []
    chain.on_block(lambda block: ids.extend((each.outcome, block.header.height) for each in (*block.transactions, *block.executed)))
    alice, bob = chain.create_account("alice"), chain.create_account("bob").deploy(greeter_wasm)
    for method in ("tell", "boom", "missing"):
        alice.submit(bob.account_id, [FunctionCall(method, b"1", 10**13, NEAR)])
        alice.submit("near", [Transfer(1)])
        chain.run_until_idle()
    chain.advance_blocks(2)
    with chain, ServerThread(chain) as server:
        heads = [ask(server.rpc_url, "block", [height])["header"] for height in range(chain.head.height + 1)]
        yield [
            *_outcome_proofs(server.rpc_url, ids, heads),
            *_block_proofs(server.rpc_url, heads),
        ]


def _outcome_proofs(url, ids, heads):
    for outcome, height in ids:
        named = {"type": "receipt", "receipt_id": hash_to_text(outcome.id), "receiver_id": outcome.executor_id}
        for head in heads[height + 1 :]:
            proof = ask(url, "EXPERIMENTAL_light_client_proof", named | {"light_client_head": head["hash"]})
            yield {"type": "light_client_proof", "value": {"proof": proof, "head": head}}


def _block_proofs(url, heads):
    for block in heads:
        for head in heads[block["height"] :]:
            params = {"block_hash": block["hash"], "light_client_head": head["hash"]}
            proof = ask(url, "EXPERIMENTAL_light_client_block_proof", params)
            yield {"type": "light_client_block_proof", "value": {"proof": proof, "head": head}}


def judged(program, lines):
    text = "\n".join(json.dumps(line) for line in lines)
    return subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout.splitlines()


def test_near_primitives_verifies_every_proof(near_views, proofs):
    wrong = [(line, verdict) for line, verdict in zip(proofs, judged(near_views, proofs), strict=True) if verdict != "ok"]
    assert not wrong, wrong[0]
    outcomes = [line["value"]["proof"]["outcome_proof"] for line in proofs if line["type"] == "light_client_proof"]
    assert {next(iter(each["outcome"]["status"])) for each in outcomes} == {"SuccessValue", "SuccessReceiptId", "Failure"}


def test_near_primitives_refuses_each_of_them_with_another_hash(near_views, proofs):
    elsewhere = hash_to_text(hash_of(b"elsewhere"))
    forged = []
    for line in proofs:
        text = json.dumps(line)
        hashes = (line["value"]["head"]["hash"], line["value"]["proof"]["block_header_lite"]["inner_rest_hash"])
        forged += [json.loads(text.replace(each, elsewhere)) for each in hashes]
    assert "ok" not in judged(near_views, forged)


def test_the_recorded_answers_are_near_primitives(near_views):
    answer = json.loads(subprocess.run([near_views.with_name("near-vectors")], capture_output=True, text=True, check=True).stdout)
    assert answer == json.loads(RECORDED.read_text())


def test_the_proofs_that_verifiers_are_tested_with_are_what_near_primitives_makes(near_views):
    made = subprocess.run([near_views.with_name("near-proofs")], capture_output=True, text=True, check=True).stdout
    assert json.loads(made) == json.loads(PROOFS.read_text())
