"""Everything a stranger may ask for that cannot work: each is answered on chain with its reason in a sentence, and the worker lives."""

import asyncio
import contextlib
import json
import re

import pytest
import pytest_asyncio
from aiohttp import web
from py_near import transactions as near

from tests.acceptance import hostile_cases
from tests.acceptance.harness import OUTLAYER, Ask, Signer, World
from tests.acceptance.harness.client import NEAR, new_account
from tests.acceptance.harness.world import contract, guest_path
from tests.acceptance.logger_contract import LOGGER, log, log_and_fail

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE_S = 90.0
BASE_FEE_YOCTO = 10**21
FORGED_ID, UNDONE_ID = 77_777, 88_888
GROUPS = (
    hostile_cases.code_that_cannot_be_had,
    hostile_cases.code_that_cannot_be_run,
    hostile_cases.guests_that_misbehave,
    hostile_cases.what_works,
)


async def endless(request):
    response = web.StreamResponse()
    await response.prepare(request)
    block = bytes(1 << 20)
    with contextlib.suppress(ConnectionError):
        for _ in range(80):
            await response.write(block)
    return response


def pages():
    async def redirect(request):
        raise web.HTTPFound({"loop": "/loop", "to-file": "file:///etc/passwd", "to-metadata": "http://169.254.169.254/"}[request.path[1:]])

    async def page(_):
        return web.Response(text="<!doctype html><title>Not found</title>", content_type="text/html")

    async def echo(_):
        return web.Response(body=guest_path("echo").read_bytes(), content_type="application/wasm")

    app = web.Application()
    redirects = [web.get(f"/{name}", redirect) for name in ("loop", "to-file", "to-metadata")]
    app.add_routes([*redirects, web.get("/page", page), web.get("/echo.wasm", echo), web.get("/endless", endless)])
    return app


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory, pytestconfig):
    async with World(tmp_path_factory.mktemp("hostile"), worker_settings={"BUILD_BACKEND": "none"}) as world:
        # The C library is built once for all tests, not once for each home.
        build_cache = world.home / "worker" / "cache" / "build"
        build_cache.mkdir(parents=True)
        zig_cache = pytestconfig.cache.mkdir("zig-builds") / "zig"
        zig_cache.mkdir(exist_ok=True)
        (build_cache / "zig").symlink_to(zig_cache)
        await asyncio.to_thread(world.start_worker)
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(world, tmp_path_factory):
    """All cases, asked at once: what came of each, by group and name."""
    runner = web.AppRunner(pages())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    place = hostile_cases.Place(tmp_path_factory.mktemp("code"), f"http://127.0.0.1:{runner.addresses[0][1]}")
    people = await world.add_people(4)
    await say_as_the_contract(world, [requested(request_id=FORGED_ID)])
    cases = {(group, name): case for group in GROUPS for name, case in group(place).items()}
    asked = [world.hear(people[index % 4], case.ask, PATIENCE_S) for index, case in enumerate(cases.values())]
    try:
        heard = await asyncio.gather(*asked, return_exceptions=True)
    finally:
        await runner.cleanup()
    return {key: (case, found) for (key, case), found in zip(cases.items(), heard, strict=True)}


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
async def test_each_is_answered_as_it_must_be(group, told, subtests):
    for (of_group, name), (case, heard) in told.items():
        if of_group is group:
            with subtests.test(name):
                judge(case, heard)


def judge(case, heard):
    if isinstance(heard, BaseException):
        raise heard
    assert heard.completed["success"] is (case.reason is None), heard.reason
    assert heard.value == case.value
    if case.reason is not None:
        assert re.search(case.reason, heard.reason, re.DOTALL), heard.reason
        assert 20 <= len(heard.reason) <= 600
        assert int(heard.completed["payment_charged"]) == BASE_FEE_YOCTO


async def test_what_failed_is_told_by_get_outcome_and_the_worker_alike(world, told):
    for _, heard in told.values():
        outcome, job = await world.outcome(heard.request_id), await asyncio.to_thread(world.worker.get, f"/requests/{heard.request_id}")
        assert outcome["success"] is heard.completed["success"] is job["answer"]["success"]
        assert (outcome["error"] or "")[:200] == (job["answer"]["error"] or "")[:200]


async def test_receipts_name_what_built_the_module_where_that_was_done_here(world, told):
    named = {}
    for (_, name), (case, heard) in told.items():
        bundle = await asyncio.to_thread(world.worker.get, f"/attestations/{heard.request_id}")
        receipt = json.loads(bundle["receipt"])
        if receipt["toolchain"] is not None:
            named[name] = case, receipt
    (case, receipt) = named.pop("C from a repository")
    assert (receipt["source"]["kind"], receipt["toolchain"]["name"], receipt["toolchain"]["target"]) == ("GitHub", "zig cc", "wasm32-wasi")
    assert receipt["wasm_sha256"] is not None
    assert all("GitHub" in case.ask.source for case, _ in named.values())


