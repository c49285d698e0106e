"""`oracle verify` as people call it: what it needs, what it prints, and the exit codes that scripts rely on."""

import io
import json
import os
import re
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from localnet.server import ServerThread
from localnet.values.hashes import hash_to_text
from oracle.cli.group import run_command
from oracle.settings import ChainSettings
from tests.acceptance.verify.chain_stage import MAIN, ChainStage
from tests.unit.oracle.flows.verify.good import Good, file_of

PROVEN, FAILED, UNPROVEN, USAGE = 0, 1, 3, 64


@pytest.fixture(scope="module")
def good():
    return Good()


@pytest.fixture
def nothing_set(settings):
    for name in ChainSettings.model_fields:
        settings.delenv(name.upper(), raising=False)
    return settings


@pytest.fixture
def files(tmp_path, good):
    """A good bundle, the root it is quoted under, and a policy that accepts its software."""
    names = ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")
    registers = "\n".join(f'{name} = "{value}"' for name, value in zip(names, good.measurements_hex, strict=True))
    (tmp_path / "bundle.json").write_bytes(file_of(good.bundle()))
    (tmp_path / "root.der").write_bytes(good.root.der)
    (tmp_path / "policy.toml").write_text(f"[chain]\ntwo_nodes = false\n[[measurements]]\n{registers}\n")
    return tmp_path


@pytest.fixture
def verify(oracle, files, nothing_set):
    def run(target, *arguments):
        trust = ("--policy", str(files / "policy.toml"), "--root-ca", str(files / "root.der"))
        return oracle("verify", str(files / target) if target.endswith(".json") else target, *trust, *arguments)

    return run


def test_a_good_bundle_is_proven_offline_and_the_test_root_is_told(verify):
    code, out, _ = verify("bundle.json", "--offline")
    assert code == PROVEN
    assert out.startswith("TEST ROOT: ")
    assert out.splitlines()[-2:] == [
        "Request 7 of outlayer.test.near, answered by worker.test.near",
        "PROVEN: every check that is needed holds (under a test root)",
    ]


def test_json_has_every_check_and_both_groups(verify):
    code, out, _ = verify("bundle.json", "--offline", "--json", "--explain")
    told = json.loads(out)
    assert (code, told["verdict"], told["offline"], told["chain"], told["test_root"]) == (PROVEN, "PROVEN", "PROVEN", None, True)
    assert [check["number"] for check in told["checks"]] == list(range(1, 19))
    assert all(check["why"] for check in told["checks"])


def test_a_bundle_on_standard_input_is_read(verify, files, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((files / "bundle.json").read_bytes())))
    assert verify("-", "--offline")[0] == PROVEN


def test_a_bundle_that_another_command_writes_is_read(verify, files):
    """As a shell hands it over for `<(command)`."""
    os.mkfifo(files / "pipe")
    writer = threading.Thread(target=lambda: (files / "pipe").write_bytes((files / "bundle.json").read_bytes()), daemon=True)
    writer.start()
    assert verify(str(files / "pipe"), "--offline")[0] == PROVEN
    writer.join()


def test_without_a_policy_no_software_is_accepted(oracle, files, nothing_set):
    code, out, _ = oracle("verify", str(files / "bundle.json"), "--root-ca", str(files / "root.der"), "--offline")
    assert code == UNPROVEN
    assert "Decided by check 12" in out
    assert "To do: build the image" in out


def test_without_the_test_root_a_simulated_quote_is_refused(oracle, files, nothing_set):
    code, out, _ = oracle("verify", str(files / "bundle.json"), "--policy", str(files / "policy.toml"), "--offline")
    assert code == FAILED
    assert "Decided by check 6" in out
    assert "TEST ROOT" not in out


def test_trust_does_not_come_from_the_environment(oracle, files, nothing_set):
    nothing_set.setenv("TEE_ROOT_CA", str(files / "root.der"))
    nothing_set.setenv("TEE_POLICY_FILE", str(files / "policy.toml"))
    assert oracle("verify", str(files / "bundle.json"), "--offline")[0] == FAILED


def test_without_a_node_the_chain_is_unproven_and_the_bundle_is_proven(verify):
    code, out, _ = verify("bundle.json", "--json")
    told = json.loads(out)
    assert (code, told["offline"], told["chain"], told["decided_by"]) == (UNPROVEN, "PROVEN", "UNPROVEN", 21)


def test_a_bundle_that_is_spoilt_fails(verify, files):
    text = (files / "bundle.json").read_text()
    (files / "spoilt.json").write_text(text.replace('"input_base64": "aGVsbG8="', '"input_base64": "aGVsbG9v"'))
    assert verify("spoilt.json", "--offline")[0] == FAILED


def test_another_moment_can_be_named_in_two_ways(verify):
    assert verify("bundle.json", "--offline", "--at", "1700000002")[0] == PROVEN
    assert verify("bundle.json", "--offline", "--at", "2024-03-01T00:00:00Z")[0] == FAILED


