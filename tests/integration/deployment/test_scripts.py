"""`scripts/app-compose.py` and `scripts/compose-hash.py` as they are called."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
IMAGE = "docker.io/me/worker@sha256:" + "ab" * 32
SETTINGS = """\
NEAR_NETWORK_ID=testnet
NEAR_RPC_URL=https://one.example,https://two.example
OFFCHAINVM_CONTRACT_ID=outlayer.testnet
REGISTER_CONTRACT_ID=operator.testnet
INIT_ACCOUNT_ID=payer.testnet
"""


def call(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_what_is_written_is_found_unchanged_and_with_the_hash_that_was_told(tmp_path):
    (tmp_path / "phala.env").write_text(SETTINGS)
    made = call("app-compose.py", tmp_path / "phala.env", "--image", IMAGE, "--out", tmp_path / "out")
    assert (made.returncode, made.stderr) == (0, "")
    found = call("compose-hash.py", tmp_path / "out/app-compose.json", "--compose", tmp_path / "out/docker-compose.yml", "--json")
    told = json.loads(found.stdout)
    assert (found.returncode, told["differences"], told["no_instance_id"]) == (0, [], True)
    assert told["compose_hash"] in made.stdout


def test_a_compose_text_that_was_touched_is_noticed(tmp_path):
    (tmp_path / "phala.env").write_text(SETTINGS)
    call("app-compose.py", tmp_path / "phala.env", "--image", IMAGE, "--out", tmp_path / "out")
    compose = tmp_path / "out/docker-compose.yml"
    compose.write_text(compose.read_text().replace("https://two.example", "https://evil.example"))
    found = call("compose-hash.py", tmp_path / "out/app-compose.json", "--compose", compose)
    assert found.returncode == 1
    assert "DIFFERS        docker_compose_file" in found.stdout


def test_settings_that_are_missing_are_told_by_name_and_nothing_is_written(tmp_path):
    (tmp_path / "phala.env").write_text("NEAR_NETWORK_ID=testnet\n")
    made = call("app-compose.py", tmp_path / "phala.env", "--out", tmp_path / "out")
    assert made.returncode == 1
    assert "WORKER_IMAGE is not set" in made.stderr
    assert "Traceback" not in made.stderr
    assert not (tmp_path / "out").exists()
