"""What real workers sign, store and send is what verifies: their receipts against the chain's word, on processes of their own."""

import asyncio
import dataclasses
import json

import pytest
from py_near import transactions as near

from oracle.cli.verify_online import our_code
from oracle.flows.verify.agreement import check_chain
from oracle.flows.verify.check import Verdict
from oracle.flows.verify.fetch import fetch_bundle
from oracle.flows.verify.nodes import ask_nodes
from oracle.flows.verify.offline import check_offline
from oracle.flows.verify.report import Overall, verdict_of
from oracle.flows.verify.terms import Terms
from oracle.ports import SystemClock
from oracle.settings import Listen
from oracle.tee.bundle import read_bundle
from oracle.tee.policy import AcceptedMeasurements, Policy
from oracle.tee.root import INTEL, Root
from oracle.tee.simulator import SimulatorOptions
from tests.acceptance.harness import Ask, World
from tests.acceptance.harness.proxy import Proxy, error_500, pass_on
from tests.acceptance.harness.tee import TeeWorld
from tests.acceptance.harness.world import guest_path
from tests.acceptance.verify.chain_stage import MAIN
from tests.acceptance.verify.test_chain import question_of
from tests.unit.oracle.flows.verify.good import file_of

ODD_JSON = '\n\t  {"b": 1.50,  "a": [1E+2, -0.0, 12345678901234567890123, "\\u0041"]}\n\n\n '
"""More white space around it than a verifier guesses, and numbers, escapes and keys that a contract's parser would spell in another way."""
ASKS = {
    "text": Ask(),
    "odd json": Ask(input_data=ODD_JSON, response_format="Json"),
    "long input": Ask(input_data="x" * 12_000),
    "long output": Ask(input_data="y" * 5_000),
    "json": Ask(input_data=' {"a": 1.50, "b": [true, null]}\n', response_format="Json"),
    "bytes": Ask(input_data="\u00e9\n", response_format="Bytes"),
    "not json": Ask(response_format="Json"),
    "other code": Ask(source={"WasmUrl": {"url": guest_path("echo").as_uri(), "hash": "ab" * 32}}),
    "compile only": Ask(limits=None, input_data=""),
}
ONLY_IN_A_TEE = {5, 6, 7, 8, 9, 10, 11, 12, 13, 26, 27, 28}