def test_collateral_can_be_brought_along(verify, files, good):
    (files / "collateral.json").write_text(good.simulator.collateral(1_600_000_000).as_json())
    code, out, _ = verify("bundle.json", "--offline", "--collateral", str(files / "collateral.json"))
    assert code == FAILED
    assert "Decided by check 7" in out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nothing.json",),
        ("n" * 300,),
        ("7", "--offline"),
        ("bundle.json", "--at", "tomorrow"),
        ("bundle.json", "--at", "2024-01-01"),
        ("bundle.json", "--at", "-1"),
        ("bundle.json", "--policy", "nothing.toml"),
        ("bundle.json", "--rpc", "ftp://node"),
        ("bundle.json", "--rpc", "http://node:99999/key"),
        ("bundle.json", "--rpc", "http://[::1/key"),
        ("bundle.json", "--worker", "http:///key"),
        ("bundle.json", "--nonsense"),
        ("99999999999999999999",),
        ("8GkZaPGkSBGPcQZZyV4ZNcMFqxVJyzQCYcyCJ3qVTQFo",),
    ],
)
def test_wrong_usage_has_an_exit_code_of_its_own(oracle, files, nothing_set, arguments):
    nothing_set.chdir(files)
    code, out, err = oracle("verify", *arguments)
    assert (code, out) == (USAGE, "")
    assert "Error: " in err


@pytest.mark.parametrize(
    ("option", "content"), [("--policy", b"[tcb]\nstatus = 1\n"), ("--policy", b"\xff"), ("--root-ca", b"no certificate")]
)
def test_files_of_ones_own_that_cannot_be_read_are_wrong_usage(oracle, files, nothing_set, option, content):
    (files / "wrong").write_bytes(content)
    code, _, err = oracle("verify", str(files / "bundle.json"), "--offline", option, str(files / "wrong"))
    assert code == USAGE
    assert "Error: " in err


def test_wrong_settings_are_not_taken_for_missing_ones(verify, settings):
    settings.setenv("NEAR_NETWORK_ID", "betanet")
    code, _, err = verify("bundle.json")
    assert code == USAGE
    assert "NEAR_NETWORK_ID" in err


def test_a_worker_that_is_not_there_proves_nothing_and_contradicts_nothing(verify):
    code, out, _ = verify("7", "--worker", "http://127.0.0.1:9", "--json")
    told = json.loads(out)
    assert (code, told["verdict"], told["decided_by"]) == (UNPROVEN, "UNPROVEN", 1)
    assert "cannot connect" in told["checks"][0]["seen"]


class Served:
    """A server in a thread, under the name that it is to be asked by."""

    def __init__(self, handler, host):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://{host}:{self._server.server_port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class WorkerInterface(Served):
    """`/attestations/{id}` and `/requests/{id}` of one request, in a thread of its own."""

    def __init__(self, **answers):
        self.answers = answers
        interface = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = interface.answers.get(re.sub(r"\W", "_", self.path.removeprefix("/")))
                self.send_response(404 if body is None else 200)
                self.end_headers()
                self.wfile.write(b'{"error":"unknown_request","message":"nobody knows it"}' if body is None else body)

            def log_message(self, *_):
                pass

        super().__init__(Handler, "127.0.0.1")


@pytest.fixture(scope="module")
def answered():
    """A chain on which a worker has answered, served, and the worker's own interface."""
    stage = ChainStage()
    transactions = [{"kind": "answer", "transaction_hash": hash_to_text(stage.answered.hash), "nonce": 1}]
    bundle = json.loads(stage.bundle().to_json()) | {"chain": None}
    told = {"attestations_0": json.dumps(bundle).encode(), "requests_0": json.dumps({"transactions": transactions}).encode()}
    told["attestations_5"] = told["attestations_0"]
    with ServerThread(stage.chain) as node, WorkerInterface(**told) as worker:
        yield stage, node.rpc_url, worker.url


def test_a_request_is_fetched_from_the_worker_and_proven_by_the_chain(verify, answered):
    _, rpc_url, worker_url = answered
    code, out, _ = verify("0", "--worker", worker_url, "--rpc", rpc_url, "--contract", MAIN, "--json")
    told = json.loads(out)
    assert (code, told["offline"], told["chain"]) == (PROVEN, "PROVEN", "PROVEN"), out


def test_a_transaction_is_looked_up_fetched_and_proven(verify, answered):
    stage, rpc_url, worker_url = answered
    code, out, _ = verify(hash_to_text(stage.asked.hash), "--worker", worker_url, "--rpc", rpc_url, "--contract", MAIN)
    assert code == PROVEN, out


