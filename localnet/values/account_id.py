"""Account ids: what is valid, and what kind an id is (nearcore's `near-account-id`)."""

import re

SYSTEM = "system"
"""The predecessor of refunds; nobody can own it."""

_SHORTEST, _LONGEST = 2, 64
_VALID = re.compile(r"(?:(?:[a-z0-9]+[-_])*[a-z0-9]+\.)*(?:[a-z0-9]+[-_])*[a-z0-9]+")
_NEAR_IMPLICIT = re.compile(r"[0-9a-f]{64}")
_ETH_IMPLICIT = re.compile(r"0x[0-9a-f]{40}")
_DETERMINISTIC = re.compile(r"0s[0-9a-f]{40}")
_UNIVERSAL = re.compile(r"0u[0-9a-hjkmnp-tv-z]{51}[0g]")


def is_valid(account_id: str) -> bool:
    """Whether a text may name an account: 2 to 64 of a-z, 0-9, with single - _ . between them."""
    return _SHORTEST <= len(account_id) <= _LONGEST and _VALID.fullmatch(account_id) is not None


def check(account_id: str) -> str:
    """
    Hand a valid id back.

    Raises:
        ValueError: the id is not valid.
    """
    if not is_valid(account_id):
        raise ValueError(f"{account_id[:80]!r} is no account id: 2 to 64 of a-z, 0-9 and, between them, single - _ .")
    return account_id


def is_near_implicit(account_id: str) -> bool:
    """Whether the id is the hex of a public key: such an account begins with a transfer to it."""
    return _NEAR_IMPLICIT.fullmatch(account_id) is not None


def is_eth_implicit(account_id: str) -> bool:
    """Whether the id is an Ethereum address."""
    return _ETH_IMPLICIT.fullmatch(account_id) is not None


def is_deterministic(account_id: str) -> bool:
    """Whether the id is derived from an initial state (`0s` and 40 hex digits)."""
    return _DETERMINISTIC.fullmatch(account_id) is not None


def is_universal(account_id: str) -> bool:
    """Whether the id is the hash of an initial state with keys (`0u` and 256 bits of Crockford's base32)."""
    return _UNIVERSAL.fullmatch(account_id) is not None


def is_implicit(account_id: str) -> bool:
    """Whether a transfer makes the account."""
    return is_near_implicit(account_id) or is_eth_implicit(account_id) or is_deterministic(account_id) or is_universal(account_id)


def is_top_level(account_id: str) -> bool:
    """Whether the id has no parent."""
    return "." not in account_id and account_id != SYSTEM


def is_sub_account(account_id: str, parent_id: str) -> bool:
    """Whether the id is a direct child of the parent's."""
    return account_id.partition(".")[2] == parent_id
