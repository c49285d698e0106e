"""Workers that prove what they are, as processes: simulated machine, local chain, register contract."""

import asyncio
import base64
import json

import pytest
from aiohttp import web

from localnet.values.transaction import read_signed_transaction
from tests.acceptance.harness.client import NEAR, Signer, call, new_account
from tests.acceptance.harness.proxy import Proxy
from tests.acceptance.harness.tee import TeeWorld
from tests.acceptance.harness.world import OPERATOR

TWO_NODES = "[chain]\ntwo_nodes = true\n"
INVENTED = 99


async def started(world):
    return await asyncio.to_thread(world.start_worker)


async def socket_comes_late(world, socket):
    """Once the worker has said that it waits for it."""
    async with asyncio.timeout(30):
        while world.worker is None or not world.worker.log_file.exists() or "registration_waits" not in world.worker.tail(100_000):
            await asyncio.sleep(0.05)
    socket.symlink_to(world.simulator.socket_path)


async def test_a_registered_worker_answers_and_a_restart_registers_a_key_of_its_own(tmp_path):
    socket = tmp_path / "dstack.sock"
    async with TeeWorld(tmp_path, worker_settings={"DSTACK_SIMULATOR_ENDPOINT": str(socket)}) as world:
        (alice,) = await world.add_people(1)
        keys = []
        late = asyncio.create_task(socket_comes_late(world, socket))
        for _ in range(2):
            worker = await started(world)
            await late
            assert (await world.hear(alice)).value == "hello"
            health = worker.health()
            keys.append(health["public_key"])
            assert (health["tee_mode"], health["status"]) == ("tdx", "ok")
            assert await asyncio.to_thread(worker.stop) == 0
        assert keys[0] != keys[1]
        assert {entry["public_key"] for entry in await world.registered()} == set(keys)
        assert all(entry["payer"] == world.payer.account_id for entry in await world.registered())
        assert '"test_root"' in worker.tail(100_000)
        by_block = [event["request_id"] for event in (await world.events())["execution_completed"]]
        assert by_block == [0, 1]


async def test_a_worker_starts_though_a_stranger_sends_its_registration_before_it_arrives(tmp_path):
    async with TeeWorld(tmp_path) as world, Proxy(world.chain.rpc_url) as mempool:
        stranger = Signer.named("stranger.test.near")
        await world.client.commit(world.root, stranger.account_id, new_account(stranger, 5 * NEAR))
        await world.own("set_init_worker_account", init_worker_account=None)
        (alice,) = await world.add_people(1)

        async def overtaken(request, ask):
            body = await request.json()
            if body.get("method") == "send_tx":
                seen = read_signed_transaction(base64.b64decode(body["params"]["signed_tx_base64"])).transaction
                (action,) = seen.actions
                same = call(action.method_name, json.loads(action.args), deposit=NEAR, gas=action.gas)
                await world.client.commit(stranger, seen.receiver_id, [same])
            return (await ask()).as_response()

        mempool.trouble = overtaken
        world.worker_settings = {"NEAR_RPC_URL": mempool.url}
        worker = await started(world)
        (registered,) = await world.registered()
        assert (registered["payer"], registered["public_key"]) == (stranger.account_id, worker.health()["public_key"])
        assert "somebody was faster than transaction" in worker.tail(100_000)
        assert (await world.hear(alice)).value == "hello"


async def test_a_revoked_key_stops_the_worker_with_a_clear_line(tmp_path):
    async with TeeWorld(tmp_path) as world:
        (alice,) = await world.add_people(1)
        worker = await started(world)
        key = worker.health()["public_key"]
        await world.own("revoke_worker", public_key=key)
        await world.ask(alice)
        sentence = f"the owner of {OPERATOR} has revoked this worker's key {key}; it answers no more"
        async with asyncio.timeout(40):
            while worker.health()["problems"] != [f"chain: {sentence}"]:
                await asyncio.sleep(0.2)
        assert await world.pending() == [0]
        assert sentence in worker.tail(100_000)


async def test_a_request_that_one_rpc_invents_is_neither_run_nor_answered(tmp_path):
    async with TeeWorld(tmp_path, policy=TWO_NODES) as world, Proxy(world.chain.rpc_url) as liar:
        (alice,) = await world.add_people(1)
        world.worker_settings = {"NEAR_RPC_URL": f"{liar.url},{world.chain.rpc_url}", "NEARDATA_API_URL": ""}
        liar.trouble = invents_a_request
        worker = await started(world)
        assert (await world.hear(alice)).value == "hello"
        async with asyncio.timeout(30):
            while worker.health()["status"] == "ok":
                await asyncio.sleep(0.1)
        (problem,) = worker.health()["problems"]
        assert problem.startswith(f"chain: independent nodes disagree on request {INVENTED}: ")
        async with asyncio.timeout(30):
            while worker.get("/requests/0")["stage"] != "done":
                await asyncio.sleep(0.1)
        assert [job["request_id"] for job in worker.get("/requests")["requests"]] == [0]
        assert worker.health()["answered"] == {"success": 1, "failure": 0}


async def invents_a_request(request, ask):
    """A node that says of one request more than there are that it waits for an answer."""
    body = await request.json()
    answer = await ask()
    method = body.get("params", {}).get("method_name") if isinstance(body.get("params"), dict) else None
    if method == "get_pending_request_ids":
        return with_result(answer, json.dumps([*result_of(answer), INVENTED]))
    if method == "get_request" and result_of(answer) is None and asked_id(body) == INVENTED:
        return with_result(answer, json.dumps(invented()))
    return answer.as_response()


def invented():
    source = {"WasmUrl": {"url": "https://example.com/evil.wasm", "hash": "ee" * 32, "build_target": "wasm32-wasip1"}}
    limits = {"max_instructions": 1_000_000, "max_memory_mb": 16, "max_execution_seconds": 5}
    return {
        "request_id": INVENTED, "sender_id": "victim.test.near", "predecessor_id": "victim.test.near", "source": source,
        "resource_limits": limits, "input_data": "transfer everything", "response_format": "Text", "payment": "1", "timestamp": 1,
    }  # fmt: skip


def asked_id(body):
    return json.loads(base64.b64decode(body["params"]["args_base64"]))["request_id"]


def result_of(answer):
    return json.loads(bytes(json.loads(answer.body)["result"]["result"]))


def with_result(answer, text):
    told = json.loads(answer.body)
    told["result"]["result"] = list(text.encode())
    return web.json_response(told)


async def test_an_unapproved_worker_does_not_start_and_says_what_would_approve_it(tmp_path):
    async with TeeWorld(tmp_path, approved=False) as world:
        with pytest.raises(AssertionError, match="ended with 1"):
            await started(world)
        said = world.worker.tail(20_000)
        assert all(value in said for value in world.measurements.values())
        assert f"near call {OPERATOR} add_approved_measurements" in said
        assert "Traceback" not in said
