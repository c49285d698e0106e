"""`oracle request`: ask the contract to run code, from an account of the user's, and wait for the answer."""

import asyncio
import json
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from oracle.cli.asking import Requester, follow, gas_to_attach, send_request, storage_deposit
from oracle.cli.ending import Progress
from oracle.cli.environment import start_with
from oracle.cli.plain import plain_lines
from oracle.cli.refusals import check_caps, check_deposit
from oracle.cli.sources import input_of, source_of
from oracle.errors import ConfigurationError
from oracle.logging import keep_secret
from oracle.model import NEAR, Limits, OutputFormat, YoctoNear, format_near
from oracle.ports import SystemClock
from oracle.settings import RequesterSettings, private_key
from oracle.wiring.chain import open_chain

DEFAULTS = Limits()
OK, FAILED = 0, 1
_INCLUDED_TIMEOUT_S = 60.0
_MAX_KEY_FILE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be asked; `deposit` None: the price of the limits."""

    arguments: dict[str, object]
    limits: Limits | None
    input_bytes: int
    deposit: YoctoNear | None


@click.command("request")
@click.argument("source")
@click.option(
    "--input", "input_text", metavar="TEXT|@FILE|-", default="", help="What the guest reads from stdin; - takes this command's own."
)
@click.option("--hash", "sha256_hex", metavar="HEX", help="SOURCE is a URL, and this the sha256 of the module behind it.")
@click.option("--commit", metavar="HEX", help="SOURCE is a repository, and this the full commit.")
@click.option("--project", "is_project", is_flag=True, help="SOURCE is the id of a project in the contract.")
@click.option("--format", "format_name", type=click.Choice([f.value for f in OutputFormat], case_sensitive=False), default="Text",
              show_default=True, help="How the answer is handed to the caller.")  # fmt: skip
@click.option("--max-instructions", type=click.IntRange(1, 2**63 - 1), default=DEFAULTS.max_instructions, show_default=True)
@click.option("--max-memory-mb", type=click.IntRange(1, 4096), default=DEFAULTS.max_memory_mb, show_default=True)
@click.option("--max-seconds", type=click.IntRange(1, 86_400), default=DEFAULTS.max_execution_seconds, show_default=True)
@click.option("--compile-only", is_flag=True, help="Fetch or build and cache the code; run nothing.")
@click.option("--deposit", "deposit_near", metavar="NEAR", help="What to attach, in NEAR.  [default: the price of the limits]")
@click.option("--account", metavar="ID", help="Who asks and pays.  [default: NEAR_ACCOUNT_ID]")
@click.option("--key-file", type=click.Path(path_type=Path), metavar="FILE",
              help="JSON file with the account's key, as NEAR's tools write it.  [default: NEAR_ACCOUNT_PRIVATE_KEY]")  # fmt: skip
@click.option("--no-wait", is_flag=True, help="Return when the request is on chain.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(1), default=660.0, show_default=True, metavar="SECONDS",
              help="How long to wait for the answer.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def command(
    *,
    source: str,
    input_text: str,
    sha256_hex: str | None,
    commit: str | None,
    is_project: bool,
    format_name: str,
    max_instructions: int,
    max_memory_mb: int,
    max_seconds: int,
    compile_only: bool,
    deposit_near: str | None,
    account: str | None,
    key_file: Path | None,
    no_wait: bool,
    timeout_s: float,
    as_json: bool,
) -> int:
    """
    Ask the contract to run code, and wait for the answer.

    SOURCE is a module's URL (with --hash), a repository (with --commit), a project (with --project), or on the local chain a file or the
    name of a guest that ships with the package. The answer goes to stdout, what it cost to stderr. The key is taken from a file or from the
    environment, never from the command line. Exit code: 0 answered, 1 failed or still unanswered, 2 wrong usage.

    \b
    Examples:
      oracle request echo --input hello --key-file validator_key.json
      oracle request https://example.com/guest.wasm --hash HEX --input @request.json --json
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if math.isnan(timeout_s):  # lies in every range
        raise click.UsageError("--timeout nan: write a number of seconds")
    settings = start_with(RequesterSettings, near_account_id=account)
    requester = _requester(settings, key_file, named_account=account)
    input_data = input_of(input_text)
    limits = None if compile_only else Limits(max_instructions, max_memory_mb, max_seconds)
    arguments: dict[str, object] = {
        "source": source_of(source, sha256_hex=sha256_hex, commit=commit, is_project=is_project, local_chain=settings.is_local_chain),
        "response_format": OutputFormat(format_name).value,
    }
    if limits is None:
        arguments["params"] = {"compile_only": True}
    else:
        arguments["input_data"] = input_data
        arguments["resource_limits"] = {
            "max_instructions": limits.max_instructions,
            "max_memory_mb": limits.max_memory_mb,
            "max_execution_seconds": limits.max_execution_seconds,
        }
    asked = Asked(arguments, limits, len(input_data.encode()), None if deposit_near is None else _near(deposit_near))
    return asyncio.run(_ask(settings, requester, asked, timeout_s=None if no_wait else timeout_s, as_json=as_json))


