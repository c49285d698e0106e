"""Actions on access keys. Source: nearcore `runtime/src/access_keys.rs`."""

from dataclasses import replace

from localnet.runtime.account_actions import new_key_nonce
from localnet.runtime.run import ActionFailed, Run
from localnet.runtime.storage import access_key_bytes
from localnet.values.actions import AddKey
from localnet.values.keys import PublicKey


def add_key(run: Run, action: AddKey) -> None:
    """Give the account a key; its nonce begins where the chain says, whatever the action says."""
    account, public_key = run.existing_account(), action.public_key
    if run.world.access_key(run.account_id, public_key) is not None:
        raise ActionFailed("AddKeyAlreadyExists", account_id=run.account_id, public_key=str(public_key))
    key = replace(action.access_key, nonce=new_key_nonce(run.environment.height))
    run.world.set_access_key(run.account_id, public_key, key)
    usage = account.storage_usage_bytes + access_key_bytes(key, run.environment.parameters)
    run.account = replace(account, storage_usage_bytes=usage)


def delete_key(run: Run, public_key: PublicKey) -> None:
    """Take a key from the account."""
    account = run.existing_account()
    key = run.world.access_key(run.account_id, public_key)
    if key is None:
        raise ActionFailed("DeleteKeyDoesNotExist", account_id=run.account_id, public_key=str(public_key))
    run.world.set_access_key(run.account_id, public_key, None)
    usage = max(0, account.storage_usage_bytes - access_key_bytes(key, run.environment.parameters))
    run.account = replace(account, storage_usage_bytes=usage)
