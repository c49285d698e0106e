"""Reading a chain: what is in its latest state and in its history."""

from dataclasses import dataclass

from localnet.state.store import Store
from localnet.state.tables import Account, Table
from localnet.state.world import World
from localnet.values.actions import AccessKey
from localnet.values.block import Block
from localnet.values.errors import (
    GarbageCollected,
    NoContractCode,
    UnknownAccessKey,
    UnknownAccount,
    UnknownBlock,
    UnknownReceipt,
)
from localnet.values.hashes import CryptoHash
from localnet.values.header import Header
from localnet.values.keys import PublicKey
from localnet.values.outcome import Outcome
from localnet.values.receipt import Receipt


@dataclass(frozen=True, slots=True)
class AccountKey:
    """One of an account's keys."""

    public_key: PublicKey
    access_key: AccessKey


@dataclass(frozen=True, slots=True)
class ContractCode:
    """An account's contract."""

    code: bytes
    hash: CryptoHash


class StateReading:
    """What may be asked of a chain without changing it."""

    _store: Store

    @property
    def head(self) -> Header:
        """The latest block's header."""
        header = self._store.head()
        assert header is not None
        return header

    def header(self, which: int | bytes) -> Header:
        """A block's header, by height or hash. Raises `UnknownBlock`."""
        header = self._store.header(self._height(which))
        if header is None:
            raise UnknownBlock(which)
        return header

    def block(self, which: int | bytes) -> Block:
        """A block with its contents, by height or hash. Raises `UnknownBlock`."""
        block = self._store.block(self._height(which))
        if block is None:
            raise UnknownBlock(which)
        return block

    def _height(self, which: int | bytes) -> int:
        if isinstance(which, int):
            return which
        height = self._store.height_of(which)
        if height is None:
            raise UnknownBlock(which)
        return height

    def require_latest(self, which: int | bytes) -> Header:
        """
        The header of a block whose state can be read.

        Raises:
            UnknownBlock: there is no such block.
            GarbageCollected: it is not the latest; older states are not kept.
        """
        header = self.header(which)
        if header.height != self.head.height:
            raise GarbageCollected(header.height, self.head.height)
        return header

    def receipt(self, receipt_id: bytes) -> Receipt:
        """A receipt, run or not. Raises `UnknownReceipt`."""
        receipt = self._store.receipt(receipt_id)
        if receipt is None:
            raise UnknownReceipt(receipt_id)
        return receipt

    def outcome(self, receipt_id: bytes) -> Outcome | None:
        """What a receipt led to; None while it has not run."""
        return self._store.outcome(receipt_id)

    def account(self, account_id: str) -> Account:
        """An account's record. Raises `UnknownAccount`."""
        account = World(self._store).account(account_id)
        if account is None:
            raise UnknownAccount(account_id)
        return account

    def access_key(self, account_id: str, public_key: PublicKey) -> AccessKey:
        """What an account allows a key. Raises `UnknownAccount`, `UnknownAccessKey`."""
        self.account(account_id)
        access_key = World(self._store).access_key(account_id, public_key)
        if access_key is None:
            raise UnknownAccessKey(account_id, public_key)
        return access_key

    def access_keys(self, account_id: str) -> tuple[AccountKey, ...]:
        """All keys of an account. Raises `UnknownAccount`."""
        self.account(account_id)
        rows = World(self._store).scan(Table.ACCESS_KEY, account_id)
        return tuple(AccountKey(PublicKey(raw), access_key) for raw, access_key in rows)

    def code(self, account_id: str) -> ContractCode:
        """An account's contract. Raises `UnknownAccount`, `NoContractCode`."""
        account = self.account(account_id)
        code = World(self._store).code(account_id)
        if code is None:
            raise NoContractCode(account_id)
        return ContractCode(code, account.code_hash)

    def contract_state(self, account_id: str, prefix: bytes = b"") -> tuple[tuple[bytes, bytes], ...]:
        """What a contract keeps under keys that begin so, in the order of the keys. Raises `UnknownAccount`."""
        self.account(account_id)
        return tuple(World(self._store).scan(Table.DATA, account_id, prefix))
