"""`oracle show`: one request, as this machine's worker knows it and as the contract does."""

import asyncio
import json
from dataclasses import dataclass

import click

from oracle.cli.ending import Ending, ending_from_outcome
from oracle.cli.environment import start_with
from oracle.cli.plain import plain, plain_lines
from oracle.errors import ChainError, ConfigurationError, StoreError
from oracle.model import GitHub, Job, Request, format_near
from oracle.model.receipt import SignedReceipt
from oracle.near.rpc_errors import MethodMissing, ViewFailed
from oracle.ports import SignedTransaction
from oracle.settings import ChainSettings
from oracle.status import job_json
from oracle.store import SqliteJobs
from oracle.wiring.chain import open_chain

OK, FAILED = 0, 1
_MOST_REQUEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class InStore:
    """What this machine's worker knows."""

    job: Job | None = None
    transactions: tuple[SignedTransaction, ...] = ()
    receipts: tuple[SignedReceipt, ...] = ()
    trouble: str | None = None
    """Why its jobs could not be read."""


@dataclass(frozen=True, slots=True)
class OnChain:
    """What the contract says: it waits, it has ended, or neither is known."""

    pending: Request | None = None
    ending: Ending | None = None
    trouble: str | None = None
    """Why the contract could not be asked, or keeps no outcomes."""


class _Number(click.ParamType[int]):
    name = "REQUEST_ID"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """In words that say where such a number comes from."""
        text = str(value)
        if text.isascii() and text.isdigit() and len(text) <= len(str(_MOST_REQUEST_ID)) and int(text) <= _MOST_REQUEST_ID:
            return int(text)
        return self.fail(
            f"{text[:40]!r} is no request's number: those go from 0 to {_MOST_REQUEST_ID}; oracle request tells it", param, ctx
        )


@click.command("show")
@click.argument("request_id", type=_Number())
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
    in_store, on_chain = await _in_store(settings, request_id), await _on_chain(settings, request_id)
    for trouble in (in_store.trouble, on_chain.trouble):
        if trouble is not None:
            click.echo(f"Note: {plain(trouble)}", err=True)
    is_known = in_store.job is not None or on_chain.pending is not None or on_chain.ending is not None
    if as_json:
        click.echo(json.dumps(_as_json(request_id, in_store, on_chain), ensure_ascii=False))
    elif is_known:
        click.echo("\n".join(map(plain_lines, [f"Request {request_id}", *_chain_lines(on_chain), *_job_lines(in_store)])))
    else:
        click.echo(f"Error: neither this worker nor {settings.offchainvm_contract_id} knows request {request_id} (any more)", err=True)
    return OK if is_known else FAILED


async def _in_store(settings: ChainSettings, request_id: int) -> InStore:
    if not settings.database_path.exists():
        return InStore()
    try:
        async with SqliteJobs(settings.database_path, read_only=True) as store:
            transactions, receipts = await store.transactions(request_id), await store.receipts(request_id)
            return InStore(await store.get(request_id), tuple(transactions), tuple(receipts))
    except (StoreError, ConfigurationError) as error:
        return InStore(trouble=f"the worker's jobs cannot be read: {error}")


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


def _as_json(request_id: int, in_store: InStore, on_chain: OnChain) -> dict[str, object]:
    chain: dict[str, object] | None = None
    if on_chain.pending is not None:
        chain = {"status": "pending", "payment_yocto": str(on_chain.pending.payment)}
    elif on_chain.ending is not None:
        chain = on_chain.ending.as_json()
    job = None if in_store.job is None else job_json(in_store.job, in_store.transactions, in_store.receipts)
    return {"request_id": request_id, "chain": chain, "job": job}


def _chain_lines(on_chain: OnChain) -> list[str]:
    if on_chain.pending is not None:
        return [f"  contract   waits for an answer; {format_near(on_chain.pending.payment)} paid by {on_chain.pending.predecessor_id}"]
    if on_chain.ending is None:
        return []
    ending = on_chain.ending
    used = f"{ending.instructions:,} instructions, {ending.time_ms:,} ms"
    return [
        f"  contract   {ending.status}" + ("" if ending.error is None else f": {ending.error}"),
        f"  price      charged {format_near(ending.charged)}, refunded {format_near(ending.refunded)} ({used})",
    ]


def _job_lines(in_store: InStore) -> list[str]:
    job = in_store.job
    if job is None:
        return []
    source = job.request.source
    named = f"{source.repo} at {source.commit}" if isinstance(source, GitHub) else source.url
    lines = [f"  worker     {job.stage.value}" + ("" if job.settled_by is None else f" (settled by {job.settled_by})")]
    asked_in = f" in transaction {job.origin.transaction_hash}, block {job.origin.block_height}" if job.origin.transaction_hash else ""
    lines.append(f"  asked      by {job.request.sender_id} through {job.request.predecessor_id}{asked_in}")
    lines.append(f"  code       {named}" + ("" if job.wasm_sha256_hex is None else f" (sha256 {job.wasm_sha256_hex})"))
    if job.answer is not None:
        output = "no output" if job.answer.output is None else f"{len(job.answer.output):,} bytes of output"
        lines.append(f"  answer     {output if job.answer.success else job.answer.error}")
    return [
        *lines,
        *(f"  sent       {transaction.kind} in transaction {transaction.transaction_hash}" for transaction in in_store.transactions),
        *(f"  receipt    sha256 {receipt.receipt_sha256_hex}, signed with {receipt.public_key}" for receipt in in_store.receipts),
    ]
