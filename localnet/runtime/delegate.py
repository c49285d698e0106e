"""Meta transactions (NEP-366): somebody pays for what another signed. Source: nearcore `actions.rs` (`apply_delegate_action`)."""

from dataclasses import replace

from localnet.runtime.fees import attached_gas
from localnet.runtime.run import ActionFailed, Run
from localnet.runtime.transactions import NONCES_A_BLOCK, forbidden_actions
from localnet.values.action_codec import write_delegate_action
from localnet.values.actions import Delegate, DelegateAction, FunctionCallPermission
from localnet.values.borsh import Writer
from localnet.values.faults import Fault
from localnet.values.hashes import NO_HASH, CryptoHash, hash_of
from localnet.values.receipt import ActionReceipt

_PREFIX = 2**30 + 366
"""NEP-461: keeps the signed bytes apart from those of a transaction."""


def signed_hash(action: DelegateAction) -> CryptoHash:
    """What the sender signs."""
    out = Writer()
    out.u32(_PREFIX)
    write_delegate_action(out, action)
    return hash_of(out.done())


def apply(run: Run, delegate: Delegate) -> None:
    """Send the sender's actions as a receipt of the sender's, paid by the outer transaction's signer."""
    action = delegate.delegate_action
    if not action.public_key.verify(signed_hash(action), delegate.signature):
        raise ActionFailed("DelegateActionInvalidSignature")
    if run.environment.height > action.max_block_height:
        raise ActionFailed("DelegateActionExpired")
    if action.sender_id != run.account_id:
        raise ActionFailed("DelegateActionSenderDoesNotMatchTxReceiver", sender_id=action.sender_id, receiver_id=run.account_id)
    _use_nonce(run, action)
    outer, fees = run.receipt, run.environment.fees
    run.new_receipts.append(
        ActionReceipt(
            receipt_id=NO_HASH,
            predecessor_id=action.sender_id,
            receiver_id=action.receiver_id,
            signer_id=outer.signer_id,
            signer_public_key=outer.signer_public_key,
            gas_price_yocto=outer.gas_price_yocto,
            output_data_receivers=(),
            input_data_ids=(),
            actions=action.actions,
            tx_hash=outer.tx_hash,
        )
    )
    sending = fees.prepaid_send([delegate])
    ahead = fees.new_receipt_execution + fees.prepaid_execution(action.actions, action.receiver_id) + attached_gas(action.actions)
    run.gas_burnt += sending
    run.gas_used += sending + ahead


def _use_nonce(run: Run, action: DelegateAction) -> None:
    key = run.world.access_key(action.sender_id, action.public_key)
    if key is None:
        raise _key_error(Fault("AccessKeyNotFound", {"account_id": action.sender_id, "public_key": str(action.public_key)}))
    if action.nonce <= key.nonce:
        raise ActionFailed("DelegateActionInvalidNonce", delegate_nonce=action.nonce, ak_nonce=key.nonce)
    upper_bound = run.environment.height * NONCES_A_BLOCK
    if action.nonce >= upper_bound:
        raise ActionFailed("DelegateActionNonceTooLarge", delegate_nonce=action.nonce, upper_bound=upper_bound)
    if isinstance(key.permission, FunctionCallPermission):
        fault = forbidden_actions(action.actions, action.receiver_id, key.permission)
        if fault is not None:
            raise _key_error(fault)
    run.world.set_access_key(action.sender_id, action.public_key, replace(key, nonce=action.nonce))


def _key_error(fault: Fault) -> ActionFailed:
    return ActionFailed.of(Fault("DelegateActionAccessKeyError", fault.to_json()))
