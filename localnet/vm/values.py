"""What goes into a contract call and what comes out of it. Amounts are yoctoNEAR, lengths bytes, gas units."""

from dataclasses import dataclass
from typing import Protocol

from localnet.values.actions import SimpleAction
from localnet.vm.errors import VmError


@dataclass(frozen=True, slots=True)
class CallContext:
    """All a contract can learn of the chain, but its storage (`External`)."""

    current_account_id: str
    signer_account_id: str
    signer_public_key: bytes
    """33 bytes: the curve's tag 0, then the ed25519 key."""
    predecessor_account_id: str
    refund_to_account_id: str
    input: bytes
    promise_results: tuple[bytes | None, ...]
    """What the awaited receipts gave, in order; None for one that failed."""
    block_height: int
    block_timestamp_ns: int
    epoch_height: int
    account_balance_yocto: int
    """Without the attached deposit."""
    account_locked_yocto: int
    storage_usage_bytes: int
    attached_deposit_yocto: int
    prepaid_gas: int
    """In a view: the most it may burn."""
    random_seed: bytes
    action_hash: bytes
    chain_id: str
    output_data_receivers: tuple[str, ...]
    """Accounts that wait for what the call returns; each byte returned is charged for each."""
    is_view: bool


class External(Protocol):
    """What the chain lends a call. A call writes nothing through it: changes come back in the outcome."""

    def storage_get(self, key: bytes) -> bytes | None:
        """The value under a key of the current account, as it was before the call."""
        ...

    def yield_exists(self, data_id: bytes) -> bool:
        """Whether a yield of the current account waits for this data id, or was resumed and has not run yet."""
        ...


@dataclass(frozen=True, slots=True)
class ReceiptIndex:
    """Points into `VmOutcome.receipts`: the call's result is that receipt's result."""

    index: int


@dataclass(frozen=True, slots=True)
class InputDependency:
    """A receipt waits for what another receipt of the same call gives."""

    receipt_index: int
    data_id: bytes


@dataclass(frozen=True, slots=True)
class OutputReceiver:
    """Where a receipt's result goes."""

    data_id: bytes
    receiver_id: str


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """A receipt a contract made; function calls in it have their share of the unused gas already."""

    receiver_id: str
    actions: tuple[SimpleAction, ...]
    input_dependencies: tuple[InputDependency, ...]
    """Receipts of the same call it waits for; empty for a yield, which waits for `yield_data_id`."""
    output_data_receivers: tuple[OutputReceiver, ...]
    yield_data_id: bytes | None = None
    """Set when it is a yield: what resumes it."""
    refund_to: str | None = None
    """Who gets deposits back instead of the predecessor."""

    @property
    def is_yield(self) -> bool:
        """Whether it waits to be resumed."""
        return self.yield_data_id is not None

    @property
    def input_data_ids(self) -> tuple[bytes, ...]:
        """What it waits for, in the order of `promise_result`."""
        if self.yield_data_id is not None:
            return (self.yield_data_id,)
        return tuple(dependency.data_id for dependency in self.input_dependencies)


@dataclass(frozen=True, slots=True)
class Resume:
    """An accepted `promise_yield_resume`."""

    data_id: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class VmOutcome:
    """
    How a call ended. With an error, storage changes, receipts, resumes and the result are empty and balance and storage
    usage are those the call began with; logs and gas tell what was done until then.
    """

    error: VmError | None
    balance_yocto: int
    """Of the account, the attached deposit in, deposits of new receipts out."""
    storage_usage_bytes: int
    return_data: bytes | ReceiptIndex | None
    burnt_gas: int
    used_gas: int
    """Burnt, and reserved for receipts; after a success unused gas is shared out by weights, and that counts too."""
    logs: tuple[str, ...]
    storage_changes: dict[bytes, bytes | None]
    """None: the key was removed."""
    receipts: tuple[NewReceipt, ...]
    resumes: tuple[Resume, ...]
    subsidized_yocto: int = 0
    """Deposits of 1 yoctoNEAR that an account without balance was given by the protocol (protocol 86+)."""
