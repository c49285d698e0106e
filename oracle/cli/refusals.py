"""
What the contract would refuse of a request, found out before a transaction pays gas for it.

A contract that tells neither caps nor prices judges by itself.
"""

import click

from oracle.model import Limits, Pricing, YoctoNear, format_near
from oracle.near.rpc_errors import MethodMissing, ViewFailed
from oracle.wiring.chain import Chain


async def check_caps(chain: Chain, limits: Limits) -> None:
    """
    Hold limits against the contract's caps (`get_max_limits`).

    Raises:
        click.UsageError: one is above its cap.
        ChainError: no node can be asked, or the answer cannot be read.
    """
    try:
        caps = await chain.contract.max_limits()
    except (MethodMissing, ViewFailed):
        return
    for option, value, cap in (
        ("--max-instructions", limits.max_instructions, caps.max_instructions),
        ("--max-seconds", limits.max_execution_seconds, caps.max_execution_seconds),
    ):
        if value > cap:
            raise click.UsageError(f"{option} {value}: {chain.contract_id} takes at most {cap}; ask for no more")


async def check_deposit(chain: Chain, limits: Limits | None, deposit: YoctoNear) -> None:
    """
    Hold a deposit against the price of the limits, as `estimate_execution_cost` has it; None: compile only, the base fee.

    What a long input's storage costs on top is left to the contract, which knows it to the byte.

    Raises:
        click.UsageError: it is too low.
        ChainError: no node can be asked, or the answer cannot be read.
    """
    try:
        pricing: Pricing = await chain.contract.pricing()
    except (MethodMissing, ViewFailed):
        return
    price = pricing.estimate(limits)
    if deposit < price:
        mend = "give as much, or leave --deposit out" + (
            "" if limits is None else "; lower limits cost less, and what is not used comes back"
        )
        raise click.UsageError(f"--deposit {format_near(deposit).removesuffix(' NEAR')}: the request needs {format_near(price)}; {mend}")
