"""`localnet run` as a process: started, asked, stopped, as people and programs do it."""

import json
import queue
import resource
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path

import pytest

from localnet import Chain, KeyPair
from localnet.values.actions import Transfer
from localnet.values.hashes import hash_from_text
from localnet.values.transaction import Transaction

TIMEOUT_S = 60


def localnet(*arguments):
    command = [sys.executable, "-m", "localnet", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


class Running:
    """A started chain; its output comes line by line."""

    def __init__(self, process):
        self.process = process
        self._lines = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line)

    def line(self):
        return self._lines.get(timeout=TIMEOUT_S)

    def event(self):
        return json.loads(self.line())

    def stop(self, with_signal=signal.SIGTERM):
        """The exit code, and the lines that were not read yet."""
        self.process.send_signal(with_signal)
        code = self.process.wait(TIMEOUT_S)
        self._reader.join(TIMEOUT_S)
        return code, "".join(self._lines.get() for _ in range(self._lines.qsize()))

    def end(self):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()


@contextmanager
def running(*arguments, under=()):
    command = [*under, sys.executable, "-u", "-m", "localnet", "run", "--port", "0", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    chain = Running(process)
    try:
        yield chain
    finally:
        chain.end()


def rpc(url, method, params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=TIMEOUT_S) as response:
        return json.load(response)["result"]


def test_a_program_learns_everything_from_the_first_line_and_the_process_stops_cleanly(tmp_path):
    home = tmp_path / "chain"
    with running("--home", home, "--json") as chain:
        listening = chain.event()
        assert listening == listening | {
            "event": "listening",
            "chain_id": "localnet",
            "root_account_id": "test.near",
            "key_file": str(home / "validator_key.json"),
            "block_time_s": None,
            "height": 0,
            "pid": chain.process.pid,
        }
        assert listening["blocks_url"].startswith("http://127.0.0.1:")
        assert rpc(listening["rpc_url"], "status", [])["chain_id"] == "localnet"
        assert (home / "validator_key.json").stat().st_mode & 0o777 == 0o600
        code, output = chain.stop()
        assert (code, json.loads(output)) == (0, {"event": "stopped", "height": 0})


def test_people_are_told_where_everything_is_and_ctrl_c_ends_it():
    with running() as chain:
        greeting = [chain.line() for _ in range(8)]
        said = "".join(greeting)
        assert 'NEAR chain "localnet" at block 0' in said
        assert "root account  test.near" in said
        assert "in memory, gone when it stops (--home keeps it)" in said
        assert "blocks come   on demand" in said
        key_file = Path(next(line.split()[-1] for line in greeting if "its key" in line))
        assert key_file.stat().st_mode & 0o777 == 0o600
        assert chain.stop(signal.SIGINT) == (0, "Stopped after block 0.\n")
        assert not key_file.parent.exists()


def test_a_terminal_that_closes_ends_it_and_takes_the_key_along():
    with running("--json") as chain:
        key_file = Path(chain.event()["key_file"])
        assert chain.stop(signal.SIGHUP)[0] == 0
        assert not key_file.parent.exists()


def test_who_starts_it_to_outlive_the_terminal_is_not_overruled():
    with running("--json", under=["sh", "-c", 'trap "" HUP; exec "$@"', "sh"]) as chain:
        status = Path(f"/proc/{chain.event()['pid']}/status").read_text()
        ignored = next(line for line in status.splitlines() if line.startswith("SigIgn:")).split()[1]
        assert int(ignored, 16) & 1 << signal.SIGHUP - 1
        assert chain.stop()[0] == 0  # a chain that is killed leaves its key's directory


def test_accounts_are_made_time_is_moved_and_all_of_it_survives_a_kill(tmp_path):
    home = tmp_path / "chain"
    with running("--home", home, "--json") as chain:
        url = chain.event()["rpc_url"]
        made = localnet("account", "create", "alice", "--balance", "2.5", "--home", home, "--rpc-url", url, "--json")
        alice = json.loads(made.stdout)
        assert (made.returncode, alice["account_id"], alice["key_file"]) == (0, "alice.test.near", str(home / "alice.test.near.json"))
        assert (home / "alice.test.near.json").stat().st_mode & 0o777 == 0o600
        again = localnet("account", "create", "alice", "--save", tmp_path / "other.json", "--home", home, "--rpc-url", url)
        assert (again.returncode, "AccountAlreadyExists" in again.stderr) == (1, True)
        assert not (tmp_path / "other.json").exists()
        # With her own key, under her own name.
        sub = localnet("account", "create", "sub", "--balance", "1", "--key-file", home / "alice.test.near.json", "--rpc-url", url)
        assert (sub.returncode, "Created sub.alice.test.near" in sub.stdout) == (0, True)
        moved = json.loads(localnet("fast-forward", "--blocks", "50", "--rpc-url", url, "--json").stdout)
        chain.process.kill()
        chain.process.wait()
    with running("--home", home, "--json", "--block-time", "20ms") as chain:
        listening = chain.event()
        assert (listening["height"], listening["block_time_s"]) == (moved["height"], 0.02)
        account = {"request_type": "view_account", "finality": "final", "account_id": "sub.alice.test.near"}
        assert rpc(listening["rpc_url"], "query", account)["amount"] == str(10**24)
        key = {"request_type": "view_access_key", "finality": "final", "account_id": "alice.test.near", "public_key": alice["public_key"]}
        assert rpc(listening["rpc_url"], "query", key)["permission"] == "FullAccess"


def test_a_line_is_printed_for_each_block_when_asked():
    with running("--verbose", "--json", "--block-time", "5ms") as chain:
        assert chain.event()["event"] == "listening"
        blocks = [chain.event() for _ in range(3)]
        assert [block["height"] for block in blocks] == [1, 2, 3]
        assert blocks[0].keys() == {"event", "height", "hash", "transactions", "receipts", "gas_burnt"}
        assert chain.stop()[0] == 0


def test_a_port_in_use_is_refused_by_name_with_2():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = localnet("run", "--port", port)
    assert refused.returncode == 2
    assert f"cannot listen at port {port} of 127.0.0.1: Address already in use; choose another with --port" in refused.stderr


def test_a_directory_in_use_is_refused_with_2_until_it_is_free_and_reset_begins_anew(tmp_path):
    home = tmp_path / "chain"
    with running("--home", home, "--json") as chain:
        url = chain.event()["rpc_url"]
        for refused in (localnet("run", "--home", home, "--port", "0"), localnet("reset", "--home", home)):
            assert refused.returncode == 2
            assert "stop it" in refused.stderr
        localnet("fast-forward", "--blocks", "3", "--rpc-url", url)
        assert chain.stop()[0] == 0
    key = KeyPair.parse(json.loads((home / "validator_key.json").read_text())["secret_key"])
    assert localnet("reset", "--home", home).returncode == 0
    with running("--home", home, "--json") as chain:
        listening = chain.event()
        assert listening["height"] == 0
        root = {"request_type": "view_access_key", "finality": "final", "account_id": "test.near", "public_key": str(key.public_key)}
        assert rpc(listening["rpc_url"], "query", root)["nonce"] == 0


@pytest.mark.parametrize("home", ["/dev/null/chain", "/proc/chain"])
def test_a_directory_that_cannot_be_is_refused_with_2(home):
    refused = localnet("run", "--home", home, "--port", "0")
    assert (refused.returncode, "give another with --home" in refused.stderr) == (2, True)


def test_a_full_disk_is_told_once_to_who_runs_the_chain_and_once_when_there_is_room(tmp_path):
    with running("--home", tmp_path / "chain", "--json") as chain:
        url, pid = chain.event()["rpc_url"], chain.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))  # no file grows beyond a byte
        refused = localnet("account", "create", "alice", "--home", tmp_path / "chain", "--rpc-url", url)
        again = localnet("account", "create", "bob", "--home", tmp_path / "chain", "--rpc-url", url)
        assert (refused.returncode, again.returncode) == (1, 1)
        assert "make room, and go on" in refused.stderr
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert localnet("account", "create", "carol", "--home", tmp_path / "chain", "--rpc-url", url).returncode == 0
        told = [line for line in chain.stop()[1].splitlines() if not line.startswith("{")]
    assert ["chain_not_written" in line for line in told] == [True, False]
    assert f"{tmp_path / 'chain' / 'chain.sqlite'} cannot be written" in told[0]
    assert "make room, and go on" in told[0]
    assert "chain_written_again" in told[1]


def test_a_killed_chain_keeps_every_transaction_whose_hash_it_gave(tmp_path):
    key = KeyPair.from_seed("root")
    Chain(tmp_path, key=key).close()
    with running("--home", tmp_path, "--block-time", "3600s", "--json") as chain:
        url = chain.event()["rpc_url"]
        block_hash = hash_from_text(rpc(url, "status", [])["sync_info"]["latest_block_hash"])
        signed = [
            Transaction("test.near", key.public_key, nonce, "near", block_hash, (Transfer(1),)).sign(key).encoded for nonce in range(1, 31)
        ]
        hashes = [hash_from_text(rpc(url, "broadcast_tx_async", [b64encode(each).decode()])) for each in signed]
        chain.end()
    with Chain(tmp_path, key=key) as again:
        assert all(again.is_waiting(tx_hash) for tx_hash in hashes)
        again.run_until_idle()
        assert all(again.transaction(tx_hash).succeeded for tx_hash in hashes)
