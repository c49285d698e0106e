"""What whoever verifies brings along: what is trusted, what is accepted, and what time it is."""

from dataclasses import dataclass

from oracle.tee.policy import Policy
from oracle.tee.root import Root

CLOCK_TOLERANCE_S = 600
"""How far clocks of worker, chain and verifier may lie apart; as old as a quote for a registration may be."""


@dataclass(frozen=True, slots=True)
class Terms:
    """
    The verifier's own side.

    `now_s`: Unix time. `at_s`: the moment for which certificates and lists are judged; None is the receipt's own. `collateral_json` is used
    instead of the bundle's. `request_id`, `contract_id` and `request_transaction`: which receipt was asked for, where somebody said so.
    `trusted_block`: hash of a block that is known to be final on the chain that is meant, base58.
    """

    policy: Policy
    root: Root
    now_s: int
    at_s: int | None = None
    collateral_json: str | None = None
    request_id: int | None = None
    contract_id: str | None = None
    request_transaction: str | None = None
    trusted_block: str | None = None