async def _ask(settings: RequesterSettings, requester: Requester, asked: Asked, *, timeout_s: float | None, as_json: bool) -> int:
    clock = SystemClock()
    async with open_chain(settings) as chain:
        if asked.limits is not None:
            await check_caps(chain, asked.limits)
        deposit = asked.deposit
        if deposit is None:
            deposit = YoctoNear((await chain.contract.pricing()).estimate(asked.limits) + storage_deposit(asked.input_bytes))
        else:
            await check_deposit(chain, asked.limits, deposit)
        gas = await gas_to_attach(chain, asked.input_bytes)
        transaction_hash = await send_request(chain, requester, asked.arguments, deposit=deposit, gas=gas)
        click.echo(f"Sent {transaction_hash} with {format_near(deposit)}", err=True)
        included = await follow(
            chain, requester, transaction_hash, until=lambda it: it.request_id is not None, clock=clock, timeout_s=_INCLUDED_TIMEOUT_S
        )
        if included is not None and included.failure is None and included.request_id is not None:
            click.echo(f"Request {included.request_id} is on chain" + ("" if timeout_s is None else "; waiting for the answer"), err=True)
        ended = included
        if timeout_s is not None and included is not None and included.failure is None:
            ended = await follow(
                chain, requester, transaction_hash, until=lambda it: it.value is not None, clock=clock, timeout_s=timeout_s
            )
    return _show(ended, included, transaction_hash, waited=timeout_s is not None, as_json=as_json)


def _show(ended: Progress | None, included: Progress | None, transaction_hash: str, *, waited: bool, as_json: bool) -> int:
    """`included`: the transaction as it was taken in; `ended`: the last that was seen of it. None: nothing was seen in time."""
    request_id = None if included is None else included.request_id
    if as_json:
        click.echo(json.dumps(_as_json(ended, request_id, transaction_hash), ensure_ascii=False))
    else:
        _show_text(ended, request_id, transaction_hash, waited=waited)
    if ended is None or ended.failure is not None:
        return FAILED
    if not waited:
        return OK if request_id is not None else FAILED
    return OK if ended.ending is not None and ended.ending.succeeded else FAILED


def _as_json(ended: Progress | None, request_id: int | None, transaction_hash: str) -> dict[str, object]:
    told: dict[str, object] = {"request_id": request_id, "status": "pending", "output": None, "error": None}
    if ended is not None:
        if ended.failure is not None:
            told |= {"status": "refused", "error": ended.failure}
        if ended.ending is not None:
            told |= ended.ending.as_json()
        if ended.value is not None:
            told["output"] = _value(ended.value)
    return {**told, "transaction_hash": transaction_hash}


def _show_text(ended: Progress | None, request_id: int | None, transaction_hash: str, *, waited: bool) -> None:
    ending = None if ended is None else ended.ending
    if ended is not None and ended.failure is not None:
        click.echo(f"Error: the transaction failed: {plain_lines(ended.failure)}", err=True)
    elif ended is not None and ending is not None:
        value = None if ended.value is None else _value(ended.value)
        if ending.succeeded:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            click.echo(plain_lines(text) if sys.stdout.isatty() else text)  # a program gets the answer as it is
        else:
            click.echo(f"Error: the request {ending.status}: {plain_lines(str(ending.error))}", err=True)
        click.echo(
            f"{ending.instructions:,} instructions · {ending.time_ms:,} ms · charged {format_near(ending.charged)}, "
            f"refunded {format_near(ending.refunded)} · transaction {transaction_hash}",
            err=True,
        )
    elif waited or request_id is None:
        mend = "oracle doctor" if request_id is None else f"oracle show {request_id}"
        click.echo(f"Error: no answer yet; it may still come. Look again with: {mend}", err=True)


def _value(value: bytes) -> object:
    try:
        return json.loads(value) if value else None
    except (ValueError, RecursionError):
        return value.decode(errors="replace")


def _near(text: str) -> YoctoNear:
    if not re.fullmatch(r"\d{1,14}(\.\d{1,24})?", text, re.ASCII):
        raise click.UsageError(f"--deposit {text}: write an amount in NEAR, for example 0.05")
    whole, _, decimals = text.partition(".")
    return YoctoNear(int(whole) * NEAR + int(decimals.ljust(24, "0")))


def _requester(settings: RequesterSettings, key_file: Path | None, *, named_account: str | None) -> Requester:
    """Account and key from the options or the settings; an account in the key file counts when none is named."""
    account, key = settings.near_account_id, settings.near_account_private_key
    text = None if key is None else key.get_secret_value()
    if key_file is not None:
        in_file, text = _read_key_file(key_file)
        account = account if named_account is not None else in_file or account
    problems = []
    if account is None:
        problems.append("NEAR_ACCOUNT_ID is not set; give --account, or a --key-file that names it")
    if text is None:
        problems.append("NEAR_ACCOUNT_PRIVATE_KEY is not set; give --key-file, the account's JSON key file")
    if account is None or text is None:
        raise ConfigurationError(tuple(problems))
    keep_secret([text])
    return Requester(account, text)


def _read_key_file(path: Path) -> tuple[str | None, str]:
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(_MAX_KEY_FILE_BYTES))
        key = told.get("private_key") or told.get("secret_key")
        account = told.get("account_id")
        return (account if isinstance(account, str) else None), private_key(str(key))
    except OSError as error:
        raise ConfigurationError((f"--key-file {path}: it cannot be read ({error.strerror})",)) from error
    except (ValueError, AttributeError, RecursionError):
        pass  # said below, outside the handler: the reason may hold parts of the file
    problem = f"--key-file {path}: wanted: JSON with account_id and private_key or secret_key (ed25519: and 64 bytes in base58)"
    raise ConfigurationError((problem,))
