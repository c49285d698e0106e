"""Params are read into values that cannot be wrong, or refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localnet.rpc.errors import ParseError
from localnet.rpc.params import AtHash, AtHeight, Earliest, Latest, Params
from localnet.values.hashes import hash_of, hash_to_text

HASH = hash_of(b"block")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.mark.parametrize(
    ("params", "reference"),
    [
        ({}, Latest()),
        ({"finality": "optimistic"}, Latest()),
        ({"finality": "near-final"}, Latest()),
        ({"block_id": None, "finality": "final"}, Latest()),
        ({"block_id": 7}, AtHeight(7)),
        ({"block_id": hash_to_text(HASH)}, AtHash(HASH)),
        ({"sync_checkpoint": "genesis"}, Earliest()),
        ({"sync_checkpoint": "earliest_available"}, Earliest()),
        ([7], AtHeight(7)),
        ([None], Latest()),
        (None, Latest()),
    ],
)
def test_every_way_to_name_a_block_is_understood(params, reference):
    assert Params(params, positional=("block_id",)).block_reference() == reference


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({}, "missing field `account_id`"),
        ({"account_id": None}, "missing field `account_id`"),
        ({"account_id": 5}, "`account_id`: a string is wanted, not a number"),
        ({"account_id": "Alice.near"}, "'Alice.near' is no account id"),
        ({"account_id": "a" * 5000}, "5000 characters; at most 4096"),
        ({"account_id": "\ud800"}, "lone surrogate"),
        (["alice.near", "more"], "2 positional params where the method takes account_id"),
        ("alice.near", "an object or an array, not a string"),
    ],
)
def test_a_refusal_names_the_member_and_what_is_wrong_with_it(params, reason):
    with pytest.raises(ParseError, match=reason):
        Params(params, positional=("account_id",)).account_id()


def test_base64_is_bounded_and_strict():
    params = Params({"args": "aGk="})
    assert params.data("args", most=2) == b"hi"
    with pytest.raises(ParseError, match="2 bytes; at most 1 are taken"):
        params.data("args", most=1)
    with pytest.raises(ParseError, match="not base64"):
        Params({"args": "a\nGk="}).data("args", most=10)


def test_a_key_without_its_curve_is_ed25519():
    text = hash_to_text(HASH)
    assert Params({"public_key": text}).public_key() == Params({"public_key": f"ed25519:{text}"}).public_key()
    with pytest.raises(ParseError, match="secp256k1"):
        Params({"public_key": f"secp256k1:{text}"}).public_key()


@given(JSON)
def test_whatever_comes_is_read_or_refused(value):
    for read in (
        lambda: Params(value, positional=("block_id",)).block_reference(),
        lambda: Params({"x": value}).text("x"),
        lambda: Params({"x": value}).integer("x"),
        lambda: Params({"x": value}).data("x", most=100),
        lambda: Params({"x": value}).account_id("x"),
        lambda: Params({"x": value}).public_key("x"),
        lambda: Params({"x": value}).hash("x"),
        lambda: Params({"x": value}).one_of("x", ("a", "b"), default="a"),
    ):
        try:
            read()
        except ParseError as error:
            assert error.to_json()["data"].startswith("Failed parsing args: ")  # noqa: PT017 (either way is right)
