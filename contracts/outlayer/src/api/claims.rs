//! Refunds that could not be delivered.

use near_sdk::json_types::U128;
use near_sdk::{env, near, AccountId};

use crate::error::AnswerError;
use crate::storage::CLAIMS;
use crate::{money, Outlayer, OutlayerExt};

#[near]
impl Outlayer {
    /// Sends the caller what was kept for it. Returns the amount.
    #[handle_result]
    pub fn claim_refund(&mut self) -> Result<U128, AnswerError> {
        let account_id = env::predecessor_account_id();
        let Some(amount) = CLAIMS.take(account_id.as_bytes()) else {
            return Err(AnswerError::NothingToClaim(account_id));
        };
        self.ledger.claims -= amount;
        money::pay(&account_id, amount);
        Ok(amount.into())
    }

    /// What is kept for an account, in yoctoNEAR.
    pub fn get_claim(&self, account_id: AccountId) -> U128 {
        CLAIMS.get(account_id.as_bytes()).unwrap_or(0).into()
    }
}
