#!/usr/bin/env python3
"""
Put the register contract on the operator's account and start it, in one transaction: on the local chain, or on any network with an RPC.

With --lock the same transaction takes every access key off the account. From then on nobody can change the contract or answer in the
operator's name but software that a quote vouches for; there is no way back, and no upgrade. Without it the account is not worth trusting,
and `oracle verify` says so.
"""

import argparse
import asyncio
import hashlib
import json
import sys
from importlib.resources import files
from pathlib import Path

import base58
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from phala.account import LOCAL_RPC, KeyFile, Signer, signing
from phala.refused import Refused
from py_near_primitives import DeleteKeyAction, DeployContractAction, FunctionCallAction

EXAMPLE = "example: scripts/deploy-register.py chain/operator.test.near.json --owner owner.test.near --outlayer outlayer.test.near"
_ED25519 = "ed25519:"


def main() -> None:
    given = _arguments()
    wasm = (files("localnet") / "contracts" / "register.wasm").read_bytes()
    try:
        key = KeyFile.read(given.key_file)
        _check_owner(key, given.owner, lock=given.lock)
        root = None if given.root_ca is None else _certificate(given.root_ca)
        arguments = {
            "owner_id": given.owner,
            "outlayer_contract_id": given.outlayer,
            "init_worker_account": given.init_account,
            "root_ca_der_hex": root,
        }
        removed = asyncio.run(_deploy(key, given.rpc_url, wasm, arguments, lock=given.lock))
    except Refused as refused:
        sys.exit(f"{given.key_file}: {refused}")
    print(f"{key.account_id} holds the register contract (sha256 of its code {hashlib.sha256(wasm).hexdigest()}), owner {given.owner}")
    print("its root is Intel's" if root is None else "its root is the certificate that was given: whatever it proves is a test")
    if removed:
        print(f"taken off the account: {', '.join(removed)}")
    else:
        print("every access key is still on the account; each is a way around the contract until it is deleted: near delete-key")


def _check_owner(key: KeyFile, owner: str, *, lock: bool) -> None:
    if lock and owner == key.account_id:
        raise Refused("--lock leaves no key on the account, so that it could never act as owner; name another --owner")


async def _deploy(key: KeyFile, rpc_url: str, wasm: bytes, arguments: dict[str, str | None], *, lock: bool) -> list[str]:
    """The keys that were removed. Nobody else can call `new` first, and an account whose `new` fails keeps its keys."""
    async with signing(key, rpc_url) as signer:
        removed = await signer.public_keys() if lock else []
        actions = [DeployContractAction(wasm), FunctionCallAction("new", json.dumps(arguments).encode(), 30 * 10**12, 0)]
        await signer.send(signer.account_id, [*actions, *map(_removal, removed)])
        await _check_started(signer, arguments)
        return removed


async def _check_started(signer: Signer, arguments: dict[str, str | None]) -> None:
    config = await signer.view(signer.account_id, "get_config", {})
    if config["outlayer_contract_id"] != arguments["outlayer_contract_id"] or config["owner_id"] != arguments["owner_id"]:
        raise Refused(f"the contract says of itself {json.dumps(config)[:500]}")


def _removal(public_key: str) -> DeleteKeyAction:
    if not public_key.startswith(_ED25519):
        raise Refused(f"the key {public_key[:100]} is of another curve; remove it first: near delete-key")
    return DeleteKeyAction(base58.b58decode(public_key.removeprefix(_ED25519)))


def _certificate(path: Path) -> str:
    """PEM or DER, as the contract takes it: DER in hex."""
    try:
        data = path.read_bytes()
        loaded = x509.load_pem_x509_certificate(data) if data.lstrip().startswith(b"-----") else x509.load_der_x509_certificate(data)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Refused(f"{path} is no X.509 certificate (PEM or DER)") from error
    return loaded.public_bytes(Encoding.DER).hex()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("key_file", type=Path, help="JSON with account_id and private_key of the operator's account")
    parser.add_argument("--owner", required=True, help="who approves measurements and sets the policy: another account")
    parser.add_argument("--outlayer", required=True, help="the main contract, whose operator this account is")
    parser.add_argument("--init-account", help="the only account that may register; without it anybody may, because the quote decides")
    parser.add_argument("--root-ca", type=Path, help="a root certificate other than Intel's, for tests; fixed for ever")
    parser.add_argument("--lock", action="store_true", help="take every access key off the account, for ever")
    parser.add_argument("--rpc-url", default=LOCAL_RPC, help="default: %(default)s, a local chain")
    return parser.parse_args()


if __name__ == "__main__":
    main()