async def test_after_all_this_the_worker_is_well_and_owes_nothing(world, told):
    (person,) = await world.add_people(1)
    assert (await world.hear(person, Ask(input_data="still here"))).value == "still here"
    health = world.worker.health()
    assert (health["status"], health["running_guests"]) == ("ok", 0), health
    assert await world.pending() == []
    balances = await world.balances()
    assert balances.pending_payments == 0
    assert balances.balance >= balances.required


def event(name, data, standard="near-outlayer"):
    return "EVENT_JSON:" + json.dumps({"standard": standard, "version": "1.0.0", "event": name, "data": data})


def requested(**changes):
    """An event that a worker would act on, were it the contract's."""
    data = {
        "request_id": FORGED_ID,
        "sender_id": "a.near",
        "input_data": "",
        "resource_limits": Ask().limits,
        "payment": "1",
        "timestamp": 1,
    }
    data |= {"code_source": Ask().arguments()["source"], "response_format": "Text"} | changes
    return event("execution_requested", [{"request_data": json.dumps(data), "data_id": [0] * 32, "timestamp": 1}])


async def say_as_the_contract(world, texts):
    """Let the main contract log these; within one transaction nobody sees its own code gone."""
    actions = [near.create_deploy_contract_action(LOGGER), *map(log, texts), near.create_deploy_contract_action(contract("outlayer"))]
    await world.client.commit(Signer.named(OUTLAYER), OUTLAYER, actions)


def malformed_events():
    deep = '{"a":' * 2_000 + "1" + "}" * 2_000
    return [
        "EVENT_JSON:",
        "EVENT_JSON:{near-outlayer",
        "EVENT_JSON:null",
        "EVENT_JSON:[" + "near-outlayer" + "[" * 10_000,
        f'EVENT_JSON:{{"standard":"near-outlayer","version":"1","event":"execution_requested","data":[{{"request_data":{json.dumps(deep)}}}]}}',
        event("execution_requested", []),
        event("execution_requested", [None, 1, "x", {"request_data": 5}]),
        event("execution_requested", [{"request_data": "{}"}] * 100),
        event("execution_requested", "x" * 15_000),
        event("execution_completed", [{"request_id": -1, "success": True}]),
        event("execution_completed", [{"request_id": 10**40, "success": "yes"}]),
        event("execution_extended", [{"request_id": None}]),
        event("something_new", [{"request_id": 1}]),
        requested(request_id=-5),
        requested(request_id=2**64),
        requested(request_id=True),
        requested(payment="-1"),
        requested(code_source={}),
        requested(code_source={"WasmUrl": {"url": 5, "hash": None}}),
        requested(resource_limits={"max_instructions": "many"}),
        requested(response_format="Xml"),
        "EVENT_JSON:" + '{"standard":"near-outlayer"}\0\ufeff',
    ]


async def test_malformed_events_of_the_contract_are_recorded_and_stop_nothing(world):
    before = unreadable(world)
    await say_as_the_contract(world, malformed_events()[:11])
    await say_as_the_contract(world, malformed_events()[11:])
    (person,) = await world.add_people(1)
    assert (await world.hear(person, Ask(input_data="and on"))).value == "and on"
    assert unreadable(world) - before >= 12
    assert world.worker.health()["status"] == "ok"


async def test_an_event_that_was_undone_or_is_another_contracts_is_not_acted_on(world):
    stranger = Signer.named("stranger.test.near")
    await world.client.commit(world.root, stranger.account_id, new_account(stranger, 10 * NEAR, LOGGER))
    before = unreadable(world)
    await world.client.commit(stranger, stranger.account_id, [log(requested(request_id=UNDONE_ID))])
    await world.client.commit(stranger, stranger.account_id, [log(event("execution_requested", [None]))])
    contract_key = Signer.named(OUTLAYER)
    undone = [near.create_deploy_contract_action(LOGGER), log(requested(request_id=UNDONE_ID)), log_and_fail("no")]
    outcome = await world.client.send(contract_key, OUTLAYER, undone, wait_until="FINAL")
    assert "Failure" in outcome["status"]
    (person,) = await world.add_people(1)
    assert (await world.hear(person, Ask(input_data="unmoved"))).value == "unmoved"
    assert unreadable(world) == before
    assert UNDONE_ID not in {job["request_id"] for job in world.worker.get("/requests?limit=200")["requests"]}


async def test_a_forged_request_that_the_contract_does_not_know_settles_by_itself(world, told):
    async with asyncio.timeout(40):
        while (job := await asyncio.to_thread(world.worker.get, f"/requests/{FORGED_ID}"))["stage"] != "done":
            await asyncio.sleep(0.1)
    assert job["settled_by"] == "gone"


def unreadable(world):
    """How many events the worker could not read, as its metrics tell."""
    found = re.search(r'^oracle_stored\{kind="unreadable"\} (\d+)', world.worker.get("/metrics"), re.MULTILINE)
    return int(found[1]) if found else 0
