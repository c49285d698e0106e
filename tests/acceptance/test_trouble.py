"""The road to the chain in trouble: the worker says so, backs off, and goes on by itself; every request is answered once."""

import asyncio

import pytest
import pytest_asyncio

from tests.acceptance.harness import Ask, World, proxy

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOLD_WITHIN_S = 15.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def behind_proxy(tmp_path_factory):
    """A world whose worker reaches the chain through a proxy; askers reach it directly."""
    async with World(tmp_path_factory.mktemp("trouble")) as world, proxy.Proxy(world.chain.rpc_url) as between:
        world.worker_settings |= {"NEAR_RPC_URL": between.url, "NEARDATA_API_URL": between.url}
        await world.add_people(3)
        await asyncio.to_thread(world.start_worker)
        yield world, between


async def ask_all(world, word):
    """One request of each person, on the way; their answers are what they said."""
    return [asyncio.create_task(heard(world, person, f"{word} {index}")) for index, person in enumerate(world.people)]


async def heard(world, person, text):
    told = await world.hear(person, Ask(input_data=text), 60.0)
    assert told.value == text
    return told.request_id


async def each_once(world, request_ids):
    completed = await world.completions()
    assert [completed[request_id] for request_id in request_ids] == [1] * len(request_ids)


async def until_health(world, holds):
    """The worker's `/health` once it says so."""
    async with asyncio.timeout(TOLD_WITHIN_S):
        while not holds(health := await asyncio.to_thread(world.worker.health)):
            await asyncio.sleep(0.05)
    return health


def says_chain_trouble(health):
    return health["status"] == "trouble" and any(problem.startswith("chain: ") for problem in health["problems"])


async def is_well_again(world):
    await until_health(world, lambda health: health["status"] == "ok" and not health["jobs"])


async def test_a_node_that_is_down_for_a_while_is_waited_for(behind_proxy):
    world, between = behind_proxy
    before = await ask_all(world, "before")
    await between.hang_up()
    during = await ask_all(world, "during")
    await until_health(world, says_chain_trouble)
    await between.listen()
    await each_once(world, await asyncio.gather(*before, *during))
    await is_well_again(world)


@pytest.mark.parametrize("trouble", [proxy.error_500, proxy.node_out_of_sync, proxy.garbage, proxy.page, proxy.truncated])
async def test_a_node_that_answers_with_nonsense_is_waited_for(behind_proxy, trouble):
    world, between = behind_proxy
    before = await ask_all(world, "before")
    between.trouble = trouble
    during = await ask_all(world, "during")
    await until_health(world, says_chain_trouble)
    between.trouble = proxy.pass_on
    await each_once(world, await asyncio.gather(*before, *during))
    await is_well_again(world)


@pytest.mark.parametrize("trouble", [proxy.repeated, proxy.called_skipped])
async def test_a_block_told_wrongly_is_asked_for_again_and_none_is_lost(behind_proxy, trouble):
    world, between = behind_proxy
    between.trouble = trouble
    during = await ask_all(world, "during")
    await until_health(world, lambda health: health["cursor_height"] < health["head_height"] or health["status"] == "trouble")
    between.trouble = proxy.pass_on
    await each_once(world, await asyncio.gather(*during))
    await is_well_again(world)


@pytest.mark.parametrize("trouble", [proxy.slow, proxy.now_and_then(proxy.error_500), proxy.now_and_then(proxy.truncated)])
async def test_a_node_that_is_slow_or_fails_now_and_then_delays_answers_and_loses_none(behind_proxy, trouble):
    world, between = behind_proxy
    between.trouble = trouble
    answered = await asyncio.gather(*await ask_all(world, "one"), *await ask_all(world, "two"))
    between.trouble = proxy.pass_on
    await each_once(world, answered)
    await is_well_again(world)


async def test_heights_without_a_block_are_passed_over(tmp_path):
    async with World(tmp_path) as world, proxy.Proxy(world.chain.rpc_url) as between:
        between.trouble = proxy.every_other_height
        world.worker_settings |= {"NEAR_RPC_URL": between.url, "NEARDATA_API_URL": between.url}
        await world.add_people(3)
        await asyncio.to_thread(world.start_worker)
        answered = await asyncio.gather(*await ask_all(world, "skip"))
        await each_once(world, answered)
        head = await world.head_height()
        health = await until_health(world, lambda health: health["cursor_height"] >= 2 * head)
        assert health["status"] == "ok", health


async def test_a_worker_without_a_block_api_answers_all_the_same(tmp_path):
    async with World(tmp_path) as world, proxy.Proxy(world.chain.rpc_url) as between:
        world.worker_settings |= {"NEAR_RPC_URL": between.url, "NEARDATA_API_URL": ""}
        await world.add_people(3)
        await asyncio.to_thread(world.start_worker)
        first = await asyncio.gather(*await ask_all(world, "first"))
        between.trouble = proxy.error_500
        during = await ask_all(world, "during")
        await until_health(world, says_chain_trouble)
        between.trouble = proxy.pass_on
        await each_once(world, first + await asyncio.gather(*during))


async def test_of_several_nodes_one_that_answers_is_enough(tmp_path):
    async with World(tmp_path) as world, proxy.Proxy(world.chain.rpc_url) as between:
        between.trouble = proxy.error_500
        world.worker_settings |= {"NEAR_RPC_URL": f"{between.url},{world.chain.rpc_url}"}
        await world.add_people(3)
        await asyncio.to_thread(world.start_worker)
        await each_once(world, await asyncio.gather(*await ask_all(world, "first")))
        between.trouble = proxy.pass_on
        world.chain.kill()
        await asyncio.to_thread(world.chain.start)
        await each_once(world, await asyncio.gather(*await ask_all(world, "second")))
