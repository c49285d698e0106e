"""`--evm-rpc` of `oracle verify` and `oracle tee info`, with a DstackApp contract on an EVM in this process."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from oracle.tee.simulator import MachineOptions, Simulator, SimulatorOptions
from tests.unit.oracle.flows.verify.good import Good, file_of
from tests.unit.oracle.tee.dstack_app import ALLOWED, NOT_ALLOWED, SECRET, Evm, app_contract, node_that, saying

PROVEN, FAILED, UNPROVEN, USAGE = 0, 1, 3, 64
ADD, REMOVE = "addComposeHash(bytes32)", "removeComposeHash(bytes32)"
NOBODY = f"http://127.0.0.1:9/{SECRET}"


@pytest.fixture(scope="module")
def evm():
    return Evm()


@pytest.fixture(scope="module")
def app_id(evm):
    """The address of an application's contract, which allows nothing yet."""
    return evm.deploy(app_contract())


def options_of(app_id):
    return SimulatorOptions(seed="owned", machine=MachineOptions(app_id=bytes.fromhex(app_id.removeprefix("0x"))))


@pytest.fixture
def verify(oracle, settings, app_id, tmp_path):
    """`oracle verify` of a good bundle of that application; no NEAR node is known."""
    settings.delenv("NEAR_RPC_URL")
    settings.delenv("NEAR_NETWORK_ID")
    settings.delenv("OFFCHAINVM_CONTRACT_ID")
    good = Good(Simulator(options_of(app_id)))
    names = ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")
    registers = "\n".join(f'{name} = "{value}"' for name, value in zip(names, good.measurements_hex, strict=True))
    (tmp_path / "bundle.json").write_bytes(file_of(good.bundle()))
    (tmp_path / "root.der").write_bytes(good.root.der)
    (tmp_path / "policy.toml").write_text(f"[[measurements]]\n{registers}\n")

    async def run(*arguments):
        trust = ("--policy", str(tmp_path / "policy.toml"), "--root-ca", str(tmp_path / "root.der"))
        return await asyncio.to_thread(oracle, "verify", str(tmp_path / "bundle.json"), *trust, *arguments)

    return run


def compose_hash(app_id):
    return Simulator(options_of(app_id)).machine.options.compose.sha256


@asynccontextmanager
async def allowing(evm, app_id):
    evm.call(app_id, ADD, compose_hash(app_id))
    async with node_that(evm.handle) as url:
        yield url
    evm.call(app_id, REMOVE, compose_hash(app_id))


async def asked(verify, *arguments):
    code, out, err = await verify(*arguments, "--json")
    assert SECRET not in out + err
    told = json.loads(out)
    return code, told, next((check for check in told["checks"] if check["number"] == 19), None)


async def test_what_the_owner_allows_and_takes_back_is_the_verdict(verify, evm, app_id):
    async with allowing(evm, app_id) as url:
        chain_id = str(evm.web3.eth.chain_id)
        _, told, check = await asked(verify, "--evm-rpc", url, "--evm-chain-id", chain_id)
        assert (told["offline"], told["owner"], check["verdict"]) == ("PROVEN", "PROVEN", "PASS"), check
        assert (told["chain"], told["decided_by"]) == ("UNPROVEN", 21)
        evm.call(app_id, REMOVE, compose_hash(app_id))
        code, told, check = await asked(verify, "--evm-rpc", url)
        assert (code, told["verdict"], told["decided_by"], check["verdict"]) == (FAILED, "FAILED", 19, "FAIL")
        assert "does not allow it" in check["seen"]


async def test_people_read_the_place_of_the_node_and_not_its_key(verify, evm, app_id):
    async with allowing(evm, app_id) as url:
        _, out, err = await verify("--evm-rpc", url)
    place = url.removesuffix(f"/v3/{SECRET}")
    assert "What the application's owner says: PROVEN" in out
    assert f"19 PASS     The application's owner allows the compose file\n         seen      {place}/… says that it allows it" in out
    assert SECRET not in out + err


async def test_without_a_node_no_such_check_is_made(verify):
    code, told, check = await asked(verify, "--offline")
    assert (code, told["owner"], check) == (PROVEN, None, None)


async def test_a_node_that_does_not_answer_leaves_it_unproven(verify):
    code, told, check = await asked(verify, "--evm-rpc", NOBODY)
    assert (code, told["owner"], check["verdict"], check["needed"]) == (UNPROVEN, "UNPROVEN", "UNKNOWN", True)
    assert told["decided_by"] == 19


async def test_two_nodes_that_differ_leave_it_unproven(verify):
    async with node_that(saying(ALLOWED)) as one, node_that(saying(NOT_ALLOWED)) as other:
        _, told, check = await asked(verify, "--evm-rpc", one, "--evm-rpc", other)
    assert (told["owner"], "nodes differ" in check["seen"]) == ("UNPROVEN", True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--offline", "--evm-rpc", NOBODY),
        ("--evm-chain-id", "8453"),
        ("--evm-rpc", f"ftp://node/{SECRET}"),
        ("--evm-rpc", SECRET),
        ("--evm-rpc", NOBODY, "--evm-chain-id", "0"),
        ("--evm-rpc", NOBODY, "--evm-chain-id", "Base"),
    ],
)
async def test_wrong_usage_is_told_without_the_key(verify, arguments):
    code, out, err = await verify(*arguments)
    assert (code, out) == (USAGE, "")
    assert "Error: " in err
    assert SECRET not in err


@pytest.fixture
async def info(oracle, settings, app_id):
    """`oracle tee info` beside a machine of that application."""
    async with Simulator(options_of(app_id)) as simulator:
        settings.setenv("DSTACK_SIMULATOR_ENDPOINT", str(simulator.socket_path))

        async def run(*arguments):
            code, out, err = await asyncio.to_thread(oracle, "tee", "info", *arguments)
            assert SECRET not in out + err
            return code, out

        yield run


async def test_info_tells_what_the_owner_says_of_the_machines_compose_file(info, evm, app_id):
    async with allowing(evm, app_id) as url:
        code, out = await info("--evm-rpc", url)
        assert (code, "the owner     http://127.0.0.1:" in out, "says that it allows it" in out) == (0, True, True)
        code, out = await info("--evm-rpc", url, "--json")
        assert (code, json.loads(out)["owner"]["allows"]) == (0, True)
        evm.call(app_id, REMOVE, compose_hash(app_id))
        code, out = await info("--evm-rpc", url, "--json")
        assert (code, json.loads(out)["owner"]["allows"]) == (1, False)


async def test_info_finds_the_node_in_the_settings(info, settings):
    async with node_that(saying(ALLOWED)) as url:
        settings.setenv("TEE_EVM_RPC_URL", url)
        settings.setenv("TEE_EVM_CHAIN_ID", "1")
        code, out = await info("--json")
        assert (code, json.loads(out)["owner"]["allows"]) == (1, None)
        assert "chain 1 is expected" in json.loads(out)["owner"]["reason"]
        assert (await info("--evm-chain-id", "8453"))[0] == 0


async def test_info_asks_nobody_without_a_node(info):
    code, out = await info("--json")
    assert (code, json.loads(out)["owner"]) == (0, None)
    assert (await info("--evm-chain-id", "8453"))[0] == 2
