import asyncio
import json
import shlex
from dataclasses import replace
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from localnet import NEAR
from oracle.errors import ConfigurationError, EvidenceRefused, RpcUnavailable, TeeUnavailable
from oracle.model.tee import MEASUREMENT_NAMES
from oracle.near.keys import Call
from oracle.tee.dstack import Dstack
from oracle.tee.root import INTEL
from oracle.tee.simulator.collateral import CollateralTerms
from oracle.tee.simulator.tcb import EVALUATION_DATA_NUMBER, OUT_OF_DATE
from oracle.tee.simulator.window import Window
from register.access import find_access_key
from register.errors import CallFailed, NotApproved, RegistrationRefused, Revoked
from register.registrar import GAS
from register.telling import Step
from tests.integration.oracle.cli.node import HASH, Node
from tests.integration.register.conftest import MAIN, ONE_NODE, PAYER, REGISTER

METHODS = ["resolve_execution", "submit_execution_output", "submit_execution_output_and_resolve", "extend_execution"]


async def test_a_key_comes_on_the_account_with_the_rights_of_a_worker_and_each_step_is_told(stage):
    stage.approve()
    key = stage.key()
    async with stage.registrar() as registrar:
        registration = await registrar.register(key)
    params = {"request_type": "view_access_key", "finality": "final", "account_id": REGISTER, "public_key": key.public_key}
    permission = (await stage.rpc.call("query", params))["permission"]["FunctionCall"]
    assert (permission["receiver_id"], permission["method_names"]) == (MAIN, METHODS)
    assert registration.allowance_yocto == 5 * NEAR == int(permission["allowance"])
    assert registration.lifetime_s == 30 * 86_400
    worker = stage.view("get_worker", public_key=key.public_key)
    assert int(worker["expires_at"]) == registration.expires_at_ns
    assert worker["settings_sha256"] == registrar.plan.settings_sha256_hex
    assert worker["payer"] == PAYER
    assert [told.step for told in stage.told] == list(Step)
    assert "TEST root" in stage.told[3].sentence


async def test_a_second_key_uses_the_collateral_that_the_contract_has(stage):
    stage.approve()
    async with stage.registrar() as registrar:
        first = await registrar.prepare(stage.key())
        await registrar.submit(first)
        second = await registrar.prepare(stage.key())
        await registrar.submit(second)
    assert (first.stored, second.stored) == (False, True)
    assert second.deposit_yocto < first.deposit_yocto / 5
    assert stage.view("get_config")["worker_count"] == 2


async def test_collateral_is_brought_when_what_the_contract_has_is_refused_here(stage, tmp_path):
    stage.approve()
    async with stage.registrar() as registrar:
        await registrar.register(stage.key())
    strict = tmp_path / "strict.toml"
    strict.write_text(f"[collateral]\nmin_evaluation_data_number = {EVALUATION_DATA_NUMBER + 1}\n{ONE_NODE}")
    stage.simulator.terms = CollateralTerms(evaluation_number=EVALUATION_DATA_NUMBER + 1)
    async with stage.registrar(tee_policy_file=strict, oracle_home=tmp_path / "empty") as registrar:
        prepared = await registrar.prepare(stage.key())
        await registrar.submit(prepared)
    assert not prepared.stored
    assert stage.view("get_config")["worker_count"] == 2


async def test_newer_collateral_that_somebody_brought_meanwhile_keeps_nobody_from_starting(stage, tmp_path):
    """Workers of one kind of platform start at the same time, and each has asked for Intel's word by itself."""
    stage.approve()
    async with stage.registrar() as registrar, stage.registrar(oracle_home=tmp_path / "other") as other:
        prepared = await registrar.prepare(stage.key())
        issued_s = prepared.evidence.collateral.issued_s
        stage.simulator.terms = CollateralTerms(tcb_info_valid=Window(issued_s + 60, issued_s + 86_400))
        await other.register(stage.key())
        assert not prepared.stored
        await registrar.submit(prepared)
    assert stage.view("get_config")["worker_count"] == 2


