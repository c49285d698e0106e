"""
The gas of one call: what is burnt, what is reserved for receipts, and where it ends.

Exactly nearcore's arithmetic, also at the end: a charge that does not fit is burnt as far as was paid for.
Source: near-vm-runner 0.38 `logic::gas_counter`.
"""

from localnet.vm.errors import HostError, gas_exceeded, gas_limit_exceeded, integer_overflow

U64_MAX = (1 << 64) - 1


class GasCounter:
    """Counts up to `limit`, which shrinks as gas is reserved for receipts."""

    __slots__ = ("burnt", "limit", "max_burnt", "prepaid", "reserved")

    def __init__(self, *, prepaid: int, max_burnt: int) -> None:
        self.prepaid = prepaid
        self.max_burnt = max_burnt
        self.limit = min(prepaid, max_burnt)
        self.burnt = 0
        self.reserved = 0

    @property
    def used(self) -> int:
        """Burnt and reserved."""
        return self.burnt + self.reserved

    @property
    def remaining(self) -> int:
        """What wasm may still burn."""
        return self.limit - self.burnt

    def burn(self, amount: int) -> None:
        """
        Burn gas.

        Raises:
            HostError: it does not fit; the counter then shows nearcore's final figures.
        """
        burnt = self.burnt + amount
        if burnt <= self.limit:
            self.burnt = burnt
            return
        if burnt > U64_MAX:
            raise integer_overflow()
        raise self._exhausted(burnt, (burnt + self.reserved) & U64_MAX)

    def burn_each(self, *amounts: int) -> None:
        """Burn several charges that nearcore makes one after another."""
        burnt = self.burnt + sum(amounts)
        if burnt <= self.limit:
            self.burnt = burnt
            return
        for amount in amounts:
            self.burn(amount)

    def burn_units(self, unit: int, count: int) -> None:
        """
        Burn a charge for each of many units.

        Raises:
            HostError: it does not fit, or the product outgrows 64 bits.
        """
        amount = unit * count
        if amount > U64_MAX:
            raise integer_overflow()
        self.burn(amount)

    def pay_action(self, send: int, execution: int) -> None:
        """
        Burn what sending costs and reserve what the execution will.

        Raises:
            HostError: they do not fit, or outgrow 64 bits.
        """
        if send > U64_MAX or send + execution > U64_MAX:
            raise integer_overflow()
        burnt, reserved = self.burnt + send, self.reserved + execution
        if burnt + reserved > U64_MAX:
            raise integer_overflow()
        if burnt > self.max_burnt or burnt + reserved > self.prepaid:
            raise self._exhausted(burnt, burnt + reserved)
        self.burnt, self.reserved = burnt, reserved
        self.limit = min(self.max_burnt, self.prepaid - reserved)

    def reserve(self, amount: int) -> None:
        """Set gas aside for a function call of a receipt."""
        self.pay_action(0, amount)

    def exhausted_in_wasm(self, remaining: int) -> HostError:
        """Account for the wasm charge that made the remaining gas negative."""
        burnt = self.limit - remaining
        return self._exhausted(burnt, burnt + self.reserved)

    def _exhausted(self, burnt: int, used: int) -> HostError:
        self.burnt = min(burnt, self.prepaid, self.max_burnt)
        self.reserved = max(0, min(self.prepaid, used) - self.burnt)
        return gas_limit_exceeded() if burnt > self.max_burnt else gas_exceeded()
