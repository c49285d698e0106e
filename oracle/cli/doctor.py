"""`oracle doctor`: what is configured, reachable and missing, each with its mend."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import click

from oracle.cli.checks.chain import check_block_api, check_contract, check_nodes, check_operator
from oracle.cli.checks.check import Check, Verdict, fail, ok
from oracle.cli.checks.machine import check_build, check_database, check_engine, check_env_file, check_home, check_listen
from oracle.cli.checks.tee import check_machine, check_registration, check_trust
from oracle.cli.environment import start_with
from oracle.cli.plain import plain
from oracle.errors import ChainError, ConfigurationError
from oracle.logging import redact
from oracle.settings import ChainSettings, HomeSettings, Settings
from oracle.wiring.chain import open_chain

AnySettings = TypeVar("AnySettings", bound=HomeSettings)

OK, FAILED = 0, 1
_COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def command(*, as_json: bool) -> int:
    """
    Check what is configured, reachable and missing.

    Looks at the settings, this machine, the nodes, the contract, and what the operator's keys may do; changes nothing on chain. Each line
    is ok, warn or fail, with what to do about it. Exit code: 0 the worker can start, 1 it cannot.

    \b
    Example:
      oracle doctor --json | jq '.checks[] | select(.verdict != "ok")'
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    return asyncio.run(_examine(as_json=as_json))


async def _examine(*, as_json: bool) -> int:
    checks: list[Check] = []
    async for check in _checks():
        checks.append(check)
        if not as_json:
            _print(check)
    healthy = all(check.verdict is not Verdict.FAIL for check in checks)
    if as_json:
        told = [{"name": it.name, "verdict": it.verdict.value, "found": redact(it.found), "mend": _mend(it)} for it in checks]
        click.echo(json.dumps({"ok": healthy, "checks": told}, ensure_ascii=False))
    return OK if healthy else FAILED


async def _checks() -> AsyncIterator[Check]:
    """From the inside out; what rests on settings that are wrong is left out, the rest is looked at all the same."""
    settings, settings_checks = _worker_settings()
    for check in (*check_env_file(Path.cwd()), *settings_checks):
        yield check
    home = settings or _read(HomeSettings)
    if home is not None:
        for check in check_home(home):
            yield check
        yield await check_database(home)
        yield await check_engine(home)
    nodes = settings or _read(ChainSettings)
    if nodes is not None:
        async for check in check_nodes(nodes):
            yield check
    if settings is not None:
        for check in (*check_build(settings), await check_listen(settings), *check_trust(settings)):
            yield check
        async for check in check_machine(settings):
            yield check
        async for check in _checks_on_chain(settings):
            yield check


def _worker_settings() -> tuple[Settings | None, list[Check]]:
    try:
        settings = start_with(Settings)
    except ConfigurationError as error:
        return None, [fail("settings", problem, "see docs/configuration.md") for problem in error.problems]
    return settings, [ok("settings", f"{settings.near_network_id}, contract {settings.offchainvm_contract_id}")]


async def _checks_on_chain(settings: Settings) -> AsyncIterator[Check]:
    yield await check_block_api(settings)
    try:
        async with open_chain(settings) as chain:
            async for check in check_contract(chain, settings):
                yield check
            async for check in check_operator(chain, settings):
                yield check
            async for check in check_registration(chain, settings):
                yield check
    except (ChainError, ConfigurationError):
        yield fail("contract", "cannot be asked", "see the nodes above")


def _read(kind: type[AnySettings]) -> AnySettings | None:
    """A smaller set of settings may be right although the worker's is not."""
    try:
        return start_with(kind)
    except ConfigurationError:
        return None


def _print(check: Check) -> None:
    click.echo(f"{click.style(f'{check.verdict.value:<4}', fg=_COLOURS[check.verdict])}  {check.name}: {plain(redact(check.found))}")
    mend = _mend(check)
    if mend is not None:
        click.echo(f"      → {plain(mend)}")


def _mend(check: Check) -> str | None:
    return None if check.mend is None else redact(check.mend)
