"""What the demonstration says: to people, or one JSON object a line to machines."""

import json
import shlex
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import click

from oracle.cli.demo_stage import ChainReady, ContractReady, Ready, WorkerReady
from oracle.cli.demo_tee import MachineReady
from oracle.flows.demo import Report, Step
from oracle.flows.verify.report import Report as Verified
from oracle.flows.verify.text import TEST_ROOT_WARNING, report_json, report_lines
from oracle.model import format_near
from register import Told

_EVENT_OF = {
    ChainReady: "chain_ready",
    MachineReady: "machine_ready",
    ContractReady: "contract_ready",
    WorkerReady: "worker_ready",
}
_MAX_SHOWN = 100
_WIDTH = 110


class Lines(Protocol):
    """Told of everything that happens, in order."""

    def begin(self, questions: int) -> None:
        """It starts."""
        ...

    def ready(self, part: Ready) -> None:
        """A part of the stage stands."""
        ...

    def step(self, step: Step) -> None:
        """A question was asked, or answered."""
        ...

    def verified(self, report: Verified, *, whole: bool) -> None:
        """An answer's receipt was verified; `whole`: with every check."""
        ...

    def summary(self, answered: Sequence[Step], verified: Sequence[Verified], *, ok: bool) -> None:
        """All questions were asked."""
        ...

    def kept(self, environment_file: Path, *, tee: bool) -> None:
        """Chain and worker go on running."""
        ...


class JsonLines:
    """One object a line; amounts are decimal strings."""

    def begin(self, questions: int) -> None:
        """See `Lines`."""
        _emit("begin", questions=questions)

    def ready(self, part: Ready) -> None:
        """See `Lines`."""
        if isinstance(part, Told):
            _emit("registration", step=part.step.value, sentence=part.sentence, **dict(part.facts))
            return
        _emit(_EVENT_OF[type(part)], **asdict(part))

    def step(self, step: Step) -> None:
        """See `Lines`."""
        if step.report is None:
            _emit(
                "asked", question=step.question.title, transaction_hash=step.asked.transaction_hash, deposit_yocto=str(step.asked.deposit)
            )
        else:
            _emit("answered", question=step.question.title, as_expected=step.as_expected, **_request(step, step.report))

    def verified(self, report: Verified, *, whole: bool) -> None:
        """See `Lines`."""
        _emit("verified", **report_json(report))

    def summary(self, answered: Sequence[Step], verified: Sequence[Verified], *, ok: bool) -> None:
        """See `Lines`."""
        requests = [_request(step, step.report) for step in answered if step.report is not None]
        if verified:
            requests = [request | {"verdict": report.verdict.value} for request, report in zip(requests, verified, strict=True)]
        _emit("summary", ok=ok, requests=requests)

    def kept(self, environment_file: Path, *, tee: bool) -> None:
        """The summary stays the last line: the addresses were told when each part was ready."""


