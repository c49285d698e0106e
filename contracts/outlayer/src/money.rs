//! Money out, and deposits for storage.

use near_sdk::json_types::U128;
use near_sdk::serde::Serialize;
use near_sdk::{env, AccountId, NearToken, Promise};

use crate::error::DepositError;
use crate::gas;

#[derive(Serialize)]
#[serde(crate = "near_sdk::serde")]
struct OnRefund<'a> {
    account_id: &'a AccountId,
    amount: U128,
}

/// Sends yoctoNEAR; a transfer that fails comes back and becomes a claim (`on_refund`).
pub fn pay(account_id: &AccountId, amount: u128) {
    if amount == 0 {
        return;
    }
    let args = serde_json::to_vec(&OnRefund { account_id, amount: amount.into() }).unwrap_or_default();
    let callback = Promise::new(env::current_account_id()).function_call("on_refund".to_string(), args, NearToken::ZERO, gas::ON_REFUND);
    Promise::new(account_id.clone()).transfer(NearToken::from_yoctonear(amount)).then(callback).detach();
}

/// Takes the deposit for the bytes written since `bytes_before` out of what is attached, or gives back that of bytes freed; the rest of
/// what is attached goes back too. So deposits held are always the stake of the bytes they were paid for.
pub fn settle_storage(bytes_before: u64, payer: &AccountId) -> Result<(), DepositError> {
    let attached = env::attached_deposit().as_yoctonear();
    let back = storage_change(bytes_before, env::storage_usage(), attached, env::storage_byte_cost().as_yoctonear())?;
    pay(payer, back);
    Ok(())
}

/// What goes back of `attached` when storage has changed.
fn storage_change(before: u64, after: u64, attached: u128, yocto_a_byte: u128) -> Result<u128, DepositError> {
    if after <= before {
        return Ok(attached + u128::from(before - after) * yocto_a_byte);
    }
    let bytes = after - before;
    let needed = u128::from(bytes) * yocto_a_byte;
    attached.checked_sub(needed).ok_or(DepositError::TooLittle { attached, needed, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_attached_beyond_the_bytes_goes_back() {
        assert_eq!(storage_change(100, 110, 25, 2), Ok(5));
        assert_eq!(storage_change(100, 100, 25, 2), Ok(25));
    }

    #[test]
    fn freed_bytes_are_paid_back() {
        assert_eq!(storage_change(110, 100, 3, 2), Ok(23));
    }

    #[test]
    fn too_little_is_refused_with_both_figures() {
        assert_eq!(storage_change(100, 110, 19, 2), Err(DepositError::TooLittle { attached: 19, needed: 20, bytes: 10 }));
    }
}
