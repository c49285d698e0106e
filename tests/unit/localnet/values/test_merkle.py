"""Trees, paths and roots as near-primitives has them (`tests/vectors/near_primitives`)."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localnet.rpc.views import path_view
from localnet.values.hashes import NO_HASH, CryptoHash, hash_from_text, hash_of, hash_to_text
from localnet.values.merkle import MerkleTree, PartialTree, Side, combine, path_in_grown_tree

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "near_primitives" / "light_client.json").read_text())


def leaves(count):
    return [hash_of(b"%d" % number) for number in range(count)]


def walked(path, node):
    for item in path:
        node = combine(item.hash, node) if item.side is Side.LEFT else combine(node, item.hash)
    return node


class Grown:
    """A tree that grew to a size, with the nodes as a keeper has them."""

    def __init__(self, hashes):
        self.tree, self.rows, self.asked = PartialTree(), [], 0
        for leaf in hashes:
            self.rows.append(self.tree.completed_by(leaf))
            self.tree = self.tree.grown(self.rows[-1])

    def node(self, level, index):
        self.asked += 1
        return self.rows[((index + 1) << level) - 1][level]


@pytest.mark.parametrize("tree", VECTORS["trees"], ids=lambda tree: len(tree["items"]))
def test_roots_and_paths_are_nearcores(tree):
    ours = MerkleTree([hash_of(hash_from_text(item)) for item in tree["items"]])
    assert hash_to_text(ours.root) == tree["root"]
    assert [path_view(ours.path(index)) for index in range(len(tree["items"]))] == tree["paths"]


def test_a_growing_tree_has_nearcores_roots_and_keeps_what_nearcores_keeps():
    tree = PartialTree()
    for size, step in enumerate(VECTORS["growing"]):
        assert (tree.size, hash_to_text(tree.root)) == (size, step["root"])
        assert [hash_to_text(peak) for peak in tree.peaks] == step["path"]
        tree = tree.grown(tree.completed_by(hash_from_text(step["leaf"])))


@given(st.integers(0, 200))
def test_both_trees_have_one_root(count):
    grown = Grown(leaves(count))
    assert grown.tree.root == MerkleTree(leaves(count)).root
    assert PartialTree.of_size(count, grown.node) == grown.tree


@given(st.data(), st.integers(1, 300))
def test_a_leaf_of_a_tree_that_went_on_growing_has_the_path_it_had_before(data, size):
    index = data.draw(st.integers(0, size - 1))
    grown = Grown(leaves(size + data.draw(st.integers(0, 100))))
    path = path_in_grown_tree(index, size, grown.node)
    assert path == MerkleTree(leaves(size)).path(index)
    assert walked(path, leaves(size)[index]) == MerkleTree(leaves(size)).root


@given(st.data(), st.integers(2, 60))
def test_a_changed_bit_of_leaf_or_path_leads_elsewhere(data, count):
    tree, index = MerkleTree(leaves(count)), data.draw(st.integers(0, count - 1))
    path = list(tree.path(index))
    bit = 1 << data.draw(st.integers(0, 255))
    place = data.draw(st.integers(-1, len(path) - 1))

    def flipped(value):
        return CryptoHash((int.from_bytes(value, "big") ^ bit).to_bytes(32, "big"))

    leaf = tree.leaves[index]
    if place < 0:
        leaf = flipped(leaf)
    else:
        path[place] = type(path[place])(flipped(path[place].hash), path[place].side)
    assert walked(path, leaf) != tree.root


def test_a_path_costs_the_logarithm_of_the_trees_size():
    grown = Grown(leaves(3000))
    for size in (3000, 2049, 2047):
        for index in (0, size // 2, size - 1):
            grown.asked = 0
            path_in_grown_tree(index, size, grown.node)
            assert grown.asked <= 3 * 12


def test_nothing_has_a_root_of_zeros():
    assert MerkleTree([]).root == PartialTree().root == NO_HASH
