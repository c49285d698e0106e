"""What `oracle verify --save` writes of a real worker's answers proves when chain and worker are gone: on processes of their own."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from tests.acceptance.harness import Ask
from tests.acceptance.harness.tee import TeeWorld
from tests.acceptance.verify.chain_stage import MAIN
from tests.acceptance.verify.test_worker import close

PROVEN, FAILED, UNPROVEN = 0, 1, 3
ASKS = [Ask(), Ask(input_data="x" * 12_000), Ask(input_data="y" * 5_000), Ask(response_format="Json")]
"""Short, with an input that stands in the call alone, with an output of two calls' length, and one that fails."""


def oracle_verify(home, *arguments):
    """Exit code, and what `oracle verify --json` tells."""
    command = [
        sys.executable,
        "-m",
        "oracle",
        "verify",
        *map(str, arguments),
        "--policy",
        "accepted.toml",
        "--root-ca",
        "root.pem",
        "--json",
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def passed(told):
    return [check["number"] for check in told["checks"] if check["group"] == "chain" and check["verdict"] == "PASS"]


def failed(told):
    return [check["number"] for check in told["checks"] if check["verdict"] == "FAIL"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Where the files are, and by request the block that each leads to; nobody runs any more."""
    home = tmp_path_factory.mktemp("saved")
    return home, asyncio.run(answered_and_saved(home))


async def answered_and_saved(home):
    async with TeeWorld(home / "world") as world:
        people = await world.add_people(len(ASKS))
        await asyncio.to_thread(world.start_worker)
        await close(world)
        registers = "\n".join(f'{name} = "{value}"' for name, value in world.measurements.items())
        (home / "accepted.toml").write_text(f"[chain]\ntwo_nodes = false\n[[measurements]]\n{registers}\n")
        (home / "root.pem").write_bytes(world.simulator.root_path.read_bytes())
        heads = {}
        for person, ask in zip(people, ASKS, strict=True):
            number = (await world.hear(person, ask)).request_id
            where = ("--worker", world.worker.api_url, "--rpc", world.chain.rpc_url, "--contract", MAIN)
            code, told = await asyncio.to_thread(oracle_verify, home, number, *where, "--save", f"{number}.json")
            assert (code, told["saved"]["missing"]) == (PROVEN, []), told
            heads[number] = told["saved"]["head"]
    return heads


def test_every_saved_answer_proves_without_any_node_all_that_is_no_state(saved):
    home, heads = saved
    assert len(heads) == len(ASKS)
    for number, head in heads.items():
        code, told = oracle_verify(home, f"{number}.json", "--offline", "--trusted-block", head)
        assert (code, told["offline"], told["chain"]) == (UNPROVEN, "PROVEN", "UNPROVEN"), told
        assert passed(told) == [21, 22, 23, 24, 25, 31]
        assert (told["decided_by"], failed(told)) == (26, [])
    assert oracle_verify(home, f"{number}.json", "--offline")[0] == PROVEN


def test_what_leads_to_a_later_head_is_open_under_an_earlier_one(saved):
    home, heads = saved
    *_, last = heads
    first, *_ = heads.values()
    code, told = oracle_verify(home, f"{last}.json", "--offline", "--trusted-block", first)
    assert (code, passed(told), failed(told)) == (UNPROVEN, [], [])
    assert f"the proofs lead to another block, {heads[last]}" in told["checks"][-1]["seen"]


@pytest.mark.parametrize(
    ("spoil", "code", "against"),
    [
        (lambda proofs: proofs["settled"]["outcome_proof"]["outcome"].update(status={"SuccessValue": "IkZPUkdFRCI="}), FAILED, [31]),
        (lambda proofs: proofs["head"]["inner_lite"].update(block_merkle_root="1" * 32), UNPROVEN, []),
    ],
    ids=["another output", "another tree"],
)
def test_a_changed_outcome_and_a_lying_head_prove_nothing(saved, spoil, code, against):
    home, heads = saved
    number, head = next(iter(heads.items()))
    document = json.loads((home / f"{number}.json").read_text())
    spoil(document["chain"]["proofs"])
    (home / "spoilt.json").write_text(json.dumps(document))
    found, told = oracle_verify(home, "spoilt.json", "--offline", "--trusted-block", head)
    assert (found, failed(told)) == (code, against)
    assert not set(passed(told)) & {21, 22, 23, 24, 25, 31}
