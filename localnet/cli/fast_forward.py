"""`localnet fast-forward`: height and time of a running chain."""

import click

from localnet.cli.group import json_option, print_json, rpc_url_option
from localnet.cli.rpc import RunningChain
from localnet.rpc.methods.sandbox import MAX_BLOCKS

_EXAMPLES = """\b
Example:
  localnet fast-forward --blocks 200         lets a yield time out
"""


@click.command("fast-forward", epilog=_EXAMPLES)
@click.option("--blocks", required=True, type=click.IntRange(1, MAX_BLOCKS), help="How many blocks to make.")
@rpc_url_option()
@json_option()
def command(blocks: int, rpc_url: str, *, as_json: bool) -> None:
    """Make blocks at once, each a second after the other in the chain's time."""
    chain = RunningChain(rpc_url)
    chain.call("sandbox_fast_forward", {"delta_height": blocks})
    height = chain.call("status", [])["sync_info"]["latest_block_height"]
    if as_json:
        print_json({"height": height})
    else:
        click.echo(f"The chain is at block {height}.")
