"""Which outcomes of a transaction have to be proven, found in what a node tells of it (`EXPERIMENTAL_tx_status`)."""

from dataclasses import dataclass
from typing import Any

from oracle.flows.verify.logged import completed_in, requested_in
from oracle.flows.verify.reading import receipt_of_answer, went_through
from oracle.tee.proof_fields import MAX_REQUEST_OUTCOMES


class NotShown(Exception):
    """What a node tells does not show what is sought; `str()` is the reason."""


@dataclass(frozen=True, slots=True)
class Step:
    """An outcome by its id; `account_id`: the transaction's signer, or where the receipt ran. `block_hash`: the block in which it ran."""

    id: str
    account_id: str
    block_hash: str
    is_transaction: bool = False


def way_to_request(status: Any, contract_id: str, request_id: int) -> tuple[Step, ...]:
    """
    The transaction's outcome, and those of the receipts that lead from it to the one which made the request.

    Raises:
        NotShown: there is no such receipt, or no such way.
    """
    ran = next((ran for ran in _of_contract(status, contract_id) if requested_in(ran["outcome"]["logs"], request_id)), None)
    if ran is None:
        raise NotShown(f"the transaction made no request {request_id} of {contract_id}")
    outcomes = {each["id"]: each for each in (status["transaction_outcome"], *status["receipts_outcome"])}
    makers = {made: maker for maker, each in outcomes.items() for made in each["outcome"]["receipt_ids"]}
    ids = [ran["id"]]
    while ids[0] in makers and len(ids) <= MAX_REQUEST_OUTCOMES:
        ids.insert(0, makers[ids[0]])
    if ids[0] != status["transaction"]["hash"] or len(ids) > MAX_REQUEST_OUTCOMES:
        raise NotShown(f"no way of at most {MAX_REQUEST_OUTCOMES} outcomes leads from the transaction to the request")
    return (_first(status), *(_step(outcomes[each]) for each in ids[1:]))


def way_to_answer(status: Any) -> tuple[Step, ...]:
    """The transaction's outcome and that of its function call."""
    return _first(status), _step(receipt_of_answer(status))


def settling_step(status: Any, contract_id: str, request_id: int) -> Step:
    """
    The receipt that told the request's end.

    Raises:
        NotShown: it is not among those of the request's transaction.
    """
    for ran in _of_contract(status, contract_id):
        if completed_in(ran["outcome"]["logs"], request_id) is not None:
            return _step(ran)
    raise NotShown("no event of it is among the receipts of the request's transaction")


def _of_contract(status: Any, contract_id: str) -> list[Any]:
    every = status["receipts_outcome"]
    return [ran for ran in every if ran["outcome"]["executor_id"] == contract_id and went_through(ran["outcome"]["status"])]


def _first(status: Any) -> Step:
    outcome = status["transaction_outcome"]
    return Step(outcome["id"], status["transaction"]["signer_id"], outcome["block_hash"], is_transaction=True)


def _step(ran: Any) -> Step:
    return Step(ran["id"], ran["outcome"]["executor_id"], ran["block_hash"])
