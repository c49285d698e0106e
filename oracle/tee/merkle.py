"""
Merkle trees of RFC 6962 (section 2.1): many receipts under one root, and the proof that one of them is among them.

Leaves are the bytes themselves; a leaf's hash begins with 0x00 and a node's with 0x01, so that neither passes for the other.
"""

import hashlib
from collections.abc import Iterable, Sequence

from oracle.errors import EvidenceRefused

HASH_BYTES = 32
MAX_TREE_SIZE = 2**32
"""Nobody batches more; it bounds a proof to 32 hashes."""


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of a leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


class Tree:
    """The tree over some leaves, in order; `root` is its Merkle Tree Hash, 32 bytes."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self._levels = [[leaf_hash(leaf) for leaf in leaves]]
        while len(level := self._levels[-1]) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            alone = level[-1:] if len(level) % 2 else []  # it goes up as it is: RFC 6962 splits at the largest power of two
            self._levels.append([*(_node_hash(left, right) for left, right in pairs), *alone])

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """Over all leaves."""
        return self._levels[-1][0] if self.size else hashlib.sha256(b"").digest()

    def path(self, index: int) -> tuple[bytes, ...]:
        """
        The audit path of a leaf: its siblings' hashes from the bottom up.

        Raises:
            IndexError: there is no such leaf.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"leaf {index} of {self.size}")
        siblings = []
        for level in self._levels[:-1]:
            if (sibling := index ^ 1) < len(level):
                siblings.append(level[sibling])
            index //= 2
        return tuple(siblings)


def root_from_path(leaf: bytes, index: int, tree_size: int, path: Sequence[bytes]) -> bytes:
    """
    The root of the tree in which the leaf stands at the index, by its audit path (RFC 9162, section 2.1.3.2).

    Raises:
        EvidenceRefused: no leaf of such a tree has a path of this shape.
    """
    if not 0 <= index < tree_size <= MAX_TREE_SIZE:
        raise EvidenceRefused(f"leaf {index} of a tree of {tree_size} cannot be: trees here have 1 to {MAX_TREE_SIZE} leaves")
    if any(len(sibling) != HASH_BYTES for sibling in path):
        raise EvidenceRefused(f"a hash on the path of leaf {index} does not have {HASH_BYTES} bytes")
    found, at, last = leaf_hash(leaf), index, tree_size - 1
    for sibling in path:
        if last == 0:
            raise _wrong_length(index, tree_size, path)
        if at % 2 or at == last:
            found = _node_hash(sibling, found)
            while at % 2 == 0 and at:
                at, last = at // 2, last // 2
        else:
            found = _node_hash(found, sibling)
        at, last = at // 2, last // 2
    if last:
        raise _wrong_length(index, tree_size, path)
    return found


def _wrong_length(index: int, tree_size: int, path: Sequence[bytes]) -> EvidenceRefused:
    return EvidenceRefused(f"leaf {index} of a tree of {tree_size} has no path of {len(path)} hashes")


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