async def test_collateral_that_the_contract_refuses_for_itself_is_refused(stage):
    stage.approve()
    async with stage.registrar() as registrar:
        prepared = await registrar.prepare(stage.key())
        stage.own("set_policy", min_tcb_evaluation_data_number=EVALUATION_DATA_NUMBER + 1)
        with pytest.raises(CallFailed, match="the policy takes"):
            await registrar.submit(prepared)


async def test_preparing_spends_nothing(stage):
    stage.approve()
    before = stage.payer.balance_yocto
    async with stage.registrar() as registrar:
        await registrar.prepare(stage.key(), fresh=False)
    assert stage.payer.balance_yocto == before
    assert stage.view("list_workers") == []


async def test_an_unapproved_machine_is_told_the_call_that_approves_it(stage):
    async with stage.registrar() as registrar:
        with pytest.raises(NotApproved) as refused:
            await registrar.register(stage.key())
        text = str(refused.value)
        for name, value in stage.measurements.items():
            assert f"{name:<5} {value}" in text
        (command,) = [line for line in text.splitlines() if line.strip().startswith("near call")]
        _, _, contract, method, arguments, *options = shlex.split(command)
        assert (contract, method) == (REGISTER, "add_approved_measurements")
        assert options[:4] == ["--useAccount", stage.chain.root.account_id, "--deposit", "0.01"]
        stage.own(method, NEAR // 100, **json.loads(arguments))
        assert (await registrar.register(stage.key())).rtmr3_hex == stage.measurements["rtmr3"]


async def test_a_registration_sent_twice_counts_once(stage):
    stage.approve()
    async with stage.registrar() as registrar:
        prepared = await registrar.prepare(stage.key())
        assert await registrar.submit(prepared) == await registrar.submit(prepared)
    assert "the chain has this very registration already" in stage.told[-3].sentence
    (worker,) = stage.view("list_workers")
    assert worker["renewals"] == 0


@pytest.fixture
def stranger(stage):
    """Sends what is in somebody's transaction before it arrives, at a contract that takes registrations of anybody."""
    stage.approve()
    stage.own("set_init_worker_account", init_worker_account=None)
    account = stage.chain.root.create_account("stranger.test.near", balance_yocto=5 * NEAR)

    async def overtakes(registrar):
        ours = registrar._payer.call

        async def second(call):
            await asyncio.to_thread(account.call, REGISTER, call.method, json.loads(call.args), deposit_yocto=NEAR, gas=call.gas)
            return await ours(call)

        registrar._payer.call = second

    return overtakes


async def test_a_stranger_who_sends_a_registration_first_keeps_nobody_from_starting(stage, stranger):
    key = stage.key()
    async with stage.registrar() as registrar:
        await stranger(registrar)
        registration = await registrar.register(key)
        assert (await find_access_key(stage.rpc, REGISTER, key.public_key)).allowance_yocto == registration.allowance_yocto == 5 * NEAR
    assert stage.view("get_worker", public_key=key.public_key)["payer"] == "stranger.test.near"
    assert [told.step for told in stage.told] == list(Step)
    told = stage.told[-3].sentence
    assert "somebody was faster than transaction " in told
    assert "a renewal needs a newer quote" in told


async def test_a_stranger_who_sends_a_renewal_first_has_renewed_it(stage, stranger):
    key = stage.key()
    async with stage.registrar() as registrar:
        first = await registrar.register(key)
        stage.chain.advance_time(60)
        await stranger(registrar)
        second = await registrar.register(key)
    assert second.expires_at_ns - first.expires_at_ns >= 60 * 10**9
    assert stage.view("get_worker", public_key=key.public_key)["renewals"] == 1


async def test_an_older_registration_of_the_key_does_not_hide_a_refusal(stage):
    stage.approve()
    key = stage.key()
    async with stage.registrar() as registrar:
        await registrar.register(key)
        stage.chain.advance_time(60)
        newer = await registrar.prepare(key)
        stage.own("remove_approved_measurements", **stage.measurements)
        with pytest.raises(CallFailed, match=r"failed: .*not approved"):
            await registrar.submit(newer)


@pytest.mark.parametrize(
    "other",
    [{"settings_sha256_hex": "00" * 32}, {"measured": dict.fromkeys(MEASUREMENT_NAMES, "00" * 48)}, {"expired": True}],
)
async def test_a_registration_of_other_facts_does_not_hide_a_refusal(stage, other):
    stage.approve()
    async with stage.registrar() as registrar:
        prepared = await registrar.prepare(stage.key())
        await registrar.submit(prepared)
        found = await registrar.contract.worker(public_key=prepared.key.public_key)

        async def differs(**_):
            return replace(found, **other)

        registrar.contract.worker = differs
        with pytest.raises(CallFailed, match="a renewal needs a newer quote"):
            await registrar.submit(prepared)


async def test_a_failure_that_is_not_final_yet_is_looked_at_once_it_is(stage):
    stage.approve()
    async with stage.registrar() as registrar:
        prepared = await registrar.prepare(stage.key())
        await registrar.submit(prepared)
        final, behind = stage.rpc.final_block, iter((1, 1))

        async def late():
            block = await final()
            return replace(block, height=block.height - next(behind, 0))

        registrar.rpc = SimpleNamespace(final_block=late, newest_block=stage.rpc.newest_block, call=stage.rpc.call)
        await registrar.submit(prepared)
    assert next(behind, None) is None


async def test_a_quote_made_for_another_key_or_other_settings_is_refused_by_the_contract(stage):
    stage.approve()
    async with stage.registrar() as registrar:
        prepared = await registrar.prepare(stage.key())
        with pytest.raises(RegistrationRefused, match="the quote was made for another key"):
            await registrar.submit(replace(prepared, key=stage.key()))
        registrar.plan = replace(registrar.plan, settings_sha256_hex="00" * 32)
        with pytest.raises(RegistrationRefused, match="the report data of the quote ends with"):
            await registrar.submit(prepared)
    assert stage.view("list_workers") == []


async def test_a_key_is_renewed_with_a_newer_quote_and_a_full_allowance(stage):
    stage.approve()
    key = stage.key()
    async with stage.registrar() as registrar:
        first = await registrar.register(key)
        stage.chain.advance_time(60)
        second = await registrar.register(key)
    assert second.expires_at_ns - first.expires_at_ns >= 60 * 10**9
    assert stage.view("get_worker", public_key=key.public_key)["renewals"] == 1


async def test_a_revoked_key_is_refused_before_gas_is_spent(stage):
    stage.approve()
    key = stage.key()
    async with stage.registrar() as registrar:
        await registrar.register(key)
        stage.own("revoke_worker", public_key=key.public_key)
        before = stage.payer.balance_yocto
        with pytest.raises(Revoked, match="never comes back"):
            await registrar.register(key)
    assert stage.payer.balance_yocto == before


async def test_a_chain_that_stood_still_gets_a_block_for_the_quote_to_be_fresh(stage):
    stage.approve()
    key = stage.key()
    async with stage.registrar() as registrar:
        registrar.clock = Ahead(registrar.clock, seconds=400)
        height = (await stage.rpc.final_block()).height
        with pytest.raises(Exception, match=r"the newest final block is 4\d\d s old"):
            await registrar.prepare(key)
    assert (await stage.rpc.final_block()).height > height


async def test_a_node_that_tells_a_time_to_come_gets_no_quote_over_it(stage):
    stage.approve()
    async with stage.registrar() as registrar:
        registrar.clock = Ahead(registrar.clock, seconds=-3_600)
        await registrar.prepare(stage.key())  # the local chain's time may be moved forward
        registrar.plan = replace(registrar.plan, local_chain=False)
        stage.told.clear()
        with pytest.raises(RpcUnavailable, match="ahead of this machine's clock"):
            await registrar.prepare(stage.key(), fresh=False)
    assert stage.told == []


@pytest.fixture
def another_node(stage, tmp_path):
    """A second node, and the settings of a worker that believes what two of them say."""
    (tmp_path / "two_nodes.toml").write_text("[chain]\ntwo_nodes = true\n")
    with Node() as node:
        urls = [SecretStr(stage.settings.rpc_urls[0]), SecretStr(node.url)]
        yield node, {"near_rpc_url": urls, "tee_policy_file": tmp_path / "two_nodes.toml"}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("off_s", "counts_s"), [(250, 0), (0, 0), (-250, -250)])
