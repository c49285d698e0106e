import asyncio
import json

import pytest

from oracle.model import Answer, Job, Limits, Origin, OutputFormat, Request, Stage, WasmUrl, YoctoNear
from oracle.ports import ChainIdentity
from oracle.settings import HomeSettings, read_settings
from oracle.store import SqliteJobs

OUTCOME = {
    "request_id": 7, "status": "Failed", "success": False, "error": "out of instructions",
    "resources_used": {"instructions": 5, "time_ms": 2, "compile_time_ms": None}, "payment_charged": str(10**21),
    "payment_refunded": "0", "receipt_sha256": None, "block_height": 90, "timestamp": 1, "a_newer_field": 1,
}  # fmt: skip
PENDING = {
    "request_id": 7, "sender_id": "alice.near", "predecessor_id": "client.near", "payment": str(10**22), "timestamp": 1,
    "code_source": {"WasmUrl": {"url": "https://x/m", "hash": "ab" * 32}}, "resource_limits": {},
    "input_data": "", "response_format": "Text",
}  # fmt: skip


async def keep(job: Job) -> None:
    path = read_settings(HomeSettings).database_path
    path.parent.mkdir(parents=True, exist_ok=True)
    async with SqliteJobs(path) as store:
        await store.bind(ChainIdentity("localnet", "outlayer.test.near", "genesis"))
        await store.adopt(job)
        await store.save(job)


def job() -> Job:
    source = WasmUrl("https://x/m", "ab" * 32)
    request = Request(7, "alice.near", "client.near", source, Limits(), "hidden input", OutputFormat.TEXT, YoctoNear(10**22), 1)
    return Job(request, Origin("TX", "R", 80), Stage.ANSWERING, "ab" * 32, answer=Answer(7, success=True, output=b"hidden output"))


@pytest.fixture
def chain(node, settings):
    node.views |= {"get_request": None, "get_outcome": None}
    return node


@pytest.mark.parametrize("text", ["abc", "-1", "1.0", "", "\u0667", str(2**63), "9" * 5_000])
def test_what_is_no_number_of_a_request_is_told_with_where_to_find_one(chain, oracle, text):
    code, out, err = oracle("show", "--", text)
    assert (code, out) == (2, "")
    assert f"{text[:40]!r} is no request's number: those go from 0 to {2**63 - 1}; oracle request tells it" in err


def test_the_greatest_number_is_one(chain, oracle):
    assert oracle("show", str(2**63 - 1))[0] == 1


def test_a_request_that_waits_is_shown_with_its_payment(chain, oracle):
    chain.views["get_request"] = PENDING
    code, out, _ = oracle("show", "7")
    assert code == 0
    assert "waits for an answer; 0.01 NEAR paid by client.near" in out


def test_a_reason_keeps_its_lines_and_steers_no_terminal(chain, oracle):
    chain.views["get_outcome"] = {**OUTCOME, "error": "main.c:3\n\x9b2J\x07"}
    assert "failed: main.c:3\n\ufffd2J\ufffd\n" in oracle("show", "7")[1]


def test_a_settled_request_is_shown_with_its_reason_and_price(chain, oracle):
    chain.views["get_outcome"] = OUTCOME
    code, out, _ = oracle("show", "7")
    assert code == 0
    assert "failed: out of instructions" in out
    assert "charged 0.001 NEAR, refunded 0 NEAR" in out
    told = json.loads(oracle("show", "7", "--json")[1])
    assert (told["chain"]["status"], told["chain"]["instructions"], told["job"]) == ("failed", 5, None)


async def kept_and_shown(oracle_in_thread, *arguments):
    await keep(job())
    return await asyncio.to_thread(oracle_in_thread, *arguments)


async def test_the_workers_job_is_shown_without_input_and_output(chain, oracle):
    code, out, _ = await kept_and_shown(oracle, "show", "7", "--json")
    told = json.loads(out)["job"]
    assert (code, told["stage"], told["answer"]["success"]) == (0, "answering", True)
    assert "hidden" not in out
    assert told["origin"]["transaction_hash"] == "TX"


async def test_with_the_chain_away_the_job_is_shown_and_the_trouble_told(chain, oracle, settings):
    settings.setenv("NEAR_RPC_URL", "http://127.0.0.1:9")
    code, out, err = await kept_and_shown(oracle, "show", "7")
    assert code == 0
    assert "worker     answering" in out
    assert "asked      by alice.near through client.near in transaction TX, block 80" in out
    assert "answer     13 bytes of output" in out
    assert "the contract cannot be asked" in err


def test_a_request_nobody_knows_is_exit_code_1(chain, oracle):
    code, out, err = oracle("show", "8")
    assert (code, out) == (1, "")
    assert "knows request 8" in err


def test_a_contract_that_keeps_no_outcomes_is_told_so(chain, oracle):
    del chain.views["get_outcome"]
    code, _, err = oracle("show", "7")
    assert code == 1
    assert "keeps no outcomes" in err


@pytest.mark.parametrize("text", ["x", "-1", "99999999999999999999"])
def test_a_request_id_is_a_number(chain, oracle, text):
    assert oracle("show", "--", text)[0] == 2
