"""`localnet key`: who holds the genesis money."""

from pathlib import Path

import click

from localnet.cli.group import json_option, print_json
from localnet.cli.key_file import read_key_file
from localnet.state.home import KEY_FILE

_EXAMPLES = """\b
Example:
  localnet key --home ./chain
"""


@click.command("key", epilog=_EXAMPLES)
@click.option("--home", required=True, type=click.Path(file_okay=False, path_type=Path), help="The chain's directory.")
@click.option("--secret", is_flag=True, help="Show the secret key too.")
@json_option()
def command(home: Path, *, secret: bool, as_json: bool) -> None:
    """Show the root account of a chain's directory and its key."""
    path = home / KEY_FILE
    root = read_key_file(path)
    facts = {"account_id": root.account_id, "public_key": str(root.key.public_key), "key_file": str(path.resolve())}
    if secret:
        facts["secret_key"] = root.key.secret_key
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):<11} {value}")
