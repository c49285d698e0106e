"""
Merkle trees of RFC 6962 (section 2.1): many receipts under one root, and the proof that one of them is among them.

Leaves are the bytes themselves; a leaf's hash begins with 0x00 and a node's with 0x01, so that neither passes for the other.
"""

import hashlib
from collections.abc import Sequence

from oracle.errors import EvidenceRefused

HASH_BYTES = 32
MAX_TREE_SIZE = 2**32
"""Nobody batches more; it bounds a proof to 32 hashes."""


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of a leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Merkle Tree Hash of the leaves, in order."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    return _root_of_hashes([leaf_hash(leaf) for leaf in leaves])


def inclusion_path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """
    The audit path of a leaf: its siblings' hashes from the bottom up.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    return tuple(_path([leaf_hash(leaf) for leaf in leaves], index))


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


def _root_of_hashes(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    split = _split(len(hashes))
    return _node_hash(_root_of_hashes(hashes[:split]), _root_of_hashes(hashes[split:]))


def _path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    if len(hashes) == 1:
        return []
    split = _split(len(hashes))
    if index < split:
        return [*_path(hashes[:split], index), _root_of_hashes(hashes[split:])]
    return [*_path(hashes[split:], index - split), _root_of_hashes(hashes[:split])]


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)
