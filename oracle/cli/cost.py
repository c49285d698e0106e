"""`oracle cost`: what a request costs, before it is made or after it ran."""

import asyncio
import json

import click

from oracle.cli.environment import start_with
from oracle.errors import ConfigurationError
from oracle.model import Limits, Metrics, Pricing, YoctoNear, format_near
from oracle.model.money import DEFAULT_PRICING
from oracle.settings import ChainSettings

FORMULA = (
    "base_fee + (instructions / 1,000,000) x per_million_instructions_fee + time_ms x per_ms_fee + compile_time_ms x per_compile_ms_fee"
)


@click.command(
    "cost",
    short_help="Say what a request costs.",
    epilog="Example: oracle cost --max-instructions 1000000000 --max-seconds 10",
)
@click.option("--max-instructions", type=click.IntRange(1), help="Limit of the request: instructions.  [default: 1000000000]")
@click.option("--max-seconds", type=click.IntRange(1), help="Limit of the request: seconds.  [default: 60]")
@click.option("--instructions", type=click.IntRange(0), help="Instructions a run used (oracle exec tells them).")
@click.option("--time-ms", type=click.IntRange(0), help="Milliseconds a run took.")
@click.option("--compile-time-ms", type=click.IntRange(0), help="Milliseconds from source to wasm, when it was built.")
@click.option("--offline", is_flag=True, help="Use the prices of a new contract and ask no chain.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def command(
    *,
    max_instructions: int | None,
    max_seconds: int | None,
    instructions: int | None,
    time_ms: int | None,
    compile_time_ms: int | None,
    offline: bool,
    as_json: bool,
) -> None:
    """
    Say what a request costs.

    The deposit must cover the price of the limits; what was not used comes back. Prices are asked of the contract in the settings, or are
    those of a new contract when no contract is set or with --offline. A failed run costs the base fee.
    """
    used = None
    if (instructions, time_ms, compile_time_ms) != (None, None, None):
        used = Metrics(instructions or 0, time_ms or 0, 0, compile_time_ms)
    standard = Limits()
    limits = Limits(
        max_instructions=max_instructions or standard.max_instructions, max_execution_seconds=max_seconds or standard.max_execution_seconds
    )
    pricing, origin = (DEFAULT_PRICING, "a new contract") if offline else asyncio.run(_pricing())
    click.echo(json.dumps(_as_json(pricing, origin, limits, used)) if as_json else _as_text(pricing, origin, limits, used))


async def _pricing() -> tuple[Pricing, str]:
    try:
        settings = start_with(ChainSettings)
    except ConfigurationError as error:
        if all(" is not set" in problem for problem in error.problems):
            return DEFAULT_PRICING, "a new contract (set NEAR_NETWORK_ID and OFFCHAINVM_CONTRACT_ID to ask yours)"
        raise
    from oracle.wiring.chain import open_chain  # noqa: PLC0415  the offline answer needs no chain

    async with open_chain(settings) as chain:
        return await chain.contract.pricing(), chain.contract_id


def _as_text(pricing: Pricing, origin: str, limits: Limits, used: Metrics | None) -> str:
    lines = [
        f"Prices of {origin}:",
        f"  base fee                      {format_near(pricing.base_fee)}",
        f"  a million instructions        {format_near(pricing.per_million_instructions_fee)}",
        f"  a millisecond of running      {format_near(pricing.per_ms_fee)}",
        f"  a millisecond of compiling    {format_near(pricing.per_compile_ms_fee)}",
        f"Deposit for {limits.max_instructions:,} instructions and {limits.max_execution_seconds} s: {_amount(pricing.estimate(limits))}",
    ]
    if used is not None:
        run = f"{used.instructions:,} instructions, {used.time_ms:,} ms"
        built = "" if used.compile_time_ms is None else f", {used.compile_time_ms:,} ms of compiling"
        lines.append(f"Charge for {run}{built}: {_amount(pricing.charge(used))}; the rest of the deposit comes back")
    return "\n".join([*lines, f"Charge = {FORMULA}, rounded down; at most the deposit; a failed run costs the base fee."])


def _as_json(pricing: Pricing, origin: str, limits: Limits, used: Metrics | None) -> dict[str, object]:
    return {
        "prices_of": origin,
        "pricing": {
            "base_fee_yocto": str(pricing.base_fee),
            "per_million_instructions_fee_yocto": str(pricing.per_million_instructions_fee),
            "per_ms_fee_yocto": str(pricing.per_ms_fee),
            "per_compile_ms_fee_yocto": str(pricing.per_compile_ms_fee),
        },
        "limits": {"max_instructions": limits.max_instructions, "max_execution_seconds": limits.max_execution_seconds},
        "deposit_yocto": str(pricing.estimate(limits)),
        "charge_yocto": None if used is None else str(pricing.charge(used)),
        "formula": FORMULA,
    }


def _amount(amount: YoctoNear) -> str:
    return f"{format_near(amount)} ({amount} yoctoNEAR)"