class TextLines:
    """For people."""

    def begin(self, questions: int) -> None:
        """See `Lines`."""
        click.echo(f"A contract asks, code runs off chain, the answer comes back on chain: {questions} questions.\n")

    def ready(self, part: Ready) -> None:
        """See `Lines`."""
        match part:
            case ChainReady(rpc_url=url):
                click.echo(f"  chain       {url}  (a NEAR chain in this process: JSON-RPC, accounts, gas, blocks)")
            case MachineReady():
                click.echo(f"  machine     {part.socket}  (a simulated TDX machine; compose hash {part.compose_hash[:16]}…)")
                click.secho(f"              test root {part.root_sha256[:16]}…: {TEST_ROOT_WARNING[11:]}", fg="yellow")
            case Told(step=step, sentence=sentence):
                click.echo(textwrap.fill(sentence, _WIDTH, initial_indent=f"  {step.value:<11} ", subsequent_indent=" " * 14))
            case ContractReady(account_id=account_id, what=what, wasm_bytes=size):
                click.echo(f"  contract    {account_id}  ({what}, {size / 1000:.0f} kB of wasm)")
            case WorkerReady(operator_id=operator_id, api_url=url):
                click.echo(f"  worker      {operator_id}  ({url}/health)\n")

    def step(self, step: Step) -> None:
        """See `Lines`."""
        if step.report is None:
            limits = step.question.limits
            click.secho(f"{step.number}. {step.question.title}", bold=True)
            click.echo(
                f"   code      {step.question.guest}.wasm" + ("  (asked for under a wrong hash)" if step.question.wrong_hash else "")
            )
            if step.question.input_text:
                click.echo(f"   input     {_short(step.question.input_text)}")
            click.echo(
                f"   limits    {limits.max_instructions:,} instructions, {limits.max_memory_mb} MB, {limits.max_execution_seconds} s"
                f"; deposit {format_near(step.asked.deposit)}"
            )
            return
        report = step.report
        if report.output is not None:
            click.secho(f"   answer    {_short(report.output)}", fg="green")
        else:
            click.secho(_folded(f"no answer {report.error}"), fg="yellow")
        click.echo(
            f"   used      {report.instructions:,} instructions, {report.time_ms:,} ms; "
            f"price {format_near(report.charged)}, refund {format_near(report.refunded)}"
        )
        click.echo(f"   on chain  request {report.request_id}, transaction {step.asked.transaction_hash}")
        if not step.as_expected:
            click.secho("   This is not what was to be expected.", fg="red")
        click.echo()

    def verified(self, report: Verified, *, whole: bool) -> None:
        """See `Lines`."""
        if whole:
            click.echo(textwrap.indent("\n".join(report_lines(report)), "   "))
        else:
            checks = len(report.checks)
            click.secho(f"   receipt   {report.verdict} by {checks} checks, under the test root", fg="green")
        click.echo()

    def summary(self, answered: Sequence[Step], verified: Sequence[Verified], *, ok: bool) -> None:
        """See `Lines`."""
        good = sum(step.question.succeeds for step in answered)
        if ok:
            click.echo(
                f"All {len(answered)} came back to the contract: {good} with an answer, {len(answered) - good} with the reason why not."
            )
            click.echo("A failed run costs the base fee; price and refund add up to the deposit each time.")
            if verified:
                click.echo(f"Each receipt is PROVEN from the quote up to the chain, under a test root: {TEST_ROOT_WARNING[11:]}")
        else:
            click.secho("Not everything went as it should: see the lines above.", fg="red")

    def kept(self, environment_file: Path, *, tee: bool) -> None:
        """See `Lines`."""
        click.echo("\nChain and worker go on running; Ctrl-C ends them. In another terminal:\n")
        click.echo(f"  . {shlex.quote(str(environment_file))}    # addresses, and keys of this chain's accounts")
        of_tee = ('oracle verify 0 --policy "$TEE_POLICY_FILE" --root-ca "$TEE_ROOT_CA"', "register-worker --check")
        for example in ("oracle request echo --input hello", "oracle show 0", "oracle doctor", *(of_tee if tee else ())):
            click.echo(f"  {example}")


def _request(step: Step, report: Report) -> dict[str, object]:
    return {
        "request_id": report.request_id,
        "status": report.status,
        "output": report.output,
        "error": report.error,
        "instructions": report.instructions,
        "time_ms": report.time_ms,
        "charged_yocto": str(report.charged),
        "refunded_yocto": str(report.refunded),
        "transaction_hash": step.asked.transaction_hash,
    }


def _emit(event: str, **facts: object) -> None:
    click.echo(json.dumps({"event": event, **facts}, ensure_ascii=False))


def _folded(text: str) -> str:
    """Over several lines, continued below the text's second column."""
    return textwrap.fill(text, width=_WIDTH, initial_indent="   ", subsequent_indent=" " * 13, break_on_hyphens=False)


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}… ({len(text)} characters)"
