"""What a block lends everything that happens in it."""

from dataclasses import dataclass
from typing import Protocol

from localnet.parameters import Parameters
from localnet.runtime.fees import Fees
from localnet.values.header import Header
from localnet.vm.values import CallContext, External, VmOutcome


class Machine(Protocol):
    """Runs a contract's method (`localnet.vm.Vm`)."""

    def run(self, code: bytes, method_name: str, context: CallContext, external: External, *, code_hash: bytes | None = None) -> VmOutcome:
        """Run; what went wrong comes back in the outcome."""
        ...


@dataclass(frozen=True, slots=True)
class Environment:
    """A block as the runtime sees it."""

    header: Header
    chain_id: str
    parameters: Parameters
    fees: Fees
    machine: Machine

    @property
    def height(self) -> int:
        """The block's."""
        return self.header.height
