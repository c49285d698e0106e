"""`block`, `chunk` and what is the same in all of them."""

import pytest

from localnet.values.hashes import hash_of, hash_to_text

HASH = hash_to_text(hash_of(b"no block's"))


@pytest.fixture(params=["memory", "directory"])
async def kept(request, open_chain, tmp_path, serving):
    """A client of a chain with ten blocks, in memory and in a directory."""
    chain = open_chain(None if request.param == "memory" else tmp_path / "chain")
    chain.advance_blocks(10)
    async with serving(chain) as client:
        yield client


async def test_a_block_is_found_by_every_way_to_name_it(kept):
    newest = await kept.call("block", {"finality": "final"})
    assert newest["header"]["height"] == 10
    for params in ([10], {"block_id": 10}, [newest["header"]["hash"]], {"finality": "optimistic"}, {"finality": "near-final"}):
        assert await kept.call("block", params) == newest
    assert (await kept.call("block", {"sync_checkpoint": "genesis"}))["header"]["height"] == 0


@pytest.mark.parametrize("block_id", [11, 2**63, 2**64 - 1, HASH])
async def test_a_block_that_is_not_there_is_told_in_nearcores_words(kept, answered, block_id):
    what = f"BLOCK HEADER: {HASH}" if block_id == HASH else f"BLOCK HEIGHT: {block_id}"
    for method, params in (("block", [block_id]), ("chunk", [block_id, 0]), ("gas_price", [block_id])):
        with pytest.raises(answered) as raised:
            await kept.call(method, params)
        assert raised.value.data == f"DB Not Found Error: {what} \n Cause: Unknown"
        assert (raised.value.cause, raised.value.info) == ("UNKNOWN_BLOCK", {})


async def test_a_chunk_is_found_by_its_hash_and_by_its_block(kept):
    block = await kept.call("block", [7])
    chunk = await kept.call("chunk", [block["chunks"][0]["chunk_hash"]])
    assert chunk["header"] == block["chunks"][0]
    assert chunk.keys() == {"author", "header", "transactions", "receipts"}
    for params in ({"chunk_id": block["chunks"][0]["chunk_hash"]}, {"block_id": 7, "shard_id": 0}, [block["header"]["hash"], 0]):
        assert await kept.call("chunk", params) == chunk


async def test_a_chunk_that_is_not_there_is_told_in_nearcores_words(kept, answered):
    with pytest.raises(answered) as raised:
        await kept.call("chunk", [HASH])
    assert raised.value.error["cause"] == {"name": "UNKNOWN_CHUNK", "info": {"chunk_hash": HASH}}
    assert raised.value.data == f"Chunk Missing (unavailable on the node): ChunkHash(`{HASH}`) \n Cause: Unknown"
    with pytest.raises(answered, match="Shard id 1 does not exist") as raised:
        await kept.call("chunk", [7, 1])
    assert raised.value.error["cause"] == {"name": "INVALID_SHARD_ID", "info": {"shard_id": 1}}


async def test_a_header_has_every_member_that_rust_clients_need(kept):
    # BlockHeaderView of near-primitives 0.38; the optional ones that nodes leave out are left out.
    header = (await kept.call("block", [3]))["header"]
    assert sorted(header) == [
        "approvals",
        "block_body_hash",
        "block_merkle_root",
        "block_ordinal",
        "challenges_result",
        "challenges_root",
        "chunk_endorsements",
        "chunk_headers_root",
        "chunk_mask",
        "chunk_receipts_root",
        "chunk_tx_root",
        "chunks_included",
        "epoch_id",
        "epoch_sync_data_hash",
        "gas_price",
        "hash",
        "height",
        "last_ds_final_block",
        "last_final_block",
        "latest_protocol_version",
        "next_bp_hash",
        "next_epoch_id",
        "outcome_root",
        "prev_hash",
        "prev_height",
        "prev_state_root",
        "random_value",
        "rent_paid",
        "shard_split",
        "signature",
        "timestamp",
        "timestamp_nanosec",
        "total_supply",
        "validator_proposals",
        "validator_reward",
    ]
    assert header["timestamp_nanosec"] == str(header["timestamp"])
    assert (header["height"], header["prev_height"], header["gas_price"]) == (3, 2, "100000000")
