"""Promises and the receipts they become, while the call that makes them runs."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TypeAlias

from localnet.parameters import Limits
from localnet.values.actions import FunctionCall, SimpleAction
from localnet.vm.errors import HostError
from localnet.vm.values import CallContext, InputDependency, NewReceipt, OutputReceiver

JointPromise: TypeAlias = tuple[int, ...]
"""What `promise_and` makes: indices of receipts."""


@dataclass(slots=True)
class Draft:
    """A receipt being filled."""

    receiver_id: str
    dependencies: list[InputDependency] = field(default_factory=list)
    outputs: list[OutputReceiver] = field(default_factory=list)
    actions: list[SimpleAction] = field(default_factory=list)
    yield_data_id: bytes | None = None
    refund_to: str | None = None


@dataclass(frozen=True, slots=True)
class Weight:
    """A function call that takes a share of the gas nobody used."""

    receipt: int
    action: int
    weight: int


class Promises:
    """A promise is a receipt's index, or a tuple of such for a joint one."""

    def __init__(self, context: CallContext, limits: Limits) -> None:
        self.context, self.limits = context, limits
        self.promises: list[int | JointPromise] = []
        self.drafts: list[Draft] = []
        self.weights: list[Weight] = []
        self.data_ids = 0

    def new_data_id(self) -> bytes:
        """The next id of this action: sha256(action hash, height, count)."""
        number = self.data_ids
        self.data_ids += 1
        height = self.context.block_height.to_bytes(8, "little")
        return sha256(self.context.action_hash + height + number.to_bytes(8, "little")).digest()

    def add(self, draft: Draft) -> int:
        """Begin a receipt; gives its promise."""
        self.drafts.append(draft)
        return self.push(len(self.drafts) - 1)

    def push(self, promise: int | JointPromise) -> int:
        """
        Number a promise.

        Raises:
            HostError: too many of one call.
        """
        self.promises.append(promise)
        count, limit = len(self.promises), self.limits.max_promises_per_function_call_action
        if count > limit:
            text = f"The number of promises within a FunctionCall {count} exceeds the limit {limit}"
            raise HostError("NumberPromisesExceeded", text, number_of_promises=count, limit=limit)
        return count - 1

    def get(self, index: int) -> int | JointPromise:
        """
        Look a promise up.

        Raises:
            HostError: there is none of that number.
        """
        if index >= len(self.promises):
            text = f"{index} does not correspond to existing promises"
            raise HostError("InvalidPromiseIndex", text, promise_idx=index)
        return self.promises[index]

    def receipts_of(self, index: int) -> JointPromise:
        """All receipts a promise stands for."""
        promise = self.get(index)
        return (promise,) if isinstance(promise, int) else promise

    def single(self, index: int) -> tuple[int, Draft]:
        """
        The receipt that actions go to, and its index.

        Raises:
            HostError: the promise is joint or does not exist.
        """
        promise = self.get(index)
        if not isinstance(promise, int):
            text = "Actions can only be appended to non-joint promise."
            raise HostError("CannotAppendActionToJointPromise", text)
        return promise, self.drafts[promise]

    def is_own(self, draft: Draft) -> bool:
        """Whether the receipt goes to the account that makes it."""
        return draft.receiver_id == self.context.current_account_id

    def append_call(self, receipt: int, call: FunctionCall, weight: int) -> None:
        """Append a function call; with a weight it takes part in what `finish` shares out."""
        actions = self.drafts[receipt].actions
        if weight:
            self.weights.append(Weight(receipt, len(actions), weight))
        actions.append(call)

    def share_out(self, unused_gas: int) -> int:
        """
        Give unused gas to the calls with weights: floor shares, the last takes the rest.

        Returns:
            What was given.
        """
        total = sum(entry.weight for entry in self.weights)
        if not total or not unused_gas:
            return 0
        given = 0
        for number, entry in enumerate(self.weights):
            is_last = number + 1 == len(self.weights)
            share = unused_gas - given if is_last else unused_gas * entry.weight // total
            given += share
            actions = self.drafts[entry.receipt].actions
            call = actions[entry.action]
            if isinstance(call, FunctionCall):
                actions[entry.action] = replace(call, gas=call.gas + share)
        return given

    def finished(self) -> tuple[NewReceipt, ...]:
        """The receipts as the chain gets them."""
        return tuple(
            NewReceipt(
                draft.receiver_id,
                tuple(draft.actions),
                tuple(draft.dependencies),
                tuple(draft.outputs),
                draft.yield_data_id,
                draft.refund_to,
            )
            for draft in self.drafts
        )
