"""
How long a request may still take.

A yield gives up 200 blocks after it began or was renewed (NEAR `yield_timeout_length_in_blocks`). Early enough before that the contract is
told that work goes on, where it knows how; later, and still early enough for a transaction to land, the caller gets an error.
"""

from oracle.model import Job

YIELD_BLOCKS = 200
ANNOUNCE_AFTER_BLOCKS = 150
GIVE_UP_AFTER_BLOCKS = 170
GONE_AFTER_BLOCKS = YIELD_BLOCKS + 10

EXTENSION_DEADLINE_NS = 600 * 10**9
"""The contract renews a yield until so long after the request (PROTOCOL, "extend_execution")."""
_TO_RENEWAL_NS = 60 * 10**9
"""From the announcement to the block that renews, generously."""
_BLOCK_NS = 600_000_000
"""NEAR's time between blocks, where only a request's age in time is known."""


def yield_age_blocks(job: Job, height: int, block_timestamp_ns: int) -> int:
    """Blocks since the yield began or was renewed; estimated from the request's timestamp when that height is unknown."""
    if job.yield_height:
        return height - job.yield_height
    return max(0, block_timestamp_ns - job.request.timestamp_ns) // _BLOCK_NS


def renewal_lies_ahead(job: Job, block_timestamp_ns: int) -> bool:
    """Whether the contract would still renew the yield when it times out."""
    return block_timestamp_ns + _TO_RENEWAL_NS < job.request.timestamp_ns + EXTENSION_DEADLINE_NS


def renewed_unseen(job: Job, height: int) -> int:
    """Where a yield was renewed that still waits although it has ended; where its beginning is unknown, rather too early than too late."""
    return job.yield_height + YIELD_BLOCKS if job.yield_height else max(1, height - YIELD_BLOCKS // 2)