async def test_of_two_nodes_the_earlier_block_counts_so_that_one_alone_makes_no_quote_younger(stage, another_node, off_s, counts_s, first):
    stage.approve()
    node, settings = another_node
    ours_ns = (await stage.rpc.final_block()).timestamp_ns
    node.methods["block"] = lambda _: {"header": {"height": 100, "hash": HASH, "timestamp_nanosec": str(ours_ns + off_s * 10**9)}}
    urls = settings["near_rpc_url"] if first else settings["near_rpc_url"][::-1]
    async with stage.registrar(**settings | {"near_rpc_url": tuple(urls)}) as registrar:
        prepared = await registrar.prepare(stage.key(), fresh=False)
    assert prepared.context.seen_block_time_ns - ours_ns == counts_s * 10**9


async def test_two_nodes_have_to_tell_the_time_where_the_policy_asks_for_two(stage, another_node):
    stage.approve()
    node, settings = another_node
    node.methods["block"] = lambda _: {"header": {"height": 100, "hash": HASH, "timestamp_nanosec": "soon"}}
    async with stage.registrar(**settings) as registrar:
        with pytest.raises(
            RpcUnavailable, match=r"fewer than 2 independent nodes tell of the newest final block: http:.*: the node.s block has no"
        ):
            await registrar.prepare(stage.key(), fresh=False)


