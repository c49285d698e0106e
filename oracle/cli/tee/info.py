"""`oracle tee info`: who the machine behind the socket says it is, and what a policy would say to that."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from oracle.cli.environment import start_with
from oracle.cli.evm import EVM_CHAIN_ID_HELP, evm_nodes
from oracle.cli.plain import plain
from oracle.cli.tee.socket_settings import SocketSettings
from oracle.tee.dstack import Dstack, MachineInfo
from oracle.tee.policy import Policy

if TYPE_CHECKING:
    from oracle.flows.verify.owner import EvmNodes, OwnerWord

OK, FAILED = 0, 1
_SHOWN_CHARS = 200
UNPROVEN = "Unproven: this is the machine's own word. A verified quote is what proves it."


@click.command("info")
@click.option("--endpoint", help="The dstack socket, a path or a URL. Default: DSTACK_SIMULATOR_ENDPOINT.")
@click.option("--policy", "policy_path", type=click.Path(path_type=Path), help="What is accepted (TOML). Default: TEE_POLICY_FILE.")
@click.option("--evm-rpc", "evm_rpc_url", metavar="URL", help="A node to ask for the word of the app's owner. Default: TEE_EVM_RPC_URL.")
@click.option("--evm-chain-id", type=click.IntRange(min=1), metavar="N", help=EVM_CHAIN_ID_HELP + " Default: TEE_EVM_CHAIN_ID.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def command(*, endpoint: str | None, policy_path: Path | None, evm_rpc_url: str | None, evm_chain_id: int | None, as_json: bool) -> int:
    """
    Say what the machine's dstack socket tells of it.

    Shows application, compose hash and the five measurements, whether the policy takes them, and, where an EVM node is named, whether the
    application's owner allows the compose file. Nothing here is proven: a socket says what it likes. Exit code: 0 accepted, or the policy
    names no software; 1 not accepted, not allowed or not to be told whether it is, or no machine answers.

    \b
    Examples:
      oracle tee info
      oracle tee info --endpoint ./dstack.sock --policy policy.toml --json
      oracle tee info --evm-rpc https://mainnet.base.org --evm-chain-id 8453
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    settings = start_with(
        SocketSettings,
        dstack_simulator_endpoint=endpoint,
        tee_policy_file=policy_path,
        tee_evm_rpc_url=evm_rpc_url,
        tee_evm_chain_id=evm_chain_id,
    )
    policy = Policy.from_file(settings.tee_policy_file)
    node = settings.tee_evm_rpc_url
    evm = evm_nodes((), evm_chain_id) if node is None else evm_nodes((node.get_secret_value(),), settings.tee_evm_chain_id)
    machine, word = asyncio.run(_ask(settings.dstack_simulator_endpoint, evm))
    refusals, asked = _refusals(machine, policy), _asks_for_software(policy)
    if as_json:
        click.echo(json.dumps(_as_json(machine, refusals, asked, word), ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(machine, refusals, asked, word)))
        click.echo(UNPROVEN, err=True)
    return FAILED if refusals or (word is not None and not word.allows) else OK


async def _ask(endpoint: str, evm: "EvmNodes | None") -> "tuple[MachineInfo, OwnerWord | None]":
    async with Dstack(endpoint) as socket:
        machine = await socket.info()
    if evm is None:
        return machine, None
    from oracle.flows.verify.owner import ask_owner  # noqa: PLC0415  whoever asks no such node needs none of it

    (word,) = await ask_owner(evm, machine.app_id, machine.compose_hash)
    return machine, word


def _asks_for_software(policy: Policy) -> bool:
    return bool(policy.measurements or policy.compose_hashes or policy.os_image_hashes)


def _refusals(machine: MachineInfo, policy: Policy) -> list[str]:
    """Names of the rules that do not take the machine as it describes itself."""
    rules = {
        "measurements": not policy.measurements or any(one.covers(machine.measurements) for one in policy.measurements),
        "compose_hashes": not policy.compose_hashes or machine.compose_hash in policy.compose_hashes,
        "os_image_hashes": not policy.os_image_hashes or machine.os_image_hash in policy.os_image_hashes,
    }
    return [name for name, holds in rules.items() if not holds]


def _as_json(machine: MachineInfo, refusals: list[str], asked: bool, word: "OwnerWord | None") -> dict[str, object]:
    return {
        "proven": False,
        "app_id": machine.app_id,
        "app_name": machine.app_name,
        "instance_id": machine.instance_id or None,
        "compose_hash": machine.compose_hash,
        "os_image_hash": machine.os_image_hash or None,
        "key_provider_info": machine.key_provider_info or None,
        "measurements": machine.measurements.hex_fields(),
        "policy": {"asks_for_software": asked, "accepted": None if not asked else not refusals, "refused_by": refusals},
        "owner": None if word is None else {"node": word.place, "allows": word.allows, "reason": _short(word.reason) or None},
    }


def _lines(machine: MachineInfo, refusals: list[str], asked: bool, word: "OwnerWord | None") -> list[str]:
    verdict = f"does not take it: {', '.join(refusals)}" if refusals else "takes it" if asked else "names no software"
    return [
        f"Application {_short(machine.app_name) or '(no name)'}",
        f"  app id        {machine.app_id}",
        f"  instance id   {machine.instance_id or '(none)'}",
        f"  compose hash  {machine.compose_hash}",
        f"  OS image      {machine.os_image_hash or '(not told)'}",
        *(f"  {name:<13} {value}" for name, value in machine.measurements.hex_fields().items()),
        f"  the policy    {verdict}",
        *(() if word is None else (f"  the owner     {_owner(word)}",)),
    ]


def _owner(word: "OwnerWord") -> str:
    mend = word.mend("--evm-rpc")
    return _short(word.told) + ("" if mend is None else f"; {mend}")


def _short(text: str) -> str:
    return plain(text[:_SHOWN_CHARS])
