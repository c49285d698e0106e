"""What a block shows besides its contents."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from localnet.rpc.block_views import chunk_hash, time_text
from localnet.values.hashes import CryptoHash
from localnet.values.header import EPOCH_LENGTH_BLOCKS, Terms, first_header

HEADER = first_header("x", timestamp_ns=0, contents=b"", terms=Terms(88, 1, 1))


@given(st.integers(0, 10**6))
def test_the_next_epochs_id_is_known_before_it_begins(height):
    header = replace(HEADER, height=height)
    later = replace(HEADER, height=height + EPOCH_LENGTH_BLOCKS)
    assert header.epoch_id != later.epoch_id == header.next_epoch_id


@given(st.binary(min_size=32, max_size=32))
def test_block_and_chunk_hash_lead_to_each_other(block_hash):
    assert chunk_hash(chunk_hash(CryptoHash(block_hash))) == block_hash


def test_times_have_nine_decimals():
    assert time_text(0) == "1970-01-01T00:00:00.000000000Z"
    assert time_text(1_750_000_000_000_000_007) == "2025-06-15T15:06:40.000000007Z"
