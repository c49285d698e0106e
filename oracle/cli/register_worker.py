"""`register-worker`: a registration from end to end, or only the question whether this machine has one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

import click

from oracle.cli.environment import start_with
from oracle.cli.exits import CONFIGURATION, INTERRUPTED, OK, REFUSED, TROUBLE, USAGE, code_of, run_program
from oracle.cli.interface import InterfaceSettings, key_of_worker
from oracle.errors import OracleError
from oracle.logging import redact
from oracle.near import SigningKey
from oracle.settings import TeeSettings
from oracle.tee.collateral import moment
from oracle.wiring.chain import open_chain
from oracle.wiring.tee import Machine, open_machine, registrar_of, trust_of
from register import Plan, Registrar, Registration, Told
from register.contract import Registered
from register.errors import NotApproved
from register.keeper import RENEW_AT_SHARE

_EXIT_CODES = f"""
Exit codes: {OK} registered, or registered already · {REFUSED} refused (quote, collateral, measurements, policy, key, balance), or with
--check no valid registration · {USAGE} wrong usage · {TROUBLE} trouble that may pass (socket, collateral service, chain): try again ·
{CONFIGURATION} wrong settings · {INTERRUPTED} Ctrl-C.
"""

_NOTICE = (
    "the key made for this ends with this command: what it proves is that the road works. `oracle run` makes and registers a key of its "
    "own by the same code, and renews it while it runs"
)


@click.command("register-worker", epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--dry-run", is_flag=True, help="Do everything but the submission; spends nothing.")
@click.option("--check", is_flag=True, help="Only look whether this machine's worker has a valid registration.")
@click.option("--force", is_flag=True, help="Register although this machine has a valid registration.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(*, dry_run: bool, check: bool, force: bool, as_json: bool) -> int:
    """
    Register this machine with the register contract, from end to end.

    Makes a key in memory, has the machine quote it, fetches collateral, verifies all of it, asks the contract what it would say, registers,
    and waits until the key is on chain; tells each step. Skips when the worker that answers at API_LISTEN, or else any worker with this
    machine's RTMR3, has a valid registration that is not about to end.

    The key ends with this command: no key is ever stored or taken over, so `oracle run` makes and registers its own at each start, by the
    same code, and renews it while it runs. This command is for before and beside it: --dry-run finds out what would be refused and prints
    what approves it, --check is a health check, and without either it proves that the whole road works, at the price of one registration
    that nobody uses: it says so before and after.

    \b
    Examples:
      register-worker --dry-run
      register-worker --check || echo "no valid registration"
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if dry_run and check:
        raise click.UsageError("--dry-run and --check exclude each other.")
    try:
        settings, listen = start_with(TeeSettings), start_with(InterfaceSettings).api_listen
        if check:
            return asyncio.run(_look(settings, listen, as_json=as_json))
        return asyncio.run(_register(settings, listen, dry_run=dry_run, force=force, as_json=as_json))
    except OracleError as error:
        if as_json:
            _say("ended", str(error), as_json=True, exit_code=str(code_of(error)), **_facts_of(error))
        raise


def main() -> NoReturn:
    """Run the command and end the process with its exit code."""
    run_program(command, "register-worker")


async def _register(settings: TeeSettings, api_listen: str, *, dry_run: bool, force: bool, as_json: bool) -> int:
    async with _opened(settings, _teller(as_json=as_json)) as (registrar, _):
        key = SigningKey.generate(registrar.plan.register_account_id)
        prepared = await registrar.prepare(key, fresh=not dry_run)
        if dry_run:
            _say("ready", "everything is in place; nothing was submitted", as_json=as_json)
            return OK
        found = await _standing(registrar, api_listen, prepared.evidence.measurements.rtmr3.hex())
        left_s = 0.0 if found.registered is None else found.registered.expires_at_ns / 1e9 - prepared.evidence.at_s
        if left_s / prepared.policy.lifetime_s > RENEW_AT_SHARE and not force:
            _say("skipped", f"{found.sentence}; its time is not up", as_json=as_json, **found.facts)
            return OK
        _say("notice", _NOTICE, as_json=as_json)
        registration = await registrar.submit(prepared)
        _say("released", _released(registration, registrar.plan), as_json=as_json, **_key_and_end(registration))
        return OK


