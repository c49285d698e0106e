"""`oracle show`: one request, as this machine's worker knows it and as the contract does."""

import asyncio
import json
from dataclasses import dataclass

import click

from oracle.cli.ending import Ending, ending_from_outcome
from oracle.cli.environment import start_with
from oracle.errors import ChainError, ConfigurationError, StoreError
from oracle.model import Request, format_near
from oracle.near.rpc_errors import MethodMissing, ViewFailed
from oracle.settings import ChainSettings
from oracle.status.job_view import JobJson, job_json
from oracle.store import SqliteJobs
from oracle.wiring.chain import open_chain

OK, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class OnChain:
    """What the contract says: it waits, it has ended, or neither is known."""

    pending: Request | None = None
    ending: Ending | None = None
    trouble: str | None = None
    """Why the contract could not be asked, or keeps no outcomes."""


@click.command("show")
@click.argument("request_id", type=click.IntRange(0, 2**63 - 1))
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def command(*, request_id: int, as_json: bool) -> int:
    """
    Show one request.

    Tells what this machine's worker knows of it (its jobs are read, the worker may run meanwhile) and what the contract says. Inputs and
    outputs are shown by size and sha256. Exit code: 0 it is known, 1 neither knows it.

    \b
    Example:
      oracle show 7 --json
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    return asyncio.run(_look(start_with(ChainSettings), request_id, as_json=as_json))


async def _look(settings: ChainSettings, request_id: int, *, as_json: bool) -> int:
    job, store_trouble = await _in_store(settings, request_id)
    on_chain = await _on_chain(settings, request_id)
    for trouble in (store_trouble, on_chain.trouble):
        if trouble is not None:
            click.echo(f"Note: {trouble}", err=True)
    if as_json:
        click.echo(json.dumps(_as_json(request_id, job, on_chain), ensure_ascii=False))
    elif job is None and on_chain.pending is None and on_chain.ending is None:
        click.echo(f"Error: neither this worker nor {settings.offchainvm_contract_id} knows request {request_id} (any more)", err=True)
    else:
        click.echo("\n".join(_as_text(request_id, job, on_chain)))
    return OK if job is not None or on_chain.pending is not None or on_chain.ending is not None else FAILED


async def _in_store(settings: ChainSettings, request_id: int) -> tuple[JobJson | None, str | None]:
    if not settings.database_path.exists():
        return None, None
    try:
        async with SqliteJobs(settings.database_path, read_only=True) as store:
            job = await store.get(request_id)
            return (None if job is None else job_json(job, await store.transactions(request_id))), None
    except (StoreError, ConfigurationError) as error:
        return None, f"the worker's jobs cannot be read: {error}"


async def _on_chain(settings: ChainSettings, request_id: int) -> OnChain:
    try:
        async with open_chain(settings) as chain:
            pending = await chain.contract.request(request_id)
            if pending is not None:
                return OnChain(pending=pending)
            try:
                return OnChain(ending=ending_from_outcome(await chain.contract.view("get_outcome", {"request_id": request_id})))
            except (MethodMissing, ViewFailed):
                return OnChain(trouble=f"{chain.contract_id} keeps no outcomes; it does not wait for an answer to request {request_id}")
    except ChainError as error:
        return OnChain(trouble=f"the contract cannot be asked: {error}")


def _as_json(request_id: int, job: JobJson | None, on_chain: OnChain) -> dict[str, object]:
    chain: dict[str, object] | None = None
    if on_chain.pending is not None:
        chain = {"status": "pending", "payment_yocto": str(on_chain.pending.payment)}
    elif on_chain.ending is not None:
        chain = on_chain.ending.as_json()
    return {"request_id": request_id, "chain": chain, "job": job}


def _as_text(request_id: int, job: JobJson | None, on_chain: OnChain) -> list[str]:
    lines = [f"Request {request_id}"]
    if on_chain.pending is not None:
        lines.append(f"  contract   waits for an answer; {format_near(on_chain.pending.payment)} paid by {on_chain.pending.predecessor_id}")
    if on_chain.ending is not None:
        ending = on_chain.ending
        lines += [
            f"  contract   {ending.status}" + ("" if ending.error is None else f": {ending.error}"),
            f"             {ending.instructions:,} instructions, {ending.time_ms:,} ms",
            f"             charged {format_near(ending.charged)}, refunded {format_near(ending.refunded)}",
        ]
    if job is None:
        return lines
    lines.append(f"  worker     {job['stage']}" + ("" if job["settled_by"] is None else f" (settled by {job['settled_by']})"))
    lines += [f"    {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in job.items() if name in _TOLD and value]
    return lines


_TOLD = ("request", "origin", "code", "answer", "transactions")
