"""The contract that users copy, on a real chain with a real worker."""

import asyncio
import base64
import hashlib
import json

import pytest
import pytest_asyncio

from tests.acceptance.harness import OUTLAYER, Signer, World
from tests.acceptance.harness.client import NEAR, TGAS, call, new_account
from tests.acceptance.harness.world import contract, guest_path

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLIENT = Signer.named("client.test.near")
LIMITS = {"max_instructions": 50_000_000, "max_memory_mb": 16, "max_execution_seconds": 1}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory):
    async with World(tmp_path_factory.mktemp("clients")) as world:
        init = {"oracle_id": OUTLAYER, "source": source("word_count")}
        await world.client.commit(world.root, CLIENT.account_id, new_account(CLIENT, 20 * NEAR, contract("example_client"), init))
        await world.add_people(1)
        await asyncio.to_thread(world.start_worker)
        yield world


def source(guest):
    path = guest_path(guest)
    return {"WasmUrl": {"url": path.as_uri(), "hash": hashlib.sha256(path.read_bytes()).hexdigest()}}


async def ask(world, **arguments):
    """A question to the client contract; its answer."""
    action = call("ask", {"resource_limits": LIMITS, **arguments}, deposit=NEAR, gas=150 * TGAS)
    outcome = await world.client.send(world.people[0], CLIENT.account_id, [action])
    heard = await world.heard(outcome["transaction"]["hash"], world.people[0].account_id)
    kept = await world.client.view(CLIENT.account_id, "get_last")
    assert kept["succeeded"] is heard.completed["success"]
    assert (None if kept["answer"] is None else json.loads(kept["answer"])) == heard.value
    return heard


async def test_the_answer_reaches_the_callback_and_is_kept(world):
    heard = await ask(world, input=json.dumps({"text": "a rose is a rose"}), response_format="Json")
    assert heard.value == {"words": 5, "distinct": 3, "most_frequent": "a"}


async def test_a_failed_run_reaches_the_callback_as_null_and_the_rest_is_refunded(world):
    person = world.people[0]
    before = int((await world.client.account(person.account_id))["amount"])
    heard = await ask(world, input="x", source=source("endless_loop"))
    assert heard.value is None
    assert "ran out of instructions" in heard.reason
    spent = before - int((await world.client.account(person.account_id))["amount"])
    assert int(heard.completed["payment_charged"]) == 10**21
    assert 10**21 < spent < NEAR // 100


async def test_a_project_is_asked_for_by_its_name_and_the_guest_is_told(world):
    person = world.people[0]
    create = call("create_project", {"name": "echo", "source": source("echo")}, deposit=NEAR)
    outcome = await world.client.commit(person, OUTLAYER, [create])
    project_id = json.loads(base64.b64decode(outcome["status"]["SuccessValue"]))
    request = {"source": {"Project": {"project_id": project_id}}, "resource_limits": LIMITS, "input_data": "by name"}
    sent = await world.client.send(person, OUTLAYER, [call("request_execution", request, deposit=NEAR)])
    assert (await world.heard(sent["transaction"]["hash"], person.account_id)).value == "by name"
