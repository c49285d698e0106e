"""The commands with which a register contract's owner approves what a machine measures."""

import json

from oracle.model import Measurements

_PUBLIC_NETWORKS = frozenset({"mainnet", "testnet"})
DEPOSIT_NEAR = "0.01"
"""An entry keeps some 600 bytes at 10^19 yoctoNEAR each; what is too much comes back (docs/register-contract.md)."""


def approval_commands(measurements: Measurements, *, register_account_id: str, owner_id: str, network_id: str) -> tuple[str, str]:
    """Two ways to approve: near-cli 4, and the script of this project."""
    arguments = json.dumps(measurements.hex_fields(), separators=(",", ":"))
    near_cli = (
        f"near call {register_account_id} add_approved_measurements '{arguments}' "
        f"--useAccount {owner_id} --deposit {DEPOSIT_NEAR} --networkId {network_id if network_id in _PUBLIC_NETWORKS else 'custom'}"
    )
    registers = "".join(f" --{name} {value}" for name, value in measurements.hex_fields().items())
    node = (
        f" --rpc-url https://rpc.{network_id}.near.org" if network_id in _PUBLIC_NETWORKS else ""
    )  # not the worker's, which may hold a key
    return near_cli, f"scripts/approve-measurements.py {register_account_id}{registers} --key-file {owner_id}.json{node}"


def not_approved(measurements: Measurements, *, register_account_id: str, owner_id: str, network_id: str) -> str:
    """What to tell when they are not approved: all five, and who approves them how."""
    values = "\n".join(f"  {name:<5} {value}" for name, value in measurements.hex_fields().items())
    near_cli, script = approval_commands(measurements, register_account_id=register_account_id, owner_id=owner_id, network_id=network_id)
    return (
        f"the measurements of this machine are not approved by {register_account_id}:\n{values}\n"
        f"If they are of your own build, its owner {owner_id} approves them with\n  {near_cli}\nor with\n  {script}"
    )