async def _look(settings: TeeSettings, api_listen: str, *, as_json: bool) -> int:
    async with _opened(settings, _teller(as_json=as_json)) as (registrar, machine):
        rtmr3_hex = (await machine.socket.info()).measurements.rtmr3.hex()
        found = await _standing(registrar, api_listen, rtmr3_hex)
    if found.registered is None or found.registered.expired:
        _say("unregistered", found.sentence, as_json=as_json, **found.facts)
        return REFUSED
    _say("registered", found.sentence, as_json=as_json, **found.facts)
    return OK


@dataclass(frozen=True, slots=True)
class _Standing:
    """Whose registration counts for this machine, and how it stands; None: there is none."""

    registered: Registered | None
    sentence: str
    facts: dict[str, str]


async def _standing(registrar: Registrar, api_listen: str, rtmr3_hex: str) -> _Standing:
    """Of the key that the worker on this machine answers with; where no worker is to be found, the newest of this RTMR3."""
    key = await key_of_worker(api_listen)
    if key is None:
        found = await registrar.contract.worker(rtmr3_hex=rtmr3_hex)
        whose = f"no worker answers at {api_listen}, so whether anybody holds that key is not known"
        none = f"no worker with RTMR3 {rtmr3_hex} has a valid registration, and no worker answers at {api_listen}"
    else:
        found = await registrar.contract.worker(public_key=key)
        whose = f"the worker at {api_listen} answers with it"
        none = f"the key {key}, which the worker at {api_listen} answers with, has no valid registration"
    if found is None or found.expired:
        return _Standing(found, none, {} if key is None else {"public_key": key})
    until = moment(found.expires_at_ns // 10**9)
    facts = {**_key_and_end(found), "worker_answers": str(key is not None).lower()}
    return _Standing(found, f"{found.public_key} is registered until {until}; {whose}", facts)


def _key_and_end(found: Registered | Registration) -> dict[str, str]:
    return {"public_key": found.public_key, "expires_at_ns": str(found.expires_at_ns)}


def _released(registration: Registration, plan: Plan) -> str:
    """A registration cannot be given back: only time and the contract's owner take a key off."""
    until = moment(registration.expires_at_ns // 10**9)
    return (
        f"{registration.public_key} ends with this command and answers for nobody. It stays on {plan.register_account_id} until {until}, "
        "then its deposit goes back to who paid it; the contract's owner takes it off at once with revoke_worker"
    )


@asynccontextmanager
async def _opened(settings: TeeSettings, tell: Callable[[Told], None]) -> AsyncIterator[tuple[Registrar, Machine]]:
    trust = trust_of(settings)
    async with open_chain(settings) as chain, open_machine(settings, trust) as machine:
        yield registrar_of(settings, trust, machine, chain.rpc, tell), machine


def _teller(*, as_json: bool) -> Callable[[Told], None]:
    def tell(told: Told) -> None:
        _say(told.step.value, told.sentence, as_json=as_json, **dict(told.facts))

    return tell


def _facts_of(error: OracleError) -> dict[str, str]:
    """What a program needs to mend it: the five measurements that nobody has approved."""
    return error.measurements.hex_fields() if isinstance(error, NotApproved) else {}


def _say(step: str, sentence: str, *, as_json: bool, **facts: str) -> None:
    sentence = redact(sentence)
    click.echo(json.dumps({"step": step, "sentence": sentence, **facts}, ensure_ascii=False) if as_json else f"{step:<13} {sentence}")
