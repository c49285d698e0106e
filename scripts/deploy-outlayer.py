#!/usr/bin/env python3
"""
Put the main contract on an account and start it: on the local chain, or on any network whose RPC is named.

The account must hold the stake of the code (5.6 NEAR) and the contract's reserve (docs/contracts.md).
"""

import argparse
import asyncio
import hashlib
import json
import sys
from importlib.resources import files
from pathlib import Path

import aiohttp
from py_near.account import Account
from py_near.exceptions.exceptions import RpcNotAvailableError
from py_near.exceptions.provider import JsonProviderError
from py_near_primitives import DeployContractAction, FunctionCallAction

EXAMPLE = "example: scripts/deploy-outlayer.py chain/outlayer.test.near.json --operator operator.test.near"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("key_file", type=Path, help="JSON with account_id and private_key of the account that becomes the contract")
    parser.add_argument("--operator", required=True, help="who answers requests: OPERATOR_ACCOUNT_ID of the worker")
    parser.add_argument("--owner", help="who sets prices and withdraws fees (default: the operator)")
    parser.add_argument("--rpc-url", default="http://127.0.0.1:3030", help="default: %(default)s, a local chain")
    given = parser.parse_args()
    try:
        told = json.loads(given.key_file.read_bytes())
        account_id, key = told["account_id"], told.get("private_key") or told["secret_key"]
    except OSError as error:
        sys.exit(f"{given.key_file} cannot be read: {error.strerror}")
    except (ValueError, KeyError, TypeError, AttributeError):
        sys.exit(f"{given.key_file}: wanted: JSON with account_id and private_key or secret_key")
    wasm = (files("localnet") / "contracts" / "outlayer.wasm").read_bytes()
    arguments = {"owner_id": given.owner or given.operator, "operator_id": given.operator}
    try:
        account = Account(account_id, key, given.rpc_url)
    except ValueError:  # its text may hold a part of the key
        sys.exit(f"{given.key_file}: its key is not ed25519: and 64 bytes in base58")
    failure = asyncio.run(deploy(account, wasm, arguments))
    if failure is not None:
        sys.exit(f"{account_id}: {failure}")
    print(f"{account_id} is the main contract now (sha256 of its code {hashlib.sha256(wasm).hexdigest()}), operator {given.operator}")


async def deploy(account: Account, wasm: bytes, arguments: dict[str, str]) -> str | None:
    """The reason when it failed. One transaction does both, so that nobody else can call `new` first; a contract that has state refuses."""
    actions = [DeployContractAction(wasm), FunctionCallAction("new", json.dumps(arguments).encode(), 30 * 10**12, 0)]
    try:
        await account.startup()
        done = await account.sign_and_submit_tx(account.account_id, actions)
    except RpcNotAvailableError:
        return "no node answers; name one with --rpc-url, or start a local chain: localnet run"
    except (JsonProviderError, aiohttp.ClientError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        await account.shutdown()
    return None if "SuccessValue" in done.status else json.dumps(done.status)


if __name__ == "__main__":
    main()