def test_node_and_contract_may_come_from_the_settings(verify, answered, settings):
    stage, rpc_url, worker_url = answered
    settings.setenv("NEAR_NETWORK_ID", "localnet")
    settings.setenv("NEAR_RPC_URL", rpc_url)
    settings.setenv("OFFCHAINVM_CONTRACT_ID", MAIN)
    assert verify(hash_to_text(stage.asked.hash), "--worker", worker_url)[0] == PROVEN


def test_a_transaction_that_asked_for_nothing_is_unproven(verify, answered):
    stage, rpc_url, worker_url = answered
    code, out, _ = verify(hash_to_text(stage.answered.hash), "--worker", worker_url, "--rpc", rpc_url, "--contract", MAIN)
    assert code == UNPROVEN
    assert "made no such request" in out


class LyingNode(Served):
    """Tells of a transaction that never was what the honest node tells of a real one, and of all else what it tells."""

    def __init__(self, rpc_url, invented, real):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                is_lie = isinstance(asked["params"], dict) and asked["params"].get("tx_hash") == invented
                if is_lie:
                    asked["params"]["tx_hash"] = real
                request = urllib.request.Request(rpc_url, json.dumps(asked).encode(), {"Content-Type": "application/json"})
                with urllib.request.urlopen(request) as answer:
                    told = json.load(answer)
                if is_lie:
                    told["result"]["transaction"]["hash"] = invented
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(told).encode())

            def log_message(self, *_):
                pass

        super().__init__(Handler, "localhost")


@pytest.mark.parametrize("liar_first", [True, False])
def test_a_node_that_lies_about_whose_transaction_it_was_does_not_get_another_request_proven(verify, answered, files, liar_first):
    stage, rpc_url, worker_url = answered
    policy = (files / "policy.toml").read_text().replace("two_nodes = false", "two_nodes = true")
    (files / "policy.toml").write_text(policy)
    invented = hash_to_text(bytes(range(200, 232)))
    with LyingNode(rpc_url, invented, hash_to_text(stage.asked.hash)) as liar:
        urls = [liar.url, rpc_url] if liar_first else [rpc_url, liar.url]
        nodes = [word for url in urls for word in ("--rpc", url)]
        code, out, _ = verify(invented, "--worker", worker_url, "--contract", MAIN, *nodes)
    assert code == FAILED, out
    assert "Decided by check 18" in out


def test_a_worker_that_sends_the_bundle_of_another_request_is_refused(verify, answered):
    _, rpc_url, worker_url = answered
    code, out, _ = verify("5", "--worker", worker_url, "--rpc", rpc_url)
    assert code == FAILED
    assert "Decided by check 18" in out


def test_a_number_without_a_contract_names_no_request_for_a_worker_may_send_one_of_a_contract_of_its_own(verify, answered):
    _, rpc_url, worker_url = answered
    code, out, _ = verify("0", "--worker", worker_url, "--rpc", rpc_url)
    assert code == UNPROVEN
    assert "Decided by check 18" in out
    assert "name the contract with --contract" in out


@pytest.mark.parametrize("leading_zeros", [1, 2, 16])
def test_a_transactions_hash_may_be_as_short_as_base58_makes_it(verify, answered, leading_zeros):
    _, rpc_url, worker_url = answered
    unknown = hash_to_text(bytes(leading_zeros) + b"\1" * (32 - leading_zeros))
    code, out, _ = verify(unknown, "--worker", worker_url, "--rpc", rpc_url, "--contract", MAIN)
    assert code == UNPROVEN, out


def test_a_request_that_the_worker_does_not_know_is_unproven(verify, answered):
    code, out, _ = verify("6", "--worker", answered[2])
    assert code == UNPROVEN
    assert "nobody knows it" in out


def test_of_several_receipts_the_one_that_was_sent_is_verified(verify, answered):
    stage, rpc_url, _ = answered
    sent, newer = stage.bundle(), stage.good.bundle(stage.good.receipt(request=stage.receipt.request, chain=stage.receipt.chain))
    told = {"attestations_0": file_of(newer), f"attestations_0_receipt_sha256_{sent.receipt_sha256_hex}": file_of(sent)}
    with WorkerInterface(**told) as worker:
        assert verify("0", "--worker", worker.url, "--rpc", rpc_url, "--contract", MAIN)[0] == PROVEN
    with WorkerInterface(attestations_0=file_of(newer)) as worker:
        assert verify("0", "--worker", worker.url, "--rpc", rpc_url, "--contract", MAIN)[0] == UNPROVEN


def test_the_workers_interface_is_found_by_its_own_setting(verify, answered, nothing_set):
    _, rpc_url, worker_url = answered
    nothing_set.setenv("API_LISTEN", worker_url.removeprefix("http://"))
    assert verify("0", "--rpc", rpc_url, "--contract", MAIN)[0] == PROVEN


def test_help_shows_examples_and_exit_codes(capsys):
    assert run_command(["verify", "--help"]) == PROVEN
    text = capsys.readouterr().out
    assert "64 wrong usage" in text
    assert "oracle verify bundle.json --policy policy.toml --offline" in text
