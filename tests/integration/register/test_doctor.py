import json

from localnet import NEAR, KeyPair
from localnet.values.actions import DeleteKey, FunctionCallPermission
from tests.integration.register.conftest import MAIN, NOWHERE, REGISTER
from tests.unit.oracle.tee.dstack_app import ALLOWED, NOT_ALLOWED, SECRET, node_that, saying


async def examined(oracle, **changed):
    """What `oracle doctor` found, by name: verdict and words."""
    _, out, err = await oracle("doctor", "--json", **changed)
    assert err == "" or "Error" not in err
    return {check["name"]: (check["verdict"], check["found"] + " " + (check["mend"] or "")) for check in json.loads(out)["checks"]}


async def test_policy_machine_collateral_and_contract_are_shown(stage, oracle):
    stage.approve()
    found = await examined(oracle)
    verdicts = {name: verdict for name, (verdict, _) in found.items()}
    for name in ("policy", "socket", "measurements", "collateral", "quote", "register contract", "register code", "approval", "payer"):
        assert verdicts[name] == "ok", found[name]
    assert "TCB UpToDate; advisories none; collateral of at most 30 days" in found["policy"][1]
    assert "one node is believed" in found["policy"][1]
    assert all(value in found["measurements"][1] for value in stage.measurements.values())
    assert found["registration"] == ("ok", "none for this RTMR3; `oracle run` registers a key at its start ")
    assert found["root"][0] == "warn"
    assert "days ago), good until 20" in found["collateral"][1]


async def test_a_registered_machine_is_told_until_when(stage, oracle):
    stage.approve()
    key = stage.key()
    async with stage.registrar() as registrar:
        await registrar.register(key)
    verdict, found = (await examined(oracle))["registration"]
    assert verdict == "ok"
    assert found.startswith(f"{key.public_key}, until 20")
    assert registrar.plan.settings_sha256_hex in found


async def test_a_full_access_key_of_the_operator_is_a_warning(stage, oracle):
    verdict, found = (await examined(oracle))["full access"]
    assert verdict == "warn"
    assert f"{REGISTER} has 1 full-access key(s)" in found


async def test_a_key_that_answers_without_a_registration_is_a_warning_and_a_workers_is_none(stage, oracle, founded):
    stage.approve()
    async with stage.registrar() as registrar:
        await registrar.register(stage.key())
    stranger = KeyPair.from_seed("kept back").public_key
    founded.account.add_key(stranger, FunctionCallPermission(None, MAIN, ()))
    founded.account.send(REGISTER, [DeleteKey(founded.account.key.public_key)])
    verdict, found = (await examined(oracle))["full access"]
    assert (verdict, f"{REGISTER} has 1 key(s) for {MAIN}" in found) == ("warn", True)


async def test_an_account_with_keys_of_registered_workers_alone_is_well(stage, oracle, founded):
    stage.approve()
    async with stage.registrar() as registrar:
        await registrar.register(stage.key())
    founded.account.send(REGISTER, [DeleteKey(founded.account.key.public_key)])
    assert (await examined(oracle))["full access"][0] == "ok"


async def test_an_unapproved_machine_and_a_payer_without_means_are_failures(stage, oracle):
    stage.payer.transfer("test.near", 20 * NEAR - NEAR // 20)
    found = await examined(oracle)
    assert found["approval"][0] == found["payer"][0] == "fail"
    assert "add_approved_measurements" in found["approval"][1]
    assert "a registration needs" in found["payer"][1]


async def test_a_socket_or_a_service_that_is_away_is_a_failure_and_the_rest_is_looked_at(stage, oracle):
    stage.approve()
    found = await examined(oracle, DSTACK_SIMULATOR_ENDPOINT="/nowhere.sock")
    assert found["socket"][0] == "fail"
    assert found["register contract"][0] == "ok"
    found = await examined(oracle, PCCS_URL=NOWHERE, ORACLE_HOME=str(stage.settings.oracle_home / "other"))
    assert found["collateral"][0] == "fail"
    assert found["approval"][0] == "ok"


async def test_a_policy_that_wants_two_nodes_is_a_failure_with_one(stage, oracle):
    verdict, found = (await examined(oracle, TEE_POLICY_FILE=""))["policy"]
    assert verdict == "fail"
    assert "name a second" in found


async def test_intels_root_refuses_a_simulated_machine(stage, oracle):
    verdict, _ = (await examined(oracle, TEE_ROOT_CA="", ORACLE_HOME=str(stage.settings.oracle_home / "other")))["quote"]
    assert verdict == "fail"


async def test_what_the_applications_owner_says_is_told_where_a_node_is_named(stage, oracle):
    machine = stage.simulator.machine
    async with node_that(saying(ALLOWED)) as url:
        found = await examined(oracle, TEE_EVM_RPC_URL=url, TEE_EVM_CHAIN_ID="8453")
    verdict, words = found["owner"]
    assert (verdict, "says that it allows it" in words) == ("ok", True)
    assert machine.app_id.hex() in words
    assert machine.options.compose.sha256.hex() in words
    assert SECRET not in str(found)
    assert "owner" not in await examined(oracle, TEE_EVM_RPC_URL="", TEE_EVM_CHAIN_ID="")


async def test_a_compose_file_that_the_owner_does_not_allow_is_a_warning_with_the_mend(stage, oracle):
    async with node_that(saying(NOT_ALLOWED)) as url:
        verdict, words = (await examined(oracle, TEE_EVM_RPC_URL=url))["owner"]
    assert (verdict, "does not allow it" in words, "addComposeHash" in words) == ("warn", True, True)


async def test_a_node_that_cannot_tell_of_the_owner_is_a_warning_without_its_key(stage, oracle):
    verdict, words = (await examined(oracle, TEE_EVM_RPC_URL=f"{NOWHERE}/{SECRET}"))["owner"]
    assert (verdict, "name another node with TEE_EVM_RPC_URL" in words, SECRET in words) == ("warn", True, False)
    async with node_that(saying(ALLOWED)) as url:
        verdict, words = (await examined(oracle, TEE_EVM_RPC_URL=url, TEE_EVM_CHAIN_ID="1"))["owner"]
    assert (verdict, "chain 1 is expected" in words) == ("warn", True)
