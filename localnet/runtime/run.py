"""The run of one action receipt: what its actions have done so far."""

from dataclasses import dataclass, field

from localnet.runtime.environment import Environment
from localnet.state.tables import Account
from localnet.state.world import World
from localnet.values import account_id as ids
from localnet.values.actions import Transfer
from localnet.values.faults import Fault, Json
from localnet.values.hashes import NO_HASH
from localnet.values.keys import PublicKey
from localnet.values.receipt import ActionReceipt, Receipt

NO_KEY = PublicKey(bytes(32))
"""Signs what nobody signs: deposit refunds."""


class ActionFailed(Exception):
    """An action failed; `fault` is nearcore's `ActionErrorKind`. Gas and logs were counted before it is raised."""

    def __init__(self, name: str, **facts: Json) -> None:
        self.fault = Fault(name, facts or None)
        super().__init__(str(self.fault))

    @classmethod
    def of(cls, fault: Fault) -> "ActionFailed":
        """From a fault that exists already."""
        failed = cls(fault.name)
        failed.fault = fault
        return failed


@dataclass(frozen=True, slots=True)
class PointsTo:
    """The result is that of one of the new receipts."""

    receipt_index: int


@dataclass(slots=True)
class Run:
    """One receipt's run; actions read and change it."""

    world: World
    environment: Environment
    receipt: ActionReceipt
    promise_results: tuple[bytes | None, ...]
    account: Account | None
    actor_id: str
    gas_burnt: int
    gas_used: int
    logs: list[str] = field(default_factory=list)
    new_receipts: list[Receipt] = field(default_factory=list)
    result: bytes | PointsTo = b""
    minted_yocto: int = 0

    @property
    def account_id(self) -> str:
        """Whose receipt it is."""
        return self.receipt.receiver_id

    @property
    def is_refund(self) -> bool:
        """Whether the chain itself sent the receipt."""
        return self.receipt.predecessor_id == ids.SYSTEM

    def existing_account(self) -> Account:
        """The receiver's record; actions that need it are refused before they run when it is missing."""
        assert self.account is not None
        return self.account


def refund_receipt(run: Run, receiver_id: str, amount_yocto: int, *, signer_id: str = ids.SYSTEM, key: PublicKey = NO_KEY) -> ActionReceipt:
    """
    Tokens that go back. With the signer and its key it is a gas refund, which also restores the key's allowance.

    Source: nearcore `Receipt::new_balance_refund`, `new_gas_refund`.
    """
    return ActionReceipt(
        receipt_id=NO_HASH,
        predecessor_id=ids.SYSTEM,
        receiver_id=receiver_id,
        signer_id=signer_id,
        signer_public_key=key,
        gas_price_yocto=0,
        output_data_receivers=(),
        input_data_ids=(),
        actions=(Transfer(amount_yocto),),
        tx_hash=run.receipt.tx_hash,
    )
