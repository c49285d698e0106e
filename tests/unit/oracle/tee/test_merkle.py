"""Trees against Certificate Transparency's test vectors, and proofs that hold for their own leaf, place, size and root only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.errors import EvidenceRefused
from oracle.tee.merkle import Tree, leaf_hash, root_from_path

LEAVES = [
    bytes.fromhex(leaf) for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
"""Leaves, roots and proofs: github.com/transparency-dev/merkle, proof/verify_test.go and testonly (Apache-2.0)."""

ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

PROOFS = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]

batches = st.lists(st.binary(max_size=40), min_size=1, max_size=70, unique=True)


@pytest.mark.parametrize(("size", "expected"), list(enumerate(ROOTS)))
def test_roots_are_those_of_certificate_transparency(size, expected):
    assert Tree(LEAVES[:size]).root.hex() == expected


@pytest.mark.parametrize(("index", "size", "expected"), PROOFS)
def test_proofs_are_those_of_certificate_transparency(index, size, expected):
    path = Tree(LEAVES[:size]).path(index)
    assert [sibling.hex() for sibling in path] == expected
    assert root_from_path(LEAVES[index], index, size, path).hex() == ROOTS[size]


@given(batches)
def test_each_leaf_of_each_batch_leads_to_the_root(leaves):
    tree = Tree(leaves)
    for index, leaf in enumerate(leaves):
        assert root_from_path(leaf, index, tree.size, tree.path(index)) == tree.root


def leads_to(top, leaf, index, size, path):
    try:
        return root_from_path(leaf, index, size, path) == top
    except EvidenceRefused:
        return False


@given(batches, st.data())
def test_a_proof_holds_for_no_other_leaf_place_or_path(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    tree = Tree(leaves)
    top, leaf, size, path = tree.root, leaves[index], tree.size, tree.path(index)
    assert not leads_to(top, leaf + b"\x00", index, size, path)
    assert not leads_to(top, leaf, index, size, (*path, top))
    assert not leads_to(top, leaf, index, size, (bytes(32), *path))
    assert not any(leads_to(top, leaf, other, size, path) for other in range(-1, size + 2) if other != index)
    for at in range(len(path)):
        changed = bytearray(path[at])
        changed[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
        assert not leads_to(top, leaf, index, size, (*path[:at], bytes(changed), *path[at + 1 :]))
        assert not leads_to(top, leaf, index, size, (*path[:at], *path[at + 1 :]))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (0, 2**33), (5, 2)])
def test_a_leaf_that_no_tree_has_is_refused(index, size):
    with pytest.raises(EvidenceRefused, match="cannot be"):
        root_from_path(b"leaf", index, size, [])


@pytest.mark.parametrize("size", range(1, 9))
def test_a_path_that_is_longer_or_shorter_than_its_tree_is_high_is_refused(size):
    leaves = [bytes([number]) for number in range(size)]
    tree = Tree(leaves)
    for index, leaf in enumerate(leaves):
        path = tree.path(index)
        for other in ((*path, bytes(32)), (*path, *path[-1:], bytes(32)), *((path[:-1],) if path else ())):
            with pytest.raises(EvidenceRefused, match="has no path of"):
                root_from_path(leaf, index, size, other)


def test_a_path_with_a_hash_of_another_length_is_refused():
    with pytest.raises(EvidenceRefused, match="32 bytes"):
        root_from_path(b"leaf", 0, 2, [bytes(31)])


def test_a_node_does_not_pass_for_a_leaf():
    assert Tree([b"a", b"b"]).root != leaf_hash(leaf_hash(b"a") + leaf_hash(b"b"))


def test_a_proof_is_asked_for_a_leaf_that_is_there():
    with pytest.raises(IndexError, match="leaf 2 of 2"):
        Tree([b"a", b"b"]).path(2)
