"""`oracle tee verify-quote`: a quote by itself, held against collateral and a root."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from oracle.cli.verdict import FILE, Moment, VerdictCommand, exit_code, read_bounded, trusted

if TYPE_CHECKING:
    from oracle.flows.verify.alone import QuoteAlone
    from oracle.model import QuoteReport

_MEASUREMENTS = 12
"""The check that is made where the policy names software."""


@click.command("verify-quote", cls=VerdictCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--collateral", "collateral_path", type=FILE, help="Intel's collateral of the quote's platform (dcap-qvl's JSON).")
@click.option("--policy", "policy_path", type=FILE, help="What you accept (TOML); without it the default, which names no software.")
@click.option("--root-ca", "root_path", type=FILE, help="Root certificate to trust instead of Intel's (PEM or DER); all is a test then.")
@click.option("--at", "at_s", type=Moment(), help="The moment asked about. Default: now.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def command(
    *, file: Path, collateral_path: Path | None, policy_path: Path | None, root_path: Path | None, at_s: int | None, as_json: bool
) -> int:
    """
    Verify a quote against collateral and a root.

    FILE holds the quote raw, in hex or in base64 (- for standard input). The machine is judged by the policy, and its software too where
    the policy names some. Whose quote it is, its report data says to whoever knows what to expect there. Exit code: 0 PROVEN, 1 FAILED,
    3 UNPROVEN, 64 wrong usage.

    \b
    Example:
      oracle tee verify-quote quote.bin --collateral collateral.json --at 2025-06-25T12:00:00Z
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    from oracle.flows.verify.alone import check_quote_alone  # noqa: PLC0415  --help answers without
    from oracle.flows.verify.terms import Terms  # noqa: PLC0415
    from oracle.tee.collateral import MAX_COLLATERAL_BYTES  # noqa: PLC0415
    from oracle.tee.quote import MAX_QUOTE_BYTES  # noqa: PLC0415

    policy, root = trusted(policy_path, root_path)
    collateral = None if collateral_path is None else read_bounded(collateral_path, MAX_COLLATERAL_BYTES).decode("utf-8", "replace")
    now_s = int(time.time())
    alone = check_quote_alone(read_bounded(file, 3 * MAX_QUOTE_BYTES), Terms(policy, root, now_s, at_s, collateral))
    if as_json:
        click.echo(json.dumps(_as_json(alone), ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(alone)))
    return exit_code(alone.report)


def _as_json(alone: "QuoteAlone") -> dict[str, object]:
    from oracle.flows.verify.text import report_json  # noqa: PLC0415  --help answers without

    told, tcb = alone.quoted, alone.tcb
    quote: dict[str, object] | None = None
    if told is not None:
        quote = {
            "kind": told.kind.value,
            "version": told.version,
            "report_data": told.report_data.hex(),
            "debug": told.debug,
            "measurements": None if told.measurements is None else told.measurements.hex_fields(),
            "sgx": None if told.sgx is None else {"mr_enclave": told.sgx.mr_enclave.hex(), "mr_signer": told.sgx.mr_signer.hex()},
            "status": None if tcb is None else tcb.status,
            "advisory_ids": None if tcb is None else list(tcb.advisory_ids),
            "fmspc": None if tcb is None else tcb.fmspc.hex(),
            "tcb_evaluation_data_number": None if tcb is None else tcb.evaluation_data_number,
        }
    kept = ("verdict", "test_root", "warning", "decided_by", "at_s", "root_sha256", "policy_sha256", "checks")
    report = report_json(alone.report)
    return {name: report[name] for name in kept} | {"quote": quote}


def _lines(alone: "QuoteAlone") -> list[str]:
    from oracle.flows.verify.text import report_lines  # noqa: PLC0415  --help answers without

    tcb = alone.tcb
    platform = [
        f"  status        {'(not verified)' if tcb is None else tcb.status}",
        f"  advisories    {'(not verified)' if tcb is None else ', '.join(tcb.advisory_ids) or 'none'}",
        f"  FMSPC         {'(not verified)' if tcb is None else tcb.fmspc.hex()}",
    ]
    software = [] if alone.quoted is None else [*platform, *_software(alone.quoted), ""]
    return [*software, *report_lines(alone.report, with_chain=False), *_not_asked(alone)]


def _not_asked(alone: "QuoteAlone") -> list[str]:
    """PROVEN without a policy says that the machine is genuine, and could be read as if its software were good."""
    if alone.tcb is None or any(check.number == _MEASUREMENTS for check in alone.report.checks):
        return []
    return ["Its software was not judged: name what you accept as [[measurements]] in the file of --policy."]


def _software(told: "QuoteReport") -> list[str]:
    lines = [] if told.measurements is None else [f"  {name:<13} {value}" for name, value in told.measurements.hex_fields().items()]
    if told.sgx is not None:
        lines += [f"  mr_enclave    {told.sgx.mr_enclave.hex()}", f"  mr_signer     {told.sgx.mr_signer.hex()}"]
    return [*lines, f"  report data   {told.report_data.hex()}"]
