"""`oracle demo --tee` as a user runs it: simulate, register, execute, verify."""

import json
import os
import subprocess
import sys

import pytest


def _run(home, *options):
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "oracle", "demo", "--tee", *options],
        capture_output=True,
        env=environment,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    assert [path.name for path in home.iterdir() if path.name != ".cache"] == []  # the local chain keeps compiled contracts there
    return done


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    done = _run(tmp_path_factory.mktemp("demo-tee"), "--json")
    assert done.returncode == 0, done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_key_comes_on_chain_step_by_step(told):
    steps = [line["step"] for line in told if line["event"] == "registration"]
    assert steps == ["socket", "quote", "collateral", "checks", "contract", "submission", "rtmr3", "authorised"]


def test_every_part_is_told_in_its_order(told):
    kinds = [line["event"] for line in told if line["event"] != "registration"]
    assert kinds[:7] == ["begin", "chain_ready", "machine_ready", "contract_ready", "contract_ready", "contract_ready", "worker_ready"]
    assert kinds[7:-1] == ["asked", "answered", "verified"] * 5


def test_every_answer_is_proven_a_failure_too_offline_and_on_chain(told):
    verified = [line for line in told if line["event"] == "verified"]
    assert [(line["verdict"], line["offline"], line["chain"]) for line in verified] == [("PROVEN", "PROVEN", "PROVEN")] * 5
    assert [line["request_id"] for line in verified] == [0, 1, 2, 3, 4]
    assert [request["verdict"] for request in told[-1]["requests"]] == ["PROVEN"] * 5


def test_every_verdict_says_that_the_root_is_a_test(told):
    root = next(line["root_sha256"] for line in told if line["event"] == "machine_ready")
    for line in told:
        if line["event"] == "verified":
            assert line["test_root"] is True
            assert "TEST ROOT" in line["warning"]
            assert line["root_sha256"] == root


def test_nobody_but_the_register_contract_can_give_keys_of_the_operators_account(told):
    (check,) = [check for check in told[-2]["checks"] if "add keys" in check["title"]]
    assert check["verdict"] == "PASS"
    assert "0 full-access keys" in check["seen"]


def test_people_read_the_checks_of_the_first_answer_and_the_verdict_of_each(tmp_path):
    done = _run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("TEST ROOT: anybody may hold its key.") == 1
    assert done.stdout.count("PROVEN: every check that is needed holds (under a test root)") == 1
    assert done.stdout.count("receipt   PROVEN by ") == 4
    assert "Each receipt is PROVEN from the quote up to the chain, under a test root" in done.stdout