async def verify(world, request_id, terms, request_transaction=None):
    """All checks of a request, by what its worker serves and the chain's node says."""
    terms = dataclasses.replace(terms, request_id=request_id, contract_id=MAIN, now_s=SystemClock().now_ns() // 10**9)
    fetched = await fetch_bundle(world.worker.api_url, request_id)
    found = check_offline(fetched.raw, terms)
    evidence = found.evidence
    question = question_of(evidence.bundle, evidence.receipt, answer_transaction=fetched.answer_transaction)
    if request_transaction is not None:
        question = dataclasses.replace(question, request_transaction=request_transaction)
    words = await ask_nodes([world.chain.rpc_url], question, SystemClock())
    return found.checks + check_chain(evidence, words, terms, our_code())


def not_passed(checks):
    return {check.number: (check.verdict, check.seen, check.expected) for check in checks if check.verdict is not Verdict.PASS}


@pytest.mark.parametrize("blocks", ["block API", "RPC alone"])
async def test_every_answer_of_a_worker_is_told_by_the_chain_as_its_receipt_tells_it(tmp_path, blocks):
    from_rpc_alone = blocks == "RPC alone"
    terms = Terms(Policy(two_nodes=False), INTEL, 0)
    async with World(tmp_path, worker_settings={"NEARDATA_API_URL": ""} if from_rpc_alone else {}) as world:
        (person,) = await world.add_people(1)
        world.start_worker()
        for name, ask in ASKS.items():
            transaction = (await world.ask(person, ask))["transaction"]["hash"]
            heard = await world.heard(transaction, person.account_id)
            checks = await verify(world, heard.request_id, terms, transaction if from_rpc_alone else None)
            left = not_passed(checks)
            assert set(left) == ONLY_IN_A_TEE | {31}, (name, left)  # no block is trusted
            assert verdict_of(checks) is Overall.UNPROVEN, name


async def close(world):
    """From now on only the register contract gives keys of the operator's account."""
    await world.client.commit(
        world.operator, world.operator.account_id, [near.create_delete_access_key_action(world.operator.public_bytes)]
    )


async def only_the_very_bytes_are_taken(world, request_id, terms):
    """JSON that is the same to everybody who reads it is another output all the same."""
    bundle = read_bundle((await fetch_bundle(world.worker.api_url, request_id)).raw)
    assert bundle.output_bytes == ODD_JSON.encode()
    for spelling in (ODD_JSON.strip(), json.dumps(json.loads(ODD_JSON)), ODD_JSON + " "):
        assert json.loads(spelling) == json.loads(ODD_JSON)
        respelled = file_of(dataclasses.replace(bundle, output_bytes=spelling.encode()))
        checks = check_offline(respelled, dataclasses.replace(terms, now_s=SystemClock().now_ns() // 10**9)).checks
        assert [check.number for check in checks if check.verdict is Verdict.FAIL] == [3]


def terms_of(world):
    """Who accepts this machine's software, and its root."""
    measured = AcceptedMeasurements(**{f"{name}_hex": value for name, value in world.measurements.items()})
    return Terms(Policy(measurements=(measured,), two_nodes=False), Root(world.simulator.root_der), 0)


async def test_every_answer_of_a_registered_worker_is_proven_also_when_receipts_share_a_quote(tmp_path):
    async with TeeWorld(tmp_path, worker_settings={"QUOTE_BATCH_MS": "100"}) as world:
        people = await world.add_people(4)
        await asyncio.to_thread(world.start_worker)
        await close(world)
        heard = await asyncio.gather(*(world.hear(person, ask) for person, ask in zip(people, ASKS.values(), strict=False)))
        terms = terms_of(world)
        shared = []
        for one in heard:
            checks = await verify(world, one.request_id, terms)
            assert verdict_of(checks) is Overall.PROVEN, not_passed(checks)
            shared += [check.expected for check in checks if check.number == 10 and "of the batch" in check.expected]
        assert shared
        await only_the_very_bytes_are_taken(world, heard[list(ASKS).index("odd json")].request_id, terms)


async def test_answers_that_left_without_a_quote_are_proven_once_the_socket_is_back_unless_the_worker_was_killed(tmp_path):
    simulated = SimulatorOptions(listen=Listen("127.0.0.1", 0))
    async with TeeWorld(tmp_path, options=simulated) as world, Proxy(world.simulator.url) as socket:
        world.worker_settings = {"DSTACK_SIMULATOR_ENDPOINT": socket.url}
        people = await world.add_people(2)
        await asyncio.to_thread(world.start_worker)
        await close(world)
        terms = terms_of(world)
        socket.trouble = error_500
        heard = await asyncio.gather(*(world.hear(person) for person in people))
        assert world.worker.health()["unquoted_receipts"] == {"waiting": 2, "given_up": 0}
        assert verdict_of(await verify(world, heard[0].request_id, terms)) is Overall.UNPROVEN
        socket.trouble = pass_on
        async with asyncio.timeout(60):
            while world.worker.health()["unquoted_receipts"]["waiting"]:
                await asyncio.sleep(0.1)
        for one in heard:
            checks = await verify(world, one.request_id, terms)
            assert verdict_of(checks) is Overall.PROVEN, not_passed(checks)
        socket.trouble = error_500
        lost = (await world.hear(people[0])).request_id
        receipt = (await fetch_bundle(world.worker.api_url, lost)).raw
        world.worker.kill()
        socket.trouble = pass_on
        await asyncio.to_thread(world.start_worker)
        assert world.worker.health()["unquoted_receipts"] == {"waiting": 0, "given_up": 0}
        assert (await fetch_bundle(world.worker.api_url, lost)).raw == receipt
