"""
What goes back after a receipt ran, and what is burnt.

Gas is bought at the purchase price, when the receipt is made, and burnt at the block's price; the rest of the money goes back,
less what making an account costs. Source: nearcore `lib.rs` (`refund_unspent_gas_and_deposits`), protocol 85 and later.
"""

from localnet.runtime.fees import ACCOUNT_CREATION_CHARGE_YOCTO, GAS_PRICE_YOCTO, total_deposit
from localnet.runtime.run import Run, refund_receipt


def settle(run: Run, *, failed: bool, created_account: bool) -> int:
    """Append the refunds to the run's new receipts; gives the yoctoNEAR that are burnt."""
    receipt = run.receipt
    if run.is_refund:
        # A refund is free; one that nobody can receive is burnt.
        return total_deposit(receipt.actions) if failed else 0
    fees = run.environment.fees
    burn_price = min(receipt.gas_price_yocto, GAS_PRICE_YOCTO)
    unspent = fees.bought(receipt) - (run.gas_burnt if failed else run.gas_used)
    surplus = (receipt.gas_price_yocto - burn_price) * run.gas_burnt
    charge = 0
    if created_account:
        charge = min(max(0, ACCOUNT_CREATION_CHARGE_YOCTO - burn_price * fees.create_account_execution), surplus)
    gas_refund = receipt.gas_price_yocto * unspent + surplus - charge
    deposit_refund = total_deposit(receipt.actions) if failed else 0
    if deposit_refund > 0:
        run.new_receipts.append(refund_receipt(run, receipt.refund_to or receipt.predecessor_id, deposit_refund))
    if gas_refund > 0:
        run.new_receipts.append(
            refund_receipt(run, receipt.signer_id, gas_refund, signer_id=receipt.signer_id, key=receipt.signer_public_key)
        )
    return burn_price * run.gas_burnt + charge
