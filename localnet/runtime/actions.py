"""One action of a receipt: may it run, and then run it. Source: nearcore `lib.rs` (`apply_action`), `actions.rs` (checks)."""

from typing import assert_never

from localnet.runtime import account_actions, contract_actions, delegate, key_actions
from localnet.runtime.run import ActionFailed, Run
from localnet.values import account_id as ids
from localnet.values.actions import (
    Action,
    AddKey,
    CreateAccount,
    Delegate,
    DeleteAccount,
    DeleteKey,
    DeployContract,
    FunctionCall,
    Stake,
    Transfer,
)


def apply_action(run: Run, action: Action, index: int) -> None:
    """
    Run one action; its execution fee is burnt whether it succeeds or not.

    Raises:
        ActionFailed: the receipt fails here.
    """
    fee = run.environment.fees.execution(action, run.account_id)
    run.gas_burnt += fee
    run.gas_used += fee
    run.result = b""
    _check_existence(run, action)
    _check_actor(run, action)
    _perform(run, action, index)


def _check_existence(run: Run, action: Action) -> None:
    account_id, exists = run.account_id, run.account is not None
    match action:
        case CreateAccount():
            if exists:
                raise ActionFailed("AccountAlreadyExists", account_id=account_id)
            if ids.is_implicit(account_id):
                raise ActionFailed("OnlyImplicitAccountCreationAllowed", account_id=account_id)
        case Transfer() if not exists:
            may_be_made = ids.is_universal(account_id) or (len(run.receipt.actions) == 1 and ids.is_implicit(account_id))
            if not may_be_made or run.is_refund:
                raise ActionFailed("AccountDoesNotExist", account_id=account_id)
        case _ if not exists:
            raise ActionFailed("AccountDoesNotExist", account_id=account_id)


def _check_actor(run: Run, action: Action) -> None:
    if not isinstance(action, DeployContract | Stake | AddKey | DeleteKey | DeleteAccount):
        return
    if run.actor_id != run.account_id:
        raise ActionFailed("ActorNoPermission", account_id=run.account_id, actor_id=run.actor_id)
    if isinstance(action, DeleteAccount) and run.existing_account().locked_yocto != 0:
        raise ActionFailed("DeleteAccountStaking", account_id=run.account_id)


def _perform(run: Run, action: Action, index: int) -> None:
    match action:
        case FunctionCall():
            contract_actions.function_call(run, action, index)
        case Transfer(deposit_yocto):
            account_actions.transfer(run, deposit_yocto)
        case CreateAccount():
            account_actions.create_account(run)
        case DeployContract(code):
            contract_actions.deploy_contract(run, code)
        case AddKey():
            key_actions.add_key(run, action)
        case DeleteKey(public_key):
            key_actions.delete_key(run, public_key)
        case DeleteAccount(beneficiary_id):
            account_actions.delete_account(run, beneficiary_id)
        case Stake():
            account_actions.stake(run, action)
        case Delegate():
            delegate.apply(run, action)
        case _:
            assert_never(action)
