"""What is registered where, by whom."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """
    The contracts, and the digest of the settings in force (64 hex digits).

    `local_chain`: whose time may be moved forward, so that its blocks may be ahead of every clock.
    """

    network_id: str
    register_account_id: str
    main_contract_id: str
    settings_sha256_hex: str
    payer_id: str
    local_chain: bool = False
