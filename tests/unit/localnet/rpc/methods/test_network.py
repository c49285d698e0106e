"""The chain as a whole, as clients ask for it."""

import pytest


async def test_status_has_every_member_that_rust_clients_need(client):
    # StatusResponse of near-primitives 0.38; py-near reads chain_id and sync_info.
    status = await client.call("status")
    assert status == (await client.get("/status"))[1] | {"uptime_sec": status["uptime_sec"]}
    assert sorted(status) == [
        "chain_id",
        "genesis_hash",
        "latest_protocol_version",
        "node_key",
        "node_public_key",
        "protocol_version",
        "sync_info",
        "uptime_sec",
        "validator_account_id",
        "validator_public_key",
        "validators",
        "version",
    ]
    assert (status["chain_id"], status["protocol_version"]) == ("localnet", 88)
    newest = (await client.call("block", {"finality": "final"}))["header"]
    sync = status["sync_info"]
    assert (sync["latest_block_height"], sync["latest_block_hash"], sync["syncing"]) == (newest["height"], newest["hash"], False)
    assert sync["latest_block_time"] == "2025-06-15T15:06:40.0000000" + f"{newest['timestamp'] % 100:02}Z"
    assert (await client.call("block", [0]))["header"]["hash"] == status["genesis_hash"] == sync["earliest_block_hash"]


@pytest.mark.parametrize("params", [[None], ["latest"], {"latest": None}, [0], {"block_id": 0}, {"epoch_id": "1" * 32}, None])
async def test_the_validators_are_told_in_every_form(client, params):
    info = await client.call("validators", params)
    (validator,) = info["current_validators"]
    assert (validator["account_id"], validator["stake"], info["current_proposals"]) == ("test.near", str(50_000 * 10**24), [])


async def test_the_protocols_configuration_is_nearcores(client):
    config = await client.call("EXPERIMENTAL_protocol_config", {"finality": "final"})
    assert config["runtime_config"]["storage_amount_per_byte"] == "10000000000000000000"
    assert config["runtime_config"]["wasm_config"]["limit_config"]["max_total_prepaid_gas"] == 10**15
    assert "max_gas_burnt_view" not in config["runtime_config"]["wasm_config"]["limit_config"]
    assert (config["minimum_stake_ratio"], config["transaction_validity_period"]) == ([1, 62_500], 86_400)
    genesis = await client.call("genesis_config")
    assert "runtime_config" not in genesis
    assert genesis["total_supply"] == str(10**33)


async def test_a_chain_of_one_has_no_peers(client):
    assert (await client.call("network_info"))["num_active_peers"] == 0
    assert [each["account_id"] for each in await client.call("EXPERIMENTAL_validators_ordered", [None])] == ["test.near"]
