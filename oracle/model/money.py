"""Money and prices, in whole yoctoNEAR; rounding is always down, as the contract does it."""

from dataclasses import dataclass
from typing import NewType

from oracle.model.limits import Limits
from oracle.model.metrics import Metrics

YoctoNear = NewType("YoctoNear", int)
"""10**-24 NEAR. Never a float; a decimal string in JSON."""

NEAR = YoctoNear(10**24)

_U128_MAX = 2**128 - 1
_INSTRUCTIONS_A_UNIT = 1_000_000


def yocto_from_text(text: str) -> YoctoNear:
    """
    Read a U128 decimal string.

    Raises:
        ValueError: not ASCII digits only, or above 2**128 - 1.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_U128_MAX)) and int(text) <= _U128_MAX):
        raise ValueError(f"not an amount in yoctoNEAR (a decimal string of a u128): {text[:50]!r}")
    return YoctoNear(int(text))


def format_near(amount: YoctoNear) -> str:
    """Write an amount for people, exactly: 1500000000000000000000000 is `1.5 NEAR`."""
    whole, rest = divmod(amount, NEAR)
    decimals = f"{rest:024d}".rstrip("0")
    return f"{whole}.{decimals} NEAR" if decimals else f"{whole} NEAR"


@dataclass(frozen=True, slots=True)
class Pricing:
    """What the contract charges (`get_pricing`); a failed run costs the base fee."""

    base_fee: YoctoNear
    per_million_instructions_fee: YoctoNear
    per_ms_fee: YoctoNear
    per_compile_ms_fee: YoctoNear

    def charge(self, metrics: Metrics) -> YoctoNear:
        """The price of a successful run, before the contract's caps (limits and payment)."""
        return YoctoNear(
            self.base_fee
            + (metrics.instructions // _INSTRUCTIONS_A_UNIT) * self.per_million_instructions_fee
            + metrics.time_ms * self.per_ms_fee
            + (metrics.compile_time_ms or 0) * self.per_compile_ms_fee
        )

    def estimate(self, limits: Limits | None) -> YoctoNear:
        """The deposit that a request must carry (`estimate_execution_cost`): the price of its limits; compile only is the base fee."""
        if limits is None:
            return self.base_fee
        return self.charge(Metrics(instructions=limits.max_instructions, time_ms=limits.max_execution_seconds * 1000, peak_memory_bytes=0))


DEFAULT_PRICING = Pricing(YoctoNear(10**21), YoctoNear(10**14), YoctoNear(10**17), YoctoNear(10**17))
"""What a new contract charges until its owner says otherwise (contract: DEFAULT_* fees)."""
