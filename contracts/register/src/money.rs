//! Deposits for storage: who causes bytes to be kept pays for them, and has the same sum back when they go.

use near_sdk::{env, AccountId, NearToken, Promise};

use crate::error::DepositError;

/// Sends yoctoNEAR. A transfer that fails (the account is gone) leaves the sum on this account.
pub fn pay(account_id: &AccountId, amount: u128) {
    if amount > 0 {
        Promise::new(account_id.clone()).transfer(NearToken::from_yoctonear(amount)).detach();
    }
}

/// The deposits of one call, settled once at its end.
pub struct Till {
    payer: AccountId,
    attached: u128,
    due: u128,
    back: u128,
}

impl Till {
    /// For the caller and what the caller attached.
    pub fn open() -> Self {
        Self { payer: env::predecessor_account_id(), attached: env::attached_deposit().as_yoctonear(), due: 0, back: 0 }
    }

    pub fn payer(&self) -> &AccountId {
        &self.payer
    }

    pub fn charge(&mut self, amount: u128) {
        self.due += amount;
    }

    /// A deposit that is no longer needed goes to who paid it.
    pub fn give_back(&mut self, account_id: &AccountId, amount: u128) {
        if *account_id == self.payer {
            self.back += amount;
        } else {
            pay(account_id, amount);
        }
    }

    /// Takes what is due out of what is attached and sends the rest back.
    pub fn settle(self) -> Result<(), DepositError> {
        let rest = rest(self.attached, self.back, self.due)?;
        pay(&self.payer, rest);
        Ok(())
    }
}

fn rest(attached: u128, back: u128, due: u128) -> Result<u128, DepositError> {
    (attached + back).checked_sub(due).ok_or(DepositError::TooLittle { attached, needed: due.saturating_sub(back) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_attached_or_freed_beyond_what_is_due_goes_back() {
        assert_eq!(rest(10, 0, 4), Ok(6));
        assert_eq!(rest(0, 10, 4), Ok(6));
        assert_eq!(rest(3, 1, 4), Ok(0));
    }

    #[test]
    fn too_little_is_refused_with_the_sum_to_attach() {
        assert_eq!(rest(2, 1, 4), Err(DepositError::TooLittle { attached: 2, needed: 3 }));
    }
}
