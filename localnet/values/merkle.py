"""
nearcore's Merkle trees: a left node and a right one are hashed together, and a node without a neighbour goes up as it is.

Two of them: `MerkleTree` over leaves that are all there, and `PartialTree`, which grows leaf by leaf and keeps only what its root needs.
Both give the same root to the same leaves.

Source: near-primitives 0.38, `merkle.rs` (merklize, PartialMerkleTree); for `path_in_grown_tree` nearcore `merkle_proof.rs`
(compute_past_block_proof_in_merkle_tree_of_later_block).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TypeAlias

from localnet.values.hashes import NO_HASH, CryptoHash

NodeAt: TypeAlias = Callable[[int, int], CryptoHash]
"""The node at (level, index) of a tree whose level 0 are the leaves, for nodes whose 2**level leaves are all there."""


class Side(StrEnum):
    """Where a neighbour stands, as JSON-RPC names it."""

    LEFT = "Left"
    RIGHT = "Right"


@dataclass(frozen=True, slots=True)
class PathItem:
    """A neighbour on the way from a leaf to the root."""

    hash: CryptoHash
    side: Side


MerklePath: TypeAlias = tuple[PathItem, ...]
"""From the leaf upwards; levels at which the node has no neighbour are left out."""


def combine(left: bytes, right: bytes) -> CryptoHash:
    """The node above two others."""
    return CryptoHash(sha256(left + right).digest())


class MerkleTree:
    """A tree over leaves that are all there; they are hashes already."""

    __slots__ = ("_levels",)

    def __init__(self, leaves: Sequence[CryptoHash]) -> None:
        levels = [tuple(leaves)]
        while len(below := levels[-1]) > 1:
            pairs = [combine(below[index], below[index + 1]) for index in range(0, len(below) - 1, 2)]
            levels.append((*pairs, below[-1]) if len(below) % 2 else tuple(pairs))
        self._levels = tuple(levels)

    @property
    def leaves(self) -> tuple[CryptoHash, ...]:
        """What the tree is over."""
        return self._levels[0]

    @property
    def root(self) -> CryptoHash:
        """The topmost node; 32 zero bytes of no leaves."""
        return self._levels[-1][0] if self._levels[0] else NO_HASH

    def path(self, index: int) -> MerklePath:
        """What leads from a leaf to the root."""
        path = []
        for nodes in self._levels:
            if index % 2:
                path.append(PathItem(nodes[index - 1], Side.LEFT))
            elif index + 1 < len(nodes):
                path.append(PathItem(nodes[index + 1], Side.RIGHT))
            index //= 2
        return tuple(path)


@dataclass(frozen=True, slots=True)
class PartialTree:
    """A tree that grows: the roots of its largest whole subtrees from left to right, one for each bit of its size."""

    peaks: tuple[CryptoHash, ...] = ()
    size: int = 0

    @property
    def root(self) -> CryptoHash:
        """As of `MerkleTree` over the same leaves."""
        if not self.peaks:
            return NO_HASH
        *left, root = self.peaks
        for peak in reversed(left):
            root = combine(peak, root)
        return root

    @classmethod
    def of_size(cls, size: int, node: NodeAt) -> "PartialTree":
        """The tree of the first `size` leaves, out of its nodes."""
        levels = (level for level in reversed(range(size.bit_length())) if size >> level & 1)
        return cls(tuple(node(level, (size >> level) - 1) for level in levels), size)

    def completed_by(self, leaf: CryptoHash) -> tuple[CryptoHash, ...]:
        """The nodes that are whole once the leaf is there: itself, then those above it, upwards."""
        nodes = [leaf]
        for level in range(_trailing_ones(self.size)):
            nodes.append(combine(self.peaks[-1 - level], nodes[-1]))
        return tuple(nodes)

    def grown(self, nodes: Sequence[CryptoHash]) -> "PartialTree":
        """The tree with one leaf more, and so the nodes that it completed."""
        return PartialTree((*self.peaks[: len(self.peaks) + 1 - len(nodes)], nodes[-1]), self.size + 1)


def path_in_grown_tree(index: int, size: int, node: NodeAt) -> MerklePath:
    """
    What leads from a leaf to the root of the tree of the first `size` leaves.

    Args:
        index: of the leaf, below `size`.
        size: how many leaves the tree had.
        node: asked for at most 3 log2(size) nodes, all of them whole in the tree of that size.
    """
    path, level = list[PathItem](), 0
    while (1 << level) < size:
        neighbour = index ^ 1
        if neighbour << level < size:
            side = Side.LEFT if neighbour < index else Side.RIGHT
            path.append(PathItem(_subtree(level, neighbour, size, node), side))
        index, level = index // 2, level + 1
    return tuple(path)


def _subtree(level: int, index: int, size: int, node: NodeAt) -> CryptoHash:
    """The node at a place, which may lack leaves at its right end."""
    if (index + 1) << level <= size:
        return node(level, index)
    left = _subtree(level - 1, 2 * index, size, node)
    if (2 * index + 1) << (level - 1) >= size:
        return left
    return combine(left, _subtree(level - 1, 2 * index + 1, size, node))


def _trailing_ones(number: int) -> int:
    return (~number & (number + 1)).bit_length() - 1
