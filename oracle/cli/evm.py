"""`--evm-rpc` and `--evm-chain-id`: the nodes of an EVM chain that are asked for the word of an application's owner."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from oracle.flows.verify.check import Check
    from oracle.flows.verify.offline import Evidence
    from oracle.flows.verify.owner import EvmNodes

EVM_RPC_HELP = "A node of the EVM chain where the app's owner says what is allowed (check 19, made only then); again for another."
EVM_CHAIN_ID_HELP = "The chain that it has to be of, such as 8453 for Base."


def evm_nodes(urls: tuple[str, ...], chain_id: int | None) -> "EvmNodes | None":
    """
    Whom to ask; None: nobody. From then on the URLs are secrets where they hold more than a host: an API key may be part of them.

    Raises:
        click.UsageError: a URL is none, or there is a chain without a node.
    """
    if not urls:
        if chain_id is not None:
            raise click.UsageError("--evm-chain-id says of which chain a node has to be: name one with --evm-rpc")
        return None
    from oracle.flows.verify.owner import EvmNodes  # noqa: PLC0415  whoever asks no such node needs none of it
    from oracle.logging import keep_secret  # noqa: PLC0415
    from oracle.settings.values import http_url, redacted_url  # noqa: PLC0415

    try:
        checked = tuple(http_url(url) for url in urls)
    except ValueError as error:
        raise click.UsageError(f"--evm-rpc: {error}") from None
    keep_secret(url for url in checked if redacted_url(url).endswith("…"))
    return EvmNodes(checked, chain_id)


def owner_checks(evidence: "Evidence | None", nodes: "EvmNodes | None") -> "tuple[Check, ...] | None":
    """Ask them, and judge what they say; None: nobody was to be asked."""
    if nodes is None:
        return None
    import asyncio  # noqa: PLC0415  whoever asks no such node needs none of it

    from oracle.flows.verify.owner import verify_owner  # noqa: PLC0415

    return (asyncio.run(verify_owner(evidence, nodes)),)
