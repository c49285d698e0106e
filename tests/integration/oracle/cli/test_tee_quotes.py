"""`oracle tee info`, `quote` and `verify-quote` against the simulator and the quotes of real machines."""

import asyncio
import base64
import hashlib
import json

import pytest

from oracle.cli.tee.quote import user_report_data
from oracle.tee.quote import parse_quote, read_quote
from oracle.tee.simulator import Simulator, SimulatorOptions
from tests.unit.oracle.tee.samples import AT_S, QUOTES, sample_file

PROVEN, FAILED, UNPROVEN, USAGE, CONFIGURATION = 0, 1, 3, 64, 2


@pytest.fixture
async def simulator():
    async with Simulator(SimulatorOptions(seed="quote commands", clock=lambda: AT_S)) as running:
        yield running


@pytest.fixture
def ask(oracle, settings, simulator):
    """A command beside the simulator, which needs the loop of this test."""
    settings.setenv("DSTACK_SIMULATOR_ENDPOINT", str(simulator.socket_path))

    async def run(*arguments):
        return await asyncio.to_thread(oracle, "tee", *arguments)

    return run


def policy_file(tmp_path, simulator, **changes):
    of = simulator.machine.measurements
    registers = {"mrtd": of.mr_td, "rtmr0": of.rt_mr0, "rtmr1": of.rt_mr1, "rtmr2": of.rt_mr2, "rtmr3": of.rt_mr3} | changes
    lines = [f'{name} = "{value.hex()}"' for name, value in registers.items()]
    (tmp_path / "policy.toml").write_text("\n".join(["[[measurements]]", *lines]))
    return str(tmp_path / "policy.toml")


async def test_info_shows_the_machine_and_says_that_nothing_is_proven(ask, simulator):
    code, out, err = await ask("info")
    assert code == 0
    assert simulator.machine.app_id.hex() in out
    assert simulator.machine.measurements.rt_mr3.hex() in out
    assert "names no software" in out
    assert "Unproven" in err


async def test_info_tells_what_the_policy_says(ask, simulator, tmp_path):
    code, out, _ = await ask("info", "--json", "--policy", policy_file(tmp_path, simulator))
    assert (code, json.loads(out)["policy"]["accepted"]) == (0, True)
    code, out, _ = await ask("info", "--json", "--policy", policy_file(tmp_path, simulator, rtmr3=bytes(48)))
    assert (code, json.loads(out)["policy"]) == (1, {"asks_for_software": True, "accepted": False, "refused_by": ["measurements"]})


async def test_info_without_a_machine_names_the_socket(oracle, settings):
    code, _, err = await asyncio.to_thread(oracle, "tee", "info", "--endpoint", "/nowhere/dstack.sock")
    assert code == 1
    assert "/nowhere/dstack.sock" in err


async def test_a_quote_binds_the_users_bytes_under_a_tag_of_their_own(ask, tmp_path):
    code, out, err = await ask("quote", "--report-data", "00ff", "--output", str(tmp_path / "quote"))
    expected = hashlib.sha256(b"nco/user/v1\x00\xff").digest() + b"nco/user/v1" + bytes(21)
    assert (code, out) == (0, "")
    assert parse_quote((tmp_path / "quote").read_bytes()).report.report_data == expected
    assert expected.hex() in err


async def test_a_quote_goes_to_stdout_as_hex_or_json(ask):
    code, out, _ = await ask("quote", "--report-data", "0x00ff")
    assert (code, parse_quote(read_quote(out)).report.report_data) == (0, user_report_data(b"\0\xff"))
    told = json.loads((await ask("quote", "--report-data", "00ff", "--json"))[1])
    assert told["report_data"] == user_report_data(b"\0\xff").hex()
    assert json.loads(told["event_log"])


async def test_nobody_chooses_report_data_that_a_registration_or_a_receipt_could_have(ask):
    for wanted in (
        bytes(64),
        b"k" * 32 + hashlib.sha256(b"nco/register/v1").digest(),
        hashlib.sha256(b"nco/receipt/v1").digest() + bytes(32),
    ):
        _, out, _ = await ask("quote", "--report-data", wanted.hex())
        given = parse_quote(read_quote(out)).report.report_data
        assert given != wanted
        assert given[:32] != wanted[:32]
        assert given[32:].startswith(b"nco/user/v1")


async def test_a_registered_worker_quotes_nothing_for_others(ask, settings):
    settings.setenv("TEE_MODE", "tdx")
    code, out, err = await ask("quote", "--report-data", "00ff")
    assert (code, out) == (CONFIGURATION, "")
    assert "registered worker" in err


@pytest.mark.parametrize("wrong", ["", "0", "xx", "00" * 65])
async def test_report_data_of_another_form_is_refused(ask, wrong):
    assert (await ask("quote", "--report-data", wrong))[0] == CONFIGURATION


FORMS = {
    "raw": lambda raw: raw,
    "hex": lambda raw: raw.hex().encode(),
    "0x": lambda raw: b"0x" + raw.hex().encode(),
    "base64": base64.b64encode,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["tdx", "sgx"])
