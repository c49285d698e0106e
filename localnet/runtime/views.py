"""View calls: a contract's method on the latest state, which it cannot change."""

import json
from dataclasses import dataclass
from typing import Any

from localnet.runtime.contract_actions import AccountState
from localnet.runtime.environment import Environment
from localnet.state.world import World
from localnet.values.errors import UnknownAccount, ViewFailed
from localnet.values.hashes import CryptoHash
from localnet.vm.errors import CodeDoesNotExist
from localnet.vm.values import CallContext

_NO_KEY = bytes(33)


@dataclass(frozen=True, slots=True)
class ViewResult:
    """What a view call gave, and the block whose state it saw."""

    value: bytes
    logs: tuple[str, ...]
    gas_burnt: int
    block_height: int
    block_hash: CryptoHash

    def json(self) -> Any:
        """The value, read as JSON. Raises `ValueError` when it is none."""
        return json.loads(self.value)


def view(world: World, environment: Environment, account_id: str, method_name: str, args: bytes) -> ViewResult:
    """
    Call a method.

    Raises:
        UnknownAccount: there is no such account.
        ViewFailed: the account has no contract, the contract no such method, or the method failed.
    """
    account, code = world.account(account_id), world.code(account_id)
    if account is None:
        raise UnknownAccount(account_id)
    if code is None:
        raise ViewFailed(CodeDoesNotExist(account_id).view_text, logs=())
    header = environment.header
    context = CallContext(
        current_account_id=account_id,
        signer_account_id=account_id,
        signer_public_key=_NO_KEY,
        predecessor_account_id=account_id,
        refund_to_account_id=account_id,
        input=args,
        promise_results=(),
        block_height=header.height,
        block_timestamp_ns=header.timestamp_ns,
        epoch_height=header.epoch_height,
        account_balance_yocto=account.amount_yocto,
        account_locked_yocto=account.locked_yocto,
        storage_usage_bytes=account.storage_usage_bytes,
        attached_deposit_yocto=0,
        prepaid_gas=environment.parameters.limits.max_gas_burnt_view,
        random_seed=header.random_value,
        action_hash=header.hash,
        chain_id=environment.chain_id,
        output_data_receivers=(),
        is_view=True,
    )
    outcome = environment.machine.run(code, method_name, context, AccountState(world, account_id), code_hash=account.code_hash)
    if outcome.error is not None:
        raise ViewFailed(outcome.error.view_text, logs=outcome.logs)
    value = outcome.return_data if isinstance(outcome.return_data, bytes) else b""
    return ViewResult(value, outcome.logs, outcome.burnt_gas, header.height, header.hash)
