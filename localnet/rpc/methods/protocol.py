"""
The configuration of protocol and genesis: `EXPERIMENTAL_protocol_config`, `EXPERIMENTAL_genesis_config`.

Source: near-chain-configs 0.38 (ProtocolConfigView, GenesisConfig).
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from localnet.parameters import parameters
from localnet.rpc.block_views import ChainFacts, time_text
from localnet.rpc.methods.network import VALIDATOR_STAKE_YOCTO
from localnet.rpc.node import Node
from localnet.rpc.params import Params
from localnet.rpc.views import Json
from localnet.runtime.transactions import BLOCKS_A_TRANSACTION_LIVES
from localnet.values.header import EPOCH_LENGTH_BLOCKS

_RUNTIME_CONFIG = (
    "storage_amount_per_byte",
    "transaction_costs",
    "wasm_config",
    "account_creation_config",
    "congestion_control_config",
    "witness_config",
    "min_gas_purchase_price",
    "account_creation_charge",
)
"""The members of `RuntimeConfigView`; our parameter file has more."""

_BLOCKS_A_YEAR = 31_536_000


async def protocol_config(node: Node, raw: Any) -> Json:
    """`EXPERIMENTAL_protocol_config`: the runtime's part is nearcore's own for this protocol version."""
    Params(raw).block_reference()
    return _protocol_config(node.facts)


async def genesis_config(node: Node, _: Any) -> Json:
    """`genesis_config`, and under its older name with `EXPERIMENTAL_`."""
    facts, config = node.facts, _protocol_config(node.facts)
    del config["runtime_config"]
    validator = {"account_id": facts.validator_id, "public_key": str(facts.validator_key), "amount": str(VALIDATOR_STAKE_YOCTO)}
    return config | {
        "validators": [validator],
        "total_supply": str(facts.total_supply_yocto),
        "use_production_config": False,
        "num_chunk_producer_seats": 1,
        "num_chunk_validator_seats": 1,
        "chunk_producer_assignment_changes_limit": 1,
        # Newer nodes have dropped it; near-cli 4 still reads it.
        "avg_hidden_validator_seats_per_shard": [0],
    }


def _protocol_config(facts: ChainFacts) -> Json:
    gas_price = str(facts.gas_price_yocto)
    return {
        "protocol_version": parameters().protocol_version,
        "genesis_time": time_text(facts.first.timestamp_ns),
        "chain_id": facts.chain_id,
        "genesis_height": facts.first.height,
        "num_block_producer_seats": 1,
        "dynamic_resharding": False,
        "protocol_upgrade_stake_threshold": [4, 5],
        "epoch_length": EPOCH_LENGTH_BLOCKS,
        "gas_limit": facts.block_gas_limit,
        "min_gas_price": gas_price,
        "max_gas_price": gas_price,
        "block_producer_kickout_threshold": 0,
        "chunk_producer_kickout_threshold": 0,
        "chunk_validator_only_kickout_threshold": 0,
        "target_validator_mandates_per_shard": 0,
        "online_min_threshold": [90, 100],
        "online_max_threshold": [99, 100],
        "gas_price_adjustment_rate": [0, 1],
        "runtime_config": _runtime_config(),
        "transaction_validity_period": BLOCKS_A_TRANSACTION_LIVES,
        "protocol_reward_rate": [0, 1],
        "max_inflation_rate": [0, 1],
        "num_blocks_per_year": _BLOCKS_A_YEAR,
        "protocol_treasury_account": facts.validator_id,
        "fishermen_threshold": "0",
        "minimum_stake_divisor": 10,
        "max_kickout_stake_perc": 0,
        "minimum_stake_ratio": [1, 62_500],
        "shuffle_shard_assignment_for_chunk_producers": False,
        "minimum_validators_per_shard": 1,
        "shard_layout": {"V0": {"num_shards": 1, "version": 0}},
    }


@cache
def _runtime_config() -> Json:
    everything = json.loads(files("localnet").joinpath("near-parameters.json").read_bytes())
    # Ours alone: nearcore keeps the limit of views beside the configuration.
    del everything["wasm_config"]["limit_config"]["max_gas_burnt_view"]
    return {name: everything[name] for name in _RUNTIME_CONFIG}


METHODS = {
    "EXPERIMENTAL_protocol_config": protocol_config,
    "EXPERIMENTAL_genesis_config": genesis_config,
    "genesis_config": genesis_config,
}
