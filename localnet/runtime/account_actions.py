"""Actions on accounts and money: create, transfer, stake, delete. Source: nearcore `runtime/src/actions.rs`."""

from dataclasses import replace

from localnet.runtime.fees import U128_MAX
from localnet.runtime.run import ActionFailed, Run, refund_receipt
from localnet.runtime.storage import access_key_bytes
from localnet.runtime.transactions import NONCES_A_BLOCK
from localnet.state.tables import Account, Key, Table
from localnet.values import account_id as ids
from localnet.values.actions import AccessKey, FullAccess, FunctionCallPermission, Stake
from localnet.values.keys import PublicKey

REGISTRAR = "registrar"
"""The one account that may make top-level accounts."""

_SHORTEST_FREE_TOP_LEVEL = 65
"""Top-level names of this length anybody may make; no id is so long."""

_MOST_BYTES_TO_DELETE = 10_000
"""Of an account that is deleted, its contract not counted."""

_WALLET_CONTRACT_BYTES = 32
"""What an Ethereum-like account takes for naming its wallet contract."""


def create_account(run: Run) -> None:
    """Make the receiver's account; only its parent, or the registrar for a top-level name, may."""
    account_id, predecessor_id = run.account_id, run.receipt.predecessor_id
    if ids.is_top_level(account_id):
        if len(account_id) < _SHORTEST_FREE_TOP_LEVEL and predecessor_id != REGISTRAR:
            raise ActionFailed(
                "CreateAccountOnlyByRegistrar",
                account_id=account_id,
                registrar_account_id=REGISTRAR,
                predecessor_id=predecessor_id,
            )
    elif not ids.is_sub_account(account_id, predecessor_id):
        raise ActionFailed("CreateAccountNotAllowed", account_id=account_id, predecessor_id=predecessor_id)
    run.actor_id = account_id
    run.account = Account(amount_yocto=0, storage_usage_bytes=run.environment.parameters.num_bytes_account)


def transfer(run: Run, deposit_yocto: int) -> None:
    """Credit the account; make it when it is implicit and missing; a gas refund also restores the key's allowance."""
    if run.account is None:
        _create_implicit_account(run, deposit_yocto)
        return
    run.account = replace(run.account, amount_yocto=run.account.amount_yocto + deposit_yocto)
    if run.is_refund and run.receipt.signer_id == run.account_id:
        _restore_allowance(run, deposit_yocto)


def _restore_allowance(run: Run, deposit_yocto: int) -> None:
    public_key = run.receipt.signer_public_key
    key = run.world.access_key(run.account_id, public_key)
    if key is None or not isinstance(key.permission, FunctionCallPermission) or key.permission.allowance_yocto is None:
        return
    allowance = min(U128_MAX, key.permission.allowance_yocto + deposit_yocto)
    run.world.set_access_key(run.account_id, public_key, replace(key, permission=replace(key.permission, allowance_yocto=allowance)))


def _create_implicit_account(run: Run, deposit_yocto: int) -> None:
    account_id, parameters = run.account_id, run.environment.parameters
    run.actor_id = account_id
    usage = parameters.num_bytes_account
    if ids.is_near_implicit(account_id):
        key = AccessKey(new_key_nonce(run.environment.height), FullAccess())
        run.world.set_access_key(account_id, PublicKey(bytes.fromhex(account_id)), key)
        usage += access_key_bytes(key, parameters)
    elif ids.is_eth_implicit(account_id):
        usage += _WALLET_CONTRACT_BYTES
    run.account = Account(amount_yocto=deposit_yocto, storage_usage_bytes=usage)


def new_key_nonce(height: int) -> int:
    """Where the nonces of a key begin that is added at a height: above all it may have had before it was deleted."""
    return max(0, height - 1) * NONCES_A_BLOCK


def stake(run: Run, action: Stake) -> None:
    """Lock tokens, or unlock them. Nobody validates here, so unlocked tokens are free at once instead of after two epochs."""
    account = run.existing_account()
    if action.stake_yocto == 0 and account.locked_yocto == 0:
        raise ActionFailed("TriesToUnstake", account_id=run.account_id)
    increment = action.stake_yocto - account.locked_yocto
    if increment > account.amount_yocto:
        raise ActionFailed(
            "TriesToStake",
            account_id=run.account_id,
            stake=str(action.stake_yocto),
            locked=str(account.locked_yocto),
            balance=str(account.amount_yocto),
        )
    run.account = replace(account, amount_yocto=account.amount_yocto - increment, locked_yocto=action.stake_yocto)


def delete_account(run: Run, beneficiary_id: str) -> None:
    """Remove the account with its contract, keys and data; what it holds goes to the beneficiary."""
    account, world = run.existing_account(), run.world
    code = world.code(run.account_id)
    if account.storage_usage_bytes - len(code or b"") > _MOST_BYTES_TO_DELETE:
        raise ActionFailed("DeleteAccountWithLargeState", account_id=run.account_id)
    if account.amount_yocto > 0:
        run.new_receipts.append(refund_receipt(run, beneficiary_id, account.amount_yocto))
    for table in (Table.CODE, Table.ACCESS_KEY, Table.DATA):
        for sub, _ in list(world.scan(table, run.account_id)):
            world.put(Key(table, run.account_id, sub), None)
    world.set_account(run.account_id, None)
    run.account = None
    run.actor_id = run.receipt.predecessor_id
