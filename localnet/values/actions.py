"""
The actions of a receipt. Sizes and account ids are checked where an action enters the chain (`localnet.runtime.validation`), not here.

Amounts are yoctoNEAR (u128), gas is u64.
"""

from dataclasses import dataclass
from typing import TypeAlias

from localnet.values.keys import PublicKey


@dataclass(frozen=True, slots=True)
class FullAccess:
    """A key that may do everything."""


@dataclass(frozen=True, slots=True)
class FunctionCallPermission:
    """A key that may call methods of one contract, without a deposit."""

    allowance_yocto: int | None
    """What the key may still spend on gas; None is without limit."""
    receiver_id: str
    method_names: tuple[str, ...]
    """Empty: every method."""


Permission: TypeAlias = FullAccess | FunctionCallPermission


@dataclass(frozen=True, slots=True)
class AccessKey:
    """What the chain keeps for a key of an account."""

    nonce: int
    permission: Permission


@dataclass(frozen=True, slots=True)
class CreateAccount:
    """Make the receiver's account."""


@dataclass(frozen=True, slots=True)
class DeployContract:
    """Put a contract on the receiver's account."""

    code: bytes


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """Call a method of the receiver's contract."""

    method_name: str
    args: bytes
    gas: int
    deposit_yocto: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """Give tokens to the receiver."""

    deposit_yocto: int


@dataclass(frozen=True, slots=True)
class Stake:
    """Lock tokens of the receiver's account for a validator key."""

    stake_yocto: int
    public_key: PublicKey


@dataclass(frozen=True, slots=True)
class AddKey:
    """Give the receiver's account another key."""

    public_key: PublicKey
    access_key: AccessKey


@dataclass(frozen=True, slots=True)
class DeleteKey:
    """Take a key from the receiver's account."""

    public_key: PublicKey


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    """Remove the receiver's account; what it holds goes to the beneficiary."""

    beneficiary_id: str


SimpleAction: TypeAlias = CreateAccount | DeployContract | FunctionCall | Transfer | Stake | AddKey | DeleteKey | DeleteAccount
"""Every action that a contract can make and that a meta transaction can carry."""


@dataclass(frozen=True, slots=True)
class DelegateAction:
    """What the sender of a meta transaction signs: actions that somebody else pays for (NEP-366)."""

    sender_id: str
    receiver_id: str
    actions: tuple[SimpleAction, ...]
    nonce: int
    max_block_height: int
    public_key: PublicKey


@dataclass(frozen=True, slots=True)
class Delegate:
    """Do the sender's signed actions in the sender's name."""

    delegate_action: DelegateAction
    signature: bytes
    """64 bytes, ed25519."""


Action: TypeAlias = SimpleAction | Delegate
