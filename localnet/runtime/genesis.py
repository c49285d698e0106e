"""What there is before the first transaction."""

from dataclasses import dataclass
from importlib.resources import files

from localnet.parameters import Parameters
from localnet.runtime.storage import access_key_bytes
from localnet.state.tables import Account, Key, Table
from localnet.state.world import World
from localnet.values.actions import AccessKey, FullAccess
from localnet.values.hashes import NO_HASH, hash_of
from localnet.values.keys import PublicKey

ROOT_ACCOUNT_ID = "test.near"
ROOT_BALANCE_YOCTO = 10**9 * 10**24
_OTHER_BALANCE_YOCTO = 1_000 * 10**24


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """An account that the chain begins with."""

    account_id: str
    balance_yocto: int
    public_key: PublicKey
    code: bytes | None
    data: tuple[tuple[bytes, bytes], ...] = ()
    """What the contract keeps already, by key."""


_INITIALISED = ((b"STATE", b""),)
"""What the registrar's `new` leaves: near-sdk keeps a contract's struct under this key, and this one has no fields."""


def default_accounts(root_key: PublicKey) -> tuple[GenesisAccount, ...]:
    """
    The money's owner, and who makes top-level accounts and those under `near`; all three obey the root key.

    Each has the registrar contract, because near-cli asks the parent's `create_account` for a new account.
    """
    registrar = files("localnet").joinpath("contracts", "registrar.wasm").read_bytes()
    return (
        GenesisAccount(ROOT_ACCOUNT_ID, ROOT_BALANCE_YOCTO, root_key, registrar, _INITIALISED),
        GenesisAccount("near", _OTHER_BALANCE_YOCTO, root_key, registrar, _INITIALISED),
        GenesisAccount("registrar", _OTHER_BALANCE_YOCTO, root_key, registrar, _INITIALISED),
    )


def write_genesis(world: World, accounts: tuple[GenesisAccount, ...], parameters: Parameters) -> bytes:
    """Put the accounts into the world; gives bytes that stand for them in the genesis block's hash."""
    parts = []
    for genesis in accounts:
        key = AccessKey(0, FullAccess())
        code = genesis.code or b""
        usage = parameters.num_bytes_account + access_key_bytes(key, parameters) + len(code)
        for data_key, value in genesis.data:
            world.put(Key(Table.DATA, genesis.account_id, data_key), value)
            usage += len(data_key) + len(value) + parameters.num_extra_bytes_record
        code_hash = hash_of(code) if code else NO_HASH
        world.set_account(genesis.account_id, Account(genesis.balance_yocto, 0, usage, code_hash))
        world.set_access_key(genesis.account_id, genesis.public_key, key)
        if code:
            world.put(Key(Table.CODE, genesis.account_id, b""), code)
        parts += [genesis.account_id.encode(), genesis.balance_yocto.to_bytes(16, "little"), genesis.public_key.raw, code_hash]
    world.keep()
    return b"".join(parts)
