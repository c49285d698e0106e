"""What an account's records take of the state, and what the account must hold for it."""

from localnet.parameters import Parameters
from localnet.state.tables import Account
from localnet.values.action_codec import write_access_key
from localnet.values.actions import AccessKey
from localnet.values.borsh import Writer

_PUBLIC_KEY_BYTES = 33


def missing_for_storage(account: Account, parameters: Parameters) -> int:
    """YoctoNEAR that the account lacks for its storage; 0 when it has enough, or needs none because it is small."""
    if account.storage_usage_bytes <= parameters.zero_balance_account_storage_limit:
        return 0
    return max(0, account.storage_usage_bytes * parameters.storage_amount_per_byte - account.amount_yocto - account.locked_yocto)


def access_key_bytes(access_key: AccessKey, parameters: Parameters) -> int:
    """What a key takes: itself, its record, and what every record takes."""
    out = Writer()
    write_access_key(out, access_key)
    return _PUBLIC_KEY_BYTES + len(out.done()) + parameters.num_extra_bytes_record
