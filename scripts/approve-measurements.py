#!/usr/bin/env python3
"""
Approve five measurements in the register contract, as its owner: from then on a machine that measures them may register.

They are given one by one, as `register-worker` prints them, or in a file, as scripts/expected-measurements.py writes it. Look at them
first: who approves them vouches for the software behind them. Measurements that are approved already are left alone. RTMR3 differs from
machine to machine unless the app sets no_instance_id; without that each machine needs an approval of its own.
"""

import argparse
import asyncio
import json
import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit

from phala.account import LOCAL_RPC, KeyFile, Signer, signing
from phala.attested import measurements_of, read_measurements
from phala.refused import Refused
from py_near_primitives import FunctionCallAction

from oracle.errors import ChainError
from oracle.model import Measurements
from oracle.model.tee import MEASUREMENT_NAMES
from oracle.near import Rpc
from oracle.ports import SystemClock

EXAMPLE = "example: scripts/approve-measurements.py operator.test.near --file m.json --key-file chain/owner.test.near.json"
ADD, REMOVE = "add_approved_measurements", "remove_approved_measurements"
GAS = 30 * 10**12
DEPOSIT_YOCTO = 10**22
"""0.01 NEAR; the storage takes about half of it, the rest comes back."""
PUBLIC_NETWORKS, CUSTOM = frozenset({"mainnet", "testnet"}), "custom"
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
ASKED_S = 10.0
_PAGE = 100


def main() -> None:
    given = _arguments()
    method = REMOVE if given.remove else ADD
    try:
        measurements = _measurements(given)
        if given.dry_run:
            print(_command(given, measurements, method))
            return
        changed = asyncio.run(_change(_owner(given.key_file), given.rpc_url, given.contract, measurements, method))
    except Refused as refused:
        sys.exit(str(refused))
    word = "removed" if given.remove else "approved"
    print(f"{given.contract}: {word if changed else f'nothing to do, they were {word} before'}")


def _owner(key_file: Path | None) -> KeyFile:
    if key_file is None:
        raise Refused("--key-file is needed, a key of the contract's owner; or --dry-run, which prints the call for near-cli")
    return KeyFile.read(key_file)


async def _change(key: KeyFile, rpc_url: str, contract_id: str, measurements: Measurements, method: str) -> bool:
    """Whether anything had to be done."""
    async with signing(key, rpc_url) as signer:
        if await _is_approved(signer, contract_id, measurements) == (method == ADD):
            return False
        deposit = DEPOSIT_YOCTO if method == ADD else 0
        arguments = json.dumps(measurements.hex_fields()).encode()
        await signer.send(contract_id, [FunctionCallAction(method, arguments, GAS, deposit)])
        return True


async def _is_approved(signer: Signer, contract_id: str, measurements: Measurements) -> bool:
    wanted, index = measurements.hex_fields(), 0
    while page := await signer.view(contract_id, "get_approved_measurements", {"from_index": index, "limit": _PAGE}):
        if wanted in page:
            return True
        index += len(page)
    return False


def _measurements(given: argparse.Namespace) -> Measurements:
    values = {name: getattr(given, name) for name in MEASUREMENT_NAMES}
    if given.file is not None:
        if any(values.values()):
            raise Refused("the measurements are named twice; give --file, or the five options")
        return read_measurements(given.file)
    return measurements_of(values, "the options")


async def _network(rpc_url: str) -> str:
    """
    near-cli's name of the network behind a node; one of this machine need not run for it.

    Raises:
        Refused: it does not tell.
    """
    try:
        async with Rpc([rpc_url], SystemClock(), timeout_s=ASKED_S) as rpc:
            chain_id = await rpc.chain_id()
    except ChainError as error:
        if urlsplit(rpc_url).hostname in LOCAL_HOSTS:
            return CUSTOM
        raise Refused(f"{error}; say with --network what near-cli calls the network, or name another node with --rpc-url") from error
    return chain_id if chain_id in PUBLIC_NETWORKS else CUSTOM


def _command(given: argparse.Namespace, measurements: Measurements, method: str) -> str:
    """The same for near-cli 4, for who keeps the owner's key elsewhere."""
    owner = "OWNER" if given.key_file is None else KeyFile.read(given.key_file).account_id
    deposit = [] if given.remove else ["--deposit", "0.01"]
    words = ["near", "call", given.contract, method, json.dumps(measurements.hex_fields(), separators=(",", ":"))]
    network = given.network or asyncio.run(_network(given.rpc_url))
    return shlex.join([*words, "--useAccount", owner, *deposit, "--networkId", network])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contract", help="the register contract, which is the operator's account")
    parser.add_argument("--file", type=Path, help="JSON with mrtd and rtmr0 to rtmr3, instead of these:")
    for name in MEASUREMENT_NAMES:
        parser.add_argument(f"--{name}", help="96 hex digits", metavar="HEX")
    parser.add_argument("--key-file", type=Path, help="JSON with account_id and private_key of the contract's owner")
    parser.add_argument("--remove", action="store_true", help="take the approval back; machines that registered stay until they expire")
    parser.add_argument("--dry-run", action="store_true", help="print the call for near-cli and send nothing")
    parser.add_argument("--network", help="with --dry-run, near-cli's name of it (default: of the node at --rpc-url)")
    parser.add_argument("--rpc-url", default=LOCAL_RPC, help="default: %(default)s, a local chain")
    return parser.parse_args()


if __name__ == "__main__":
    main()
