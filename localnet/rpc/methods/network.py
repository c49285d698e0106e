"""
The chain as a whole: `status`, `network_info`, `validators`. Answered from the event loop.

Source: near-primitives 0.38 `views.rs` (StatusResponse, EpochValidatorInfo).
"""

import asyncio
from functools import cache
from importlib.metadata import version
from typing import Any

from localnet.parameters import parameters
from localnet.rpc.block_views import SHARD_ID, time_text
from localnet.rpc.node import Node
from localnet.rpc.params import Params
from localnet.rpc.views import Json
from localnet.values.hashes import hash_to_text
from localnet.values.header import EPOCH_LENGTH_BLOCKS, Header

VALIDATOR_STAKE_YOCTO = 50_000 * 10**24
"""What is told of the one validator; nothing is locked for it. Clients compute the price of a seat from it."""


async def status(node: Node, _: Any) -> Json:
    """`status`; its params mean nothing to nodes either."""
    return status_of(node)


def status_of(node: Node) -> Json:
    """`StatusResponse`, from the event loop alone."""
    facts, head = node.facts, node.watch.head
    protocol_version = parameters().protocol_version
    return {
        "version": {"version": f"localnet {_own_version()}", "build": "", "commit": "", "rustc_version": ""},
        "chain_id": facts.chain_id,
        "protocol_version": protocol_version,
        "latest_protocol_version": protocol_version,
        "validators": [{"account_id": facts.validator_id}],
        "sync_info": _sync_info(facts.first, head),
        "validator_account_id": facts.validator_id,
        "validator_public_key": str(facts.validator_key),
        "node_public_key": str(facts.validator_key),
        "node_key": None,
        "uptime_sec": int(asyncio.get_running_loop().time() - node.started_s),
        "genesis_hash": hash_to_text(facts.first.hash),
    }


def _sync_info(first: Header, head: Header) -> Json:
    return {
        "latest_block_hash": hash_to_text(head.hash),
        "latest_block_height": head.height,
        "latest_state_root": hash_to_text(bytes(32)),
        "latest_block_time": time_text(head.timestamp_ns),
        "syncing": False,
        "earliest_block_hash": hash_to_text(first.hash),
        "earliest_block_height": first.height,
        "earliest_block_time": time_text(first.timestamp_ns),
        "epoch_id": hash_to_text(head.epoch_id),
        "epoch_start_height": _epoch_start(head),
    }


async def network_info(_node: Node, _: Any) -> Json:
    """`network_info`: a chain of one node has no peers."""
    return {
        "active_peers": [],
        "num_active_peers": 0,
        "peer_max_count": 0,
        "sent_bytes_per_sec": 0,
        "received_bytes_per_sec": 0,
        "known_producers": [],
    }


async def validators(node: Node, raw: Any) -> Json:
    """`validators` of the current epoch: the one account that holds the genesis money; it earns nothing."""
    params = Params(_epoch_reference(raw), positional=("block_id",))
    params.block_reference()
    facts, head = node.facts, node.watch.head
    blocks = head.height - _epoch_start(head) + 1
    stake = {"account_id": facts.validator_id, "public_key": str(facts.validator_key), "stake": str(VALIDATOR_STAKE_YOCTO)}
    current = stake | {
        "is_slashed": False,
        "shards": [SHARD_ID],
        "num_produced_blocks": blocks,
        "num_expected_blocks": blocks,
        "num_produced_chunks": blocks,
        "num_expected_chunks": blocks,
        "num_produced_chunks_per_shard": [blocks],
        "num_expected_chunks_per_shard": [blocks],
        "num_produced_endorsements": 0,
        "num_expected_endorsements": 0,
        "num_produced_endorsements_per_shard": [],
        "num_expected_endorsements_per_shard": [],
        "shards_endorsed": [],
    }
    return {
        "current_validators": [current],
        "next_validators": [stake | {"shards": [SHARD_ID]}],
        "current_fishermen": [],
        "next_fishermen": [],
        "current_proposals": [],
        "prev_epoch_kickout": [],
        "epoch_start_height": _epoch_start(head),
        "epoch_height": head.epoch_height,
        "validator_reward_paid_prev_epoch": {},
    }


def _epoch_reference(raw: Any) -> Any:
    """`[null]`, `["latest"]` and `{"latest": null}` mean the current epoch, and so does any `epoch_id`: the validators never change."""
    if raw in (["latest"], "latest", {"latest": None}):
        return None
    if isinstance(raw, dict) and "epoch_id" in raw:
        Params(raw).hash("epoch_id")
        return None
    return raw


async def validators_ordered(node: Node, _: Any) -> list[Json]:
    """`EXPERIMENTAL_validators_ordered`."""
    facts = node.facts
    return [
        {
            "validator_stake_struct_version": "V1",
            "account_id": facts.validator_id,
            "public_key": str(facts.validator_key),
            "stake": str(VALIDATOR_STAKE_YOCTO),
        }
    ]


def _epoch_start(header: Header) -> int:
    return header.height - header.height % EPOCH_LENGTH_BLOCKS


@cache
def _own_version() -> str:
    return version("near-compute-oracle")


METHODS = {
    "status": status,
    "network_info": network_info,
    "validators": validators,
    "EXPERIMENTAL_validators_ordered": validators_ordered,
}