class Ahead:
    """A clock that is so much ahead of another."""

    def __init__(self, inner, seconds):
        self._inner, self._ahead_ns = inner, seconds * 10**9

    def now_ns(self):
        return self._inner.now_ns() + self._ahead_ns

    def __getattr__(self, name):
        return getattr(self._inner, name)


async def test_a_platform_that_our_policy_refuses_is_not_registered(stage):
    stage.approve()
    stage.simulator.terms = CollateralTerms(verdict=OUT_OF_DATE)
    async with stage.registrar() as registrar:
        with pytest.raises(EvidenceRefused, match=r"tcb.status is OutOfDate, expected UpToDate"):
            await registrar.register(stage.key())


async def test_a_platform_that_the_contracts_policy_refuses_costs_no_gas(stage, tmp_path):
    stage.approve()
    lax = tmp_path / "lax.toml"
    lax.write_text('[tcb]\nstatuses = ["UpToDate", "OutOfDate"]\nadvisories = ["*"]\n[chain]\ntwo_nodes = false\n')
    stage.simulator.terms = CollateralTerms(verdict=OUT_OF_DATE)
    before = stage.payer.balance_yocto
    async with stage.registrar(tee_policy_file=lax) as registrar:
        with pytest.raises(RegistrationRefused, match=r"TCB status is OutOfDate, accepted: UpToDate; its owner test.near may widen"):
            await registrar.register(stage.key())
    assert stage.payer.balance_yocto == before


async def test_a_contract_of_another_root_payer_or_main_contract_is_a_wrong_setting(stage):
    stage.approve()
    stage.own("set_init_worker_account", init_worker_account="somebody.test.near")
    async with stage.registrar(offchainvm_contract_id="other.test.near") as registrar:
        with pytest.raises(ConfigurationError) as refused:
            await registrar.register(stage.key())
    assert [problem.partition("=")[0] for problem in refused.value.problems] == ["REGISTER_CONTRACT_ID", "INIT_ACCOUNT_ID"]


