"""`localnet account`: accounts on a running chain."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from localnet.cli.group import Refused, json_option, print_json, rpc_url_option
from localnet.cli.key_file import read_key_file, write_key_file
from localnet.cli.rpc import RunningChain
from localnet.state.home import KEY_FILE
from localnet.values import account_id as ids
from localnet.values.actions import AccessKey, AddKey, CreateAccount, FullAccess, Transfer
from localnet.values.keys import KeyPair

_YOCTO = 10**24


class Near(click.ParamType[int]):
    """An amount of NEAR, in yoctoNEAR."""

    name = "NEAR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the text."""
        try:
            yocto = Decimal(str(value)) * _YOCTO
            if yocto == yocto.to_integral_value() and 0 <= yocto < 2**128:
                return int(yocto)
        except InvalidOperation:
            pass
        return self.fail(f"{value!r} is no amount of NEAR: a number from 0, with at most 24 decimals", param, ctx)


@click.group("account")
def command() -> None:
    """Work with accounts on a running chain."""


_EXAMPLES = """\b
Examples:
  localnet account create alice --home ./chain                 makes alice.test.near
  localnet account create bob --balance 5 --key-file key.json --rpc-url http://127.0.0.1:4000
"""


@command.command("create", epilog=_EXAMPLES)
@click.argument("name")
@click.option("--balance", type=Near(), default="100", show_default=True, help="What the new account gets, paid by the root account.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="The chain's directory, where the root key is.")
@click.option("--key-file", type=click.Path(dir_okay=False, path_type=Path), help="The payer's key, instead of --home.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Where the new key goes; else beside the payer's.")
@rpc_url_option()
@json_option()
def create(*, name: str, balance: int, home: Path | None, key_file: Path | None, save: Path | None, rpc_url: str, as_json: bool) -> None:
    """Create an account under the payer's, with a new full-access key."""
    if (home is None) == (key_file is None):
        raise Refused("give the payer's key: either --home, the chain's directory, or --key-file")
    payer_file = key_file if key_file is not None else Path(home or "", KEY_FILE)
    payer = read_key_file(payer_file)
    account_id = name if "." in name else f"{name}.{payer.account_id}"
    if not ids.is_valid(account_id):
        raise Refused(f"{account_id!r} is no account id: 2 to 64 of a-z, 0-9 and, between them, single - _ .")
    key = KeyPair.random()
    saved = save or payer_file.with_name(f"{account_id}.json")
    # Before the account: one whose key could not be kept would be lost.
    write_key_file(saved, account_id, key)
    try:
        actions = (CreateAccount(), Transfer(balance), AddKey(key.public_key, AccessKey(0, FullAccess())))
        outcome = RunningChain(rpc_url).send(payer, account_id, actions)
    except click.ClickException:
        saved.unlink()
        raise
    facts = {
        "account_id": account_id,
        "public_key": str(key.public_key),
        "key_file": str(saved.resolve()),
        "transaction_hash": outcome["transaction"]["hash"],
    }
    if as_json:
        print_json(facts)
    else:
        click.echo(f"Created {account_id} with key {key.public_key}, kept in {saved}.")
