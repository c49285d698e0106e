"""
What a registration's quote is made for: the worker's key, the accounts, a recent block's time, the settings in force.

A quote has no date of its own; the time of a block that the chain has just made is what makes it fresh.
"""

import hashlib
from dataclasses import dataclass

DOMAIN = b"nco/register/v1"


@dataclass(frozen=True, slots=True)
class Context:
    """`seen_block_time_ns`: of a recent final block. `settings_sha256`: 32 bytes, `SecuritySettings.sha256_hex` as bytes."""

    register_account_id: str
    main_contract_id: str
    seen_block_time_ns: int
    settings_sha256: bytes

    def __post_init__(self) -> None:
        if len(self.settings_sha256) != 32:
            raise ValueError(f"a digest of settings has 32 bytes, not {len(self.settings_sha256)}")
        if not 0 <= self.seen_block_time_ns < 2**64:
            raise ValueError(f"the block time {self.seen_block_time_ns} is no u64")

    def report_data(self, public_key: bytes) -> bytes:
        """
        REPORTDATA, 64 bytes: the raw ed25519 key (32 bytes), then the digest of the context.

        Source: PROTOCOL, "Register contract"; the contract computes the same and compares both halves.
        """
        if len(public_key) != 32:
            raise ValueError(f"an ed25519 key has 32 bytes, not {len(public_key)}")
        return public_key + hashlib.sha256(DOMAIN + self._borsh()).digest()

    def _borsh(self) -> bytes:
        """Two strings with u32 lengths, a u64 and 32 bytes, little-endian (borsh specification)."""
        texts = (self.register_account_id.encode(), self.main_contract_id.encode())
        strings = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
        return strings + self.seen_block_time_ns.to_bytes(8, "little") + self.settings_sha256
