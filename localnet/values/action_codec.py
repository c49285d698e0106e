"""
Actions in borsh, as transactions carry them and as they are signed.

Source: nearcore `Action` (variants 0 to 8). Variants 9 and above (global contracts, deterministic accounts, gas keys) are refused by name.
"""

from typing import assert_never

from localnet.values.actions import (
    AccessKey,
    Action,
    AddKey,
    CreateAccount,
    Delegate,
    DelegateAction,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    FullAccess,
    FunctionCall,
    FunctionCallPermission,
    Permission,
    SimpleAction,
    Stake,
    Transfer,
)
from localnet.values.borsh import BorshError, Reader, Writer
from localnet.values.keys import PublicKey

MOST_ACTIONS = 100
"""A receipt's limit (`max_actions_per_receipt`); a longer list is read one beyond it, so that the chain can name the limit."""

_MOST_METHOD_NAMES = 4096
_DELEGATE_TAG = 8
_NOT_OFFERED = {
    9: "DeployGlobalContract",
    10: "UseGlobalContract",
    11: "DeterministicStateInit",
    12: "TransferToGasKey",
    13: "WithdrawFromGasKey",
}
_CURVES = {1: "secp256k1", 2: "ML-DSA-65"}


def write_actions(out: Writer, actions: tuple[Action, ...]) -> None:
    """A list of actions."""
    out.u32(len(actions))
    for action in actions:
        write_action(out, action)


def write_action(out: Writer, action: Action) -> None:
    """One action with its tag."""
    match action:
        case CreateAccount():
            out.u8(0)
        case DeployContract(code):
            out.u8(1)
            out.data(code)
        case FunctionCall(method_name, args, gas, deposit_yocto):
            out.u8(2)
            out.text(method_name)
            out.data(args)
            out.u64(gas)
            out.u128(deposit_yocto)
        case Transfer(deposit_yocto):
            out.u8(3)
            out.u128(deposit_yocto)
        case Stake(stake_yocto, public_key):
            out.u8(4)
            out.u128(stake_yocto)
            out.fixed(public_key.tagged)
        case AddKey(public_key, access_key):
            out.u8(5)
            out.fixed(public_key.tagged)
            write_access_key(out, access_key)
        case DeleteKey(public_key):
            out.u8(6)
            out.fixed(public_key.tagged)
        case DeleteAccount(beneficiary_id):
            out.u8(7)
            out.text(beneficiary_id)
        case Delegate(delegate_action, signature):
            out.u8(_DELEGATE_TAG)
            write_delegate_action(out, delegate_action)
            write_signature(out, signature)
        case _:
            assert_never(action)


def write_access_key(out: Writer, access_key: AccessKey) -> None:
    """Nonce and permission; its length is part of an account's storage usage."""
    out.u64(access_key.nonce)
    match access_key.permission:
        case FunctionCallPermission(allowance_yocto, receiver_id, method_names):
            out.u8(0)
            out.u8(allowance_yocto is not None)
            if allowance_yocto is not None:
                out.u128(allowance_yocto)
            out.text(receiver_id)
            out.u32(len(method_names))
            for name in method_names:
                out.text(name)
        case FullAccess():
            out.u8(1)


def write_delegate_action(out: Writer, delegate_action: DelegateAction) -> None:
    """What the sender of a meta transaction signs, without the prefix of NEP-461."""
    out.text(delegate_action.sender_id)
    out.text(delegate_action.receiver_id)
    write_actions(out, delegate_action.actions)
    out.u64(delegate_action.nonce)
    out.u64(delegate_action.max_block_height)
    out.fixed(delegate_action.public_key.tagged)


def write_signature(out: Writer, signature: bytes) -> None:
    """An ed25519 signature after its curve's tag."""
    out.u8(0)
    out.fixed(signature)


def read_actions(source: Reader) -> tuple[Action, ...]:
    """A list of actions. Raises `BorshError`."""
    return source.many(lambda: _read_action(source), what="actions", most=MOST_ACTIONS + 1)


def _read_action(source: Reader) -> Action:
    tag = source.u8()
    if tag == _DELEGATE_TAG:
        return Delegate(_read_delegate_action(source), read_signature(source))
    return _read_simple_action(source, tag)


def _read_simple_action(source: Reader, tag: int) -> SimpleAction:  # noqa: PLR0911 (one arm a variant)
    match tag:
        case 0:
            return CreateAccount()
        case 1:
            return DeployContract(source.data())
        case 2:
            return FunctionCall(source.text(), source.data(), source.u64(), source.u128())
        case 3:
            return Transfer(source.u128())
        case 4:
            return Stake(source.u128(), read_public_key(source))
        case 5:
            return AddKey(read_public_key(source), read_access_key(source))
        case 6:
            return DeleteKey(read_public_key(source))
        case 7:
            return DeleteAccount(source.text())
        case 8:
            raise BorshError("a meta transaction cannot carry another one")
        case _:
            name = _NOT_OFFERED.get(tag)
            raise BorshError(f"the action {name} is not offered by localnet" if name else f"no action has the tag {tag}")


def read_access_key(source: Reader) -> AccessKey:
    """Nonce and permission. Raises `BorshError`."""
    return AccessKey(source.u64(), _read_permission(source))


def _read_permission(source: Reader) -> Permission:
    match source.u8():
        case 0:
            allowance = source.option(source.u128)
            receiver_id = source.text()
            return FunctionCallPermission(allowance, receiver_id, source.many(source.text, what="method names", most=_MOST_METHOD_NAMES))
        case 1:
            return FullAccess()
        case 2 | 3:
            raise BorshError("gas keys are not offered by localnet; use a full-access or function-call key")
        case tag:
            raise BorshError(f"no permission has the tag {tag}")


def _read_delegate_action(source: Reader) -> DelegateAction:
    return DelegateAction(
        sender_id=source.text(),
        receiver_id=source.text(),
        actions=source.many(lambda: _read_simple_action(source, source.u8()), what="actions", most=MOST_ACTIONS + 1),
        nonce=source.u64(),
        max_block_height=source.u64(),
        public_key=read_public_key(source),
    )


def read_public_key(source: Reader) -> PublicKey:
    """A key after its curve's tag. Raises `BorshError`."""
    _expect_ed25519(source.u8(), "public keys")
    return PublicKey(source.fixed(32))


def read_signature(source: Reader) -> bytes:
    """64 bytes after the curve's tag. Raises `BorshError`."""
    _expect_ed25519(source.u8(), "signatures")
    return source.fixed(64)


def _expect_ed25519(tag: int, what: str) -> None:
    if tag != 0:
        raise BorshError(f"{what} of the curve {_CURVES.get(tag, f'with tag {tag}')} are not taken by localnet; use ed25519")
