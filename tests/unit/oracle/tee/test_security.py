import hashlib
import json
from dataclasses import fields, replace

import pytest

from oracle.model.receipt import TeeMode
from oracle.tee.security import SecuritySettings

SETTINGS = SecuritySettings(
    network_id="testnet",
    contract_id="outlayer.testnet",
    register_contract_id="worker.testnet",
    tee_mode=TeeMode.TDX,
    root_sha256_hex="1a" * 32,
    policy_sha256_hex="2b" * 32,
    engine_settings_sha256_hex="3c" * 32,
    guest_isolation="process",
    build_backend=None,
    independent_nodes=2,
    two_nodes=True,
    local_chain=False,
)
OTHER = {
    "network_id": "mainnet",
    "contract_id": "other.testnet",
    "register_contract_id": None,
    "tee_mode": TeeMode.NONE,
    "root_sha256_hex": None,
    "policy_sha256_hex": "4d" * 32,
    "engine_settings_sha256_hex": "5e" * 32,
    "guest_isolation": "none",
    "build_backend": "none",
    "independent_nodes": 1,
    "two_nodes": False,
    "local_chain": True,
}


def test_the_digest_is_that_of_sorted_json_without_spaces():
    text = json.dumps(SETTINGS.document(), sort_keys=True, separators=(",", ":"))  # the canonical form of ASCII names, texts and booleans
    assert hashlib.sha256(text.encode()).hexdigest() == SETTINGS.sha256_hex


@pytest.mark.parametrize("name", [field.name for field in fields(SecuritySettings)])
def test_every_setting_moves_the_digest(name):
    assert replace(SETTINGS, **{name: OTHER[name]}).sha256_hex != SETTINGS.sha256_hex
