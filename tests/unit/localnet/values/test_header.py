"""A header's hash as near-primitives computes it (`tests/vectors/near_primitives`)."""

import json
from pathlib import Path

import pytest

from localnet.values.hashes import NO_HASH, hash_from_text, hash_of, hash_to_text
from localnet.values.header import Header, Terms, first_header, make_header

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "near_primitives" / "light_client.json").read_text())["headers"]
TERMS = Terms(88, 10**8, 10**33)
# What the vectors' outcome roots are roots over.
CHUNK_ROOTS = (NO_HASH, NO_HASH, hash_of(b"root 1"), hash_of(b"root 1"))


@pytest.mark.parametrize(("vector", "chunk_root"), [*zip(VECTORS, CHUNK_ROOTS, strict=True)], ids=[0, 1, "last of epoch", "first of epoch"])
def test_a_hash_is_nearcores(vector, chunk_root):
    view, light = vector["view"], vector["light"]
    ours = Header(
        height=view["height"],
        prev_hash=hash_from_text(view["prev_hash"]),
        timestamp_ns=view["timestamp"],
        random_value=hash_from_text(view["random_value"]),
        chunk_outcome_root=chunk_root,
        block_merkle_root=hash_from_text(view["block_merkle_root"]),
        terms=TERMS,
    )
    assert hash_to_text(ours.outcome_root) == view["outcome_root"]
    assert hash_to_text(ours.inner_rest_hash) == light["inner_rest_hash"]
    assert hash_to_text(ours.hash) == view["hash"]


def test_each_thing_that_a_header_is_made_of_changes_its_hash():
    first = first_header("x", timestamp_ns=1, contents=b"", terms=TERMS)
    made = {"timestamp_ns": 2, "contents": bytes(32), "chunk_outcome_root": NO_HASH, "block_merkle_root": first.hash}
    other = {
        "timestamp_ns": 3,
        "contents": bytes([1] * 32),
        "chunk_outcome_root": hash_of(b"other"),
        "block_merkle_root": hash_of(b"other"),
    }
    hashes = {make_header(first, **made).hash} | {make_header(first, **made | {name: value}).hash for name, value in other.items()}
    another = first_header("y", timestamp_ns=1, contents=b"", terms=TERMS)
    richer = first_header("x", timestamp_ns=1, contents=b"", terms=Terms(88, 10**8, 10**33 + 1))
    assert len(hashes | {make_header(another, **made).hash, make_header(richer, **made).hash}) == 7
