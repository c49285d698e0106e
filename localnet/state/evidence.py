"""
What proves to a light client that something happened: from an outcome to a header, from there to a later header that is trusted.

The outcomes of a block stand in the next block's header, whose hash stands in the block tree of every header after that.
"""

from dataclasses import dataclass

from localnet.state.reading import StateReading
from localnet.values.errors import NotConfirmed, NotInHead, UnknownOutcome
from localnet.values.hashes import CryptoHash
from localnet.values.header import Header
from localnet.values.merkle import MerklePath, path_in_grown_tree
from localnet.values.outcome import Outcome
from localnet.values.outcome_tree import OutcomeTree


@dataclass(frozen=True, slots=True)
class OutcomeProof:
    """An outcome, and the header that commits to it."""

    outcome: Outcome
    path: MerklePath
    """From the outcome to `header.chunk_outcome_root`."""
    header: Header


class EvidenceReading(StateReading):
    """Proofs of what is still kept; each costs time that grows with the logarithm of the chain's length."""

    def outcome_path(self, outcome: Outcome) -> MerklePath:
        """From an outcome of this chain to the root over its block's."""
        return self._outcome_tree(outcome.block_height).path(outcome.id)

    def _outcome_tree(self, height: int) -> OutcomeTree:
        tree = self._store.outcome_tree(height)
        assert tree is not None
        return tree

    def outcome_proof(self, outcome_id: CryptoHash) -> OutcomeProof:
        """
        The proof that a transaction (by its hash) or a receipt (by its id) came to what it came to.

        Raises:
            UnknownOutcome: it has not run, or is forgotten.
            NotConfirmed: it ran in the latest block; the next one will commit to it.
        """
        executed = self._store.transaction(outcome_id)
        outcome = self._store.outcome(outcome_id) if executed is None else executed[1]
        if outcome is None:
            raise UnknownOutcome(outcome_id)
        header = self._store.header(outcome.block_height + 1)
        if header is None:
            raise NotConfirmed(outcome_id, outcome.block_height)
        return OutcomeProof(outcome, self.outcome_path(outcome), header)

    def block_path(self, block: Header, head: Header) -> MerklePath:
        """
        From a block's hash to the block tree's root in a later header; empty when both are the same block.

        Raises:
            NotInHead: the head is the older one.
        """
        if block.height > head.height:
            raise NotInHead(block.hash, head.hash)
        if block.height == head.height:
            return ()
        return path_in_grown_tree(block.height, head.height, self._store.block_node)