async def test_a_contract_that_trusts_another_root_is_a_wrong_setting(stage):
    stage.approve()
    before = stage.payer.balance_yocto
    async with stage.registrar() as registrar:
        registrar.contract.root_der = another_root
        with pytest.raises(ConfigurationError, match="it trusts another root certificate than TEE_ROOT_CA names; make the two the same"):
            await registrar.register(stage.key())
    assert stage.payer.balance_yocto == before


async def another_root():
    return INTEL.der


async def test_an_account_without_the_contract_is_a_wrong_setting(stage):
    async with stage.registrar(register_contract_id="test.near") as registrar:
        with pytest.raises(ConfigurationError, match=r"REGISTER_CONTRACT_ID='test.near': there is no register contract"):
            await registrar.register(stage.key())


async def test_who_cannot_pay_is_told_what_is_needed(stage):
    stage.approve()
    stage.payer.transfer("test.near", 20 * NEAR - NEAR // 10)
    async with stage.registrar() as registrar:
        with pytest.raises(RegistrationRefused, match=r"payer.test.near has 0.0\d+ NEAR; a registration needs 0.2\d+ NEAR"):
            await registrar.register(stage.key())


async def test_a_wrong_key_of_the_payer_is_told_with_its_mend(stage):
    stage.approve()
    other = stage.chain.root.key.secret_key
    async with stage.registrar(init_account_private_key=type(stage.settings.init_account_private_key)(other)) as registrar:
        with pytest.raises(RegistrationRefused, match="mend INIT_ACCOUNT_PRIVATE_KEY"):
            await registrar.register(stage.key())


async def test_too_little_gas_is_the_contracts_refusal(stage):
    async with stage.registrar() as registrar:
        call = Call(
            REGISTER, "register_worker_key", b'{"public_key":"ed25519:11111111111111111111111111111111","tdx_quote_hex":""}', GAS // 5
        )
        with pytest.raises(RegistrationRefused, match="gas"):
            await registrar._payer.call(call)


async def test_a_collateral_service_that_is_down_is_trouble_that_may_pass_unless_good_collateral_is_kept(stage, tmp_path):
    stage.approve()
    async with stage.registrar(pccs_url="http://127.0.0.1:9", oracle_home=tmp_path / "empty") as registrar:
        with pytest.raises(TeeUnavailable, match="no collateral for tdx-"):
            await registrar.register(stage.key())
    async with stage.registrar() as registrar:
        await registrar.register(stage.key())
    async with stage.registrar(pccs_url="http://127.0.0.1:9") as registrar:
        await registrar.register(stage.key())


async def test_a_socket_that_hangs_or_is_missing_is_trouble_that_may_pass(stage, tmp_path):
    silent = tmp_path / "silent.sock"

    async def listen_only(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(listen_only, silent)
    async with server, stage.registrar() as registrar, Dstack(str(silent), timeout_s=0.2) as hanging:
        registrar._witness = replace(registrar._witness, socket=hanging)
        with pytest.raises(TeeUnavailable, match=r"kept silent for 0.2 seconds"):
            await registrar.register(stage.key())
    async with stage.registrar(dstack_simulator_endpoint=str(tmp_path / "none.sock")) as registrar:
        with pytest.raises(TeeUnavailable, match="there is no such socket"):
            await registrar.register(stage.key())


async def test_a_socket_that_quotes_other_bytes_is_refused(stage):
    stage.approve()
    async with stage.registrar() as registrar:
        registrar._witness = replace(registrar._witness, socket=Lying(registrar._witness.socket))
        before = stage.payer.balance_yocto
        with pytest.raises(EvidenceRefused, match=r"the quote is over 0{64}"):
            await registrar.register(stage.key())
    assert stage.payer.balance_yocto == before


class Lying:
    """Asks the machine for a quote over other bytes."""

    endpoint = "lying"

    def __init__(self, inner):
        self._inner = inner

    async def quote(self, report_data):
        return await self._inner.quote(bytes(32) + report_data[32:])
