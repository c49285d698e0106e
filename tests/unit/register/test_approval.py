import pytest

from oracle.model import Measurements
from register.approval import approval_commands

FIVE = Measurements(*(bytes([index]) * 48 for index in range(5)))


@pytest.mark.parametrize(
    ("network_id", "network", "node"),
    [
        ("testnet", "testnet", " --rpc-url https://rpc.testnet.near.org"),
        ("mainnet", "mainnet", " --rpc-url https://rpc.mainnet.near.org"),
        ("localnet", "custom", ""),
    ],
)
def test_both_calls_that_approve_go_to_the_workers_network(network_id, network, node):
    """The script asks the local chain where no node is named."""
    near_cli, script = approval_commands(FIVE, register_account_id="operator.near", owner_id="owner.near", network_id=network_id)
    assert near_cli.endswith(f" --networkId {network}")
    assert script.endswith(f" --key-file owner.near.json{node}")
