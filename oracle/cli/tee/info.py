"""`oracle tee info`: who the machine behind the socket says it is, and what a policy would say to that."""

import asyncio
import json
from pathlib import Path

import click

from oracle.cli.environment import start_with
from oracle.cli.tee.socket_settings import SocketSettings
from oracle.tee.dstack import Dstack, MachineInfo
from oracle.tee.policy import Policy

OK, FAILED = 0, 1
UNPROVEN = "Unproven: this is the machine's own word. A verified quote is what proves it."


@click.command("info")
@click.option("--endpoint", help="The dstack socket, a path or a URL. Default: DSTACK_SIMULATOR_ENDPOINT.")
@click.option("--policy", "policy_path", type=click.Path(path_type=Path), help="What is accepted (TOML). Default: TEE_POLICY_FILE.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def command(*, endpoint: str | None, policy_path: Path | None, as_json: bool) -> int:
    """
    Say what the machine's dstack socket tells of it.

    Shows application, compose hash and the five measurements, and whether the policy takes them. Nothing here is proven: a socket says what
    it likes. Exit code: 0 accepted, or the policy names no software; 1 not accepted, or no machine answers.

    \b
    Examples:
      oracle tee info
      oracle tee info --endpoint ./dstack.sock --policy policy.toml --json
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    settings = start_with(SocketSettings, dstack_simulator_endpoint=endpoint, tee_policy_file=policy_path)
    policy = Policy.from_file(settings.tee_policy_file)
    machine = asyncio.run(_ask(settings.dstack_simulator_endpoint))
    refusals, asked = _refusals(machine, policy), _asks_for_software(policy)
    if as_json:
        click.echo(json.dumps(_as_json(machine, refusals, asked), ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(machine, refusals, asked)))
        click.echo(UNPROVEN, err=True)
    return FAILED if refusals else OK


async def _ask(endpoint: str) -> MachineInfo:
    async with Dstack(endpoint) as socket:
        return await socket.info()


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


def _as_json(machine: MachineInfo, refusals: list[str], asked: bool) -> dict[str, object]:
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
    }


def _lines(machine: MachineInfo, refusals: list[str], asked: bool) -> list[str]:
    verdict = f"does not take it: {', '.join(refusals)}" if refusals else "takes it" if asked else "names no software"
    return [
        f"Application {_printable(machine.app_name) or '(no name)'}",
        f"  app id        {machine.app_id}",
        f"  instance id   {machine.instance_id or '(none)'}",
        f"  compose hash  {machine.compose_hash}",
        f"  OS image      {machine.os_image_hash or '(not told)'}",
        *(f"  {name:<13} {value}" for name, value in machine.measurements.hex_fields().items()),
        f"  the policy    {verdict}",
    ]


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:200]