def test_the_real_quotes_verify_under_intels_root_at_their_time_in_every_form(oracle, settings, tmp_path, kind, form):
    (tmp_path / "quote").write_bytes(FORMS[form](read_quote(sample_file(kind))))
    policy = tmp_path / "policy.toml"
    policy.write_text('[tcb]\nstatuses = ["UpToDate", "ConfigurationAndSWHardeningNeeded"]\nadvisories = ["*"]\n')
    collateral = str(QUOTES / f"{kind}_quote_collateral.json")
    arguments = ("--collateral", collateral, "--policy", str(policy), "--at", str(AT_S), "--json")
    code, out, _ = oracle("tee", "verify-quote", str(tmp_path / "quote"), *arguments)
    told = json.loads(out)
    assert (code, told["verdict"], told["test_root"]) == (PROVEN, "PROVEN", False), out
    assert (told["quote"]["kind"], len(told["quote"]["fmspc"])) == (kind.upper(), 12)
    assert (told["quote"]["measurements"] is None) == (kind == "sgx")


def test_the_real_quote_is_refused_after_its_collateral_expired(oracle, settings, tmp_path):
    (tmp_path / "quote").write_bytes(sample_file("tdx"))
    collateral = str(QUOTES / "tdx_quote_collateral.json")
    code, out, _ = oracle("tee", "verify-quote", str(tmp_path / "quote"), "--collateral", collateral)
    assert code == FAILED
    assert "Decided by check 7" in out
    assert "report data" in out


def test_a_quote_that_is_proven_without_a_policy_says_that_its_software_was_not_judged(oracle, settings, tmp_path):
    (tmp_path / "quote").write_bytes(sample_file("tdx"))
    collateral = str(QUOTES / "tdx_quote_collateral.json")
    code, out, _ = oracle("tee", "verify-quote", str(tmp_path / "quote"), "--collateral", collateral, "--at", str(AT_S))
    assert code == PROVEN
    assert "What the quote itself shows: PROVEN" in out
    assert out.splitlines()[-1].startswith("Its software was not judged")


def test_a_quote_without_collateral_is_unproven(oracle, settings, tmp_path):
    (tmp_path / "quote").write_bytes(sample_file("tdx"))
    code, out, _ = oracle("tee", "verify-quote", str(tmp_path / "quote"), "--json")
    assert (code, json.loads(out)["checks"][0]["title"]) == (UNPROVEN, "The quote can be read")


async def test_a_simulated_quote_verifies_under_its_root_and_says_that_it_is_a_test(ask, simulator, tmp_path):
    (tmp_path / "quote").write_bytes(simulator.quote(bytes(64)))
    (tmp_path / "collateral.json").write_text(simulator.collateral().as_json())
    root = ("--root-ca", str(simulator.root_path))
    collateral = ("--collateral", str(tmp_path / "collateral.json"), "--at", str(AT_S))
    policy = ("--policy", policy_file(tmp_path, simulator))
    code, out, _ = await ask("verify-quote", str(tmp_path / "quote"), *collateral, *root, *policy)
    assert code == PROVEN
    assert "TEST ROOT" in out
    assert "UpToDate" in out
    assert "not judged" not in out
    other = ("--policy", policy_file(tmp_path, simulator, mrtd=bytes(48)))
    code, out, _ = await ask("verify-quote", str(tmp_path / "quote"), *collateral, *root, *other)
    assert (code, "Decided by check 12" in out) == (FAILED, True)
    assert (await ask("verify-quote", str(tmp_path / "quote"), *collateral))[0] == FAILED


@pytest.fixture
async def today():
    """A simulator whose time is this machine's."""
    async with Simulator(SimulatorOptions(seed="collateral command")) as running:
        yield running


async def test_the_whole_road_of_a_quote_needs_no_other_tool(ask, settings, today, tmp_path):
    root, quote, collateral = str(today.root_path), str(tmp_path / "quote.bin"), str(tmp_path / "collateral.json")
    assert (await ask("quote", "--report-data", "00ff", "--output", quote, "--endpoint", str(today.socket_path)))[0] == PROVEN
    settings.setenv("PCCS_URL", today.pccs_url)
    assert (await ask("collateral", quote, "--root-ca", root, "--output", collateral))[0] == PROVEN
    assert (await ask("verify-quote", quote, "--collateral", collateral, "--root-ca", root))[0] == PROVEN
    code, out, _ = await ask("collateral", quote, "--root-ca", root, "--pccs", today.pccs_url)
    assert (code, json.loads(out)) == (PROVEN, json.loads((tmp_path / "collateral.json").read_text()))


async def test_collateral_under_another_root_is_not_written(ask, today, tmp_path):
    (tmp_path / "quote").write_bytes(today.quote(bytes(64)))
    code, out, err = await ask("collateral", str(tmp_path / "quote"), "--pccs", today.pccs_url)
    assert (code, out) == (FAILED, "")
    assert "refused" in err


@pytest.mark.parametrize(("content", "told"), [(b"zz", "neither raw"), (None, "cannot be reached")])
async def test_collateral_that_cannot_be_had_is_told(ask, today, tmp_path, content, told):
    (tmp_path / "quote").write_bytes(today.quote(bytes(64)) if content is None else content)
    code, out, err = await ask("collateral", str(tmp_path / "quote"), "--pccs", "http://127.0.0.1:9")
    assert (code, out) == (FAILED, "")
    assert told in err


@pytest.mark.parametrize("content", [b"", b"\x04\x00", b"zz", b"00" * 40_000])
def test_what_is_no_quote_fails(oracle, settings, tmp_path, content):
    (tmp_path / "quote").write_bytes(content)
    code, out, _ = oracle("tee", "verify-quote", str(tmp_path / "quote"))
    assert (code, "receipt" in out) == (FAILED, False)
    assert "Decided by check 5, the quote can be read: " in out


def test_a_file_that_is_not_there_is_wrong_usage(oracle, settings):
    assert oracle("tee", "verify-quote", "nowhere")[0] == USAGE
