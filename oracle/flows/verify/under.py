"""
Check 31: what a bundle carries of the chain lies under the block that the verifier trusts, and is what it is carried for.

Evidence that is left out leaves its check open; evidence that shows something else is a contradiction.
"""

from collections.abc import Iterator
from itertools import pairwise

import base58

from oracle.flows.verify.check import Check, failed, passed, unknown
from oracle.flows.verify.logged import completed_in, requested_in
from oracle.flows.verify.offline import Evidence
from oracle.model.proof import ChainProofs, LightHeader, OutcomeProof, ProvableOutcome
from oracle.near.proof import block_hash, fault_of_block, fault_of_outcome
from oracle.near.signed import NoTransaction, read_signed

UNDER_BLOCK = 31
SAVE_AGAIN = "save it again with --save FILE, --rpc URL and --trusted-block"


def check_under_block(evidence: Evidence, trusted_block: str | None) -> Check:
    """Judge the chain's evidence of a bundle; `trusted_block`: base58."""
    record = evidence.bundle.chain
    proofs = None if record is None else record.proofs
    if trusted_block is None:
        expected = "a block that you trust, from a light client, an explorer or nodes of several people"
        return unknown(UNDER_BLOCK, "no block is named as trusted", expected, "name one with --trusted-block", is_needed=False)
    expected = f"outcomes whose paths lead to block {trusted_block}"
    if proofs is None:
        return unknown(UNDER_BLOCK, "the bundle carries no proofs", expected, f"{SAVE_AGAIN} {trusted_block}")
    head = text_of(block_hash(proofs.head))
    if head != trusted_block:
        seen = (
            f"the proofs lead to another block, {head} of height {proofs.head.height}; the trusted one is {_order(proofs, trusted_block)}"
        )
        return unknown(UNDER_BLOCK, seen, expected, f"{SAVE_AGAIN} {trusted_block}; or find out whether {head} can be trusted")
    faults = faults_of(evidence, proofs)
    if faults:
        return failed(UNDER_BLOCK, "; ".join(faults), expected)
    if not proofs.outcomes:
        return unknown(UNDER_BLOCK, "the bundle carries no proof of an outcome", expected, f"{SAVE_AGAIN} {trusted_block}")
    return passed(UNDER_BLOCK, extent_of(proofs), expected)


def extent_of(proofs: ChainProofs) -> str:
    """How much there is, and under which block."""
    outcomes, blocks = len(proofs.outcomes), len(proofs.blocks)
    count = f"{outcomes} outcome{'s' * (outcomes != 1)} and {blocks} block{'s' * (blocks != 1)}"
    return f"{count} under block {text_of(block_hash(proofs.head))} of height {proofs.head.height}"


def faults_of(evidence: Evidence, proofs: ChainProofs) -> tuple[str, ...]:
    """What of it does not lie under its head, or does not show what it is carried for; nothing: all of it does."""
    return (*_faults_of_paths(proofs), *_faults_of_request(evidence, proofs), *_faults_of_answer(evidence, proofs))


def headers_of(proofs: ChainProofs) -> Iterator[LightHeader]:
    """All that lie under the head."""
    yield from (proof.block.header for proof in proofs.outcomes)
    yield from (block.header for block in proofs.blocks)


def text_of(data: bytes) -> str:
    """A hash as nodes write it."""
    return base58.b58encode(data).decode()


def _order(proofs: ChainProofs, trusted_block: str) -> str:
    """Whether the trusted block is before the head, as far as it is told; a hash alone has no height."""
    if trusted_block == text_of(proofs.head.prev_block_hash):
        return "earlier, the one right before it"
    earlier = next((header for header in headers_of(proofs) if text_of(block_hash(header)) == trusted_block), None)
    return "a later block, or one of another chain" if earlier is None else f"earlier, of height {earlier.height}"


def _faults_of_paths(proofs: ChainProofs) -> Iterator[str]:
    named = (
        *((f"outcome {number} of the request", proof) for number, proof in enumerate(proofs.request)),
        *((f"outcome {number} of the answer", proof) for number, proof in enumerate(proofs.answer)),
        *(() if proofs.settled is None else (("the outcome that settles", proofs.settled),)),
    )
    for name, proof in named:
        if (fault := fault_of_outcome(proof, proofs.head)) is not None:
            yield f"{name}: {fault}"
    for number, block in enumerate(proofs.blocks):
        if (fault := fault_of_block(block, proofs.head)) is not None:
            yield f"block {number}: {fault}"


def _faults_of_request(evidence: Evidence, proofs: ChainProofs) -> Iterator[str]:
    asked, contract_id = evidence.receipt.request, evidence.receipt.chain.contract_id
    way, settled = proofs.request, proofs.settled
    yield from _faults_of_way("request", way, proofs.request_transaction)
    if way and asked.transaction_hash not in (None, text_of(way[0].outcome.id)):
        yield f"the outcomes of the request begin with {text_of(way[0].outcome.id)}, and not with its transaction"
    if way and not (_is_of(way[-1].outcome, contract_id) and requested_in(way[-1].outcome.logs, asked.request_id)):
        yield f"the outcomes of the request end without request {asked.request_id} of {contract_id}"
    if settled is not None and not (_is_of(settled.outcome, contract_id) and completed_in(settled.outcome.logs, asked.request_id)):
        yield f"the outcome that settles tells no end of request {asked.request_id} of {contract_id}"


def _faults_of_answer(evidence: Evidence, proofs: ChainProofs) -> Iterator[str]:
    record, way = evidence.bundle.chain, proofs.answer
    yield from _faults_of_way("answer", way, proofs.answer_transaction)
    if len(way) not in (0, 2):
        yield f"the answer has {len(way)} outcomes, and two are needed"
    named = None if record is None else record.answer_transaction_hash
    if way and named not in (None, text_of(way[0].outcome.id)):
        yield f"the bundle names {named!s:.60} as the answer, and proves {text_of(way[0].outcome.id)}"


def _faults_of_way(name: str, way: tuple[OutcomeProof, ...], carried: bytes | None) -> Iterator[str]:
    if any(after.outcome.id not in before.outcome.receipt_ids for before, after in pairwise(way)):
        yield f"the outcomes of the {name} do not lead from one to the next"
    if carried is None:
        return
    try:
        found = read_signed(carried).hash
    except NoTransaction as reason:
        yield f"the transaction of the {name}: {reason}"
        return
    if not way or found != way[0].outcome.id:
        yield f"the transaction of the {name}: the bytes that are carried are of {text_of(found)}, whose outcome is not proven"


def _is_of(outcome: ProvableOutcome, contract_id: str) -> bool:
    return outcome.executor_id == contract_id and outcome.went_through
