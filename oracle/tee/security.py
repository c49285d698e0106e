"""
The settings on which a worker's security rests, as one digest: a registration's quote covers it, and every receipt names it.

Who relaxes one of them therefore says so, on chain and in each receipt; what does not weaken anything (a port, a log level) is left out.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from oracle.model.receipt import TeeMode
from oracle.tee.canonical import canonical_bytes

SCHEMA = "nco/settings/v1"


@dataclass(frozen=True)
class SecuritySettings:
    """
    What is hashed.

    `root_sha256_hex`: of the root certificate trusted for quotes, None without a TEE. `policy_sha256_hex`: of the rules, which are in force
    without one too.
    `guest_isolation`: `process`, the walls that every guest has. `build_backend`: None builds nothing. `independent_nodes`: how many RPC
    nodes on hosts of their own are asked; `two_nodes`: a request is believed only when two of them agree on it.
    """

    network_id: str
    contract_id: str
    register_contract_id: str | None
    tee_mode: TeeMode
    root_sha256_hex: str | None
    policy_sha256_hex: str
    engine_settings_sha256_hex: str
    guest_isolation: str
    build_backend: str | None
    independent_nodes: int
    two_nodes: bool
    local_chain: bool

    def document(self) -> dict[str, object]:
        """All settings, as they are hashed and shown; integers are decimal strings."""
        return {
            "schema": SCHEMA,
            "network_id": self.network_id,
            "contract_id": self.contract_id,
            "register_contract_id": self.register_contract_id,
            "tee_mode": self.tee_mode.value,
            "root_sha256": self.root_sha256_hex,
            "policy_sha256": self.policy_sha256_hex,
            "engine_settings_sha256": self.engine_settings_sha256_hex,
            "guest_isolation": self.guest_isolation,
            "build_backend": self.build_backend,
            "independent_nodes": str(self.independent_nodes),
            "two_nodes": self.two_nodes,
            "local_chain": self.local_chain,
        }

    @cached_property
    def sha256_hex(self) -> str:
        """SHA-256 of `document()` in canonical form (RFC 8785)."""
        return hashlib.sha256(canonical_bytes(self.document())).hexdigest()
