//! What the owner may set.

use near_sdk::json_types::{U128, U64};
use near_sdk::{near, AccountId, NearToken};

use crate::access_key::check_allowance;
use crate::error::{OwnerError, PolicyError};
use crate::events::Event;
use crate::policy::{PolicyChange, PolicyView};
use crate::{Register, RegisterExt};

#[near]
impl Register {
    #[handle_result]
    pub fn set_owner(&mut self, new_owner_id: AccountId) -> Result<(), OwnerError> {
        self.assert_owner()?;
        self.owner_id = new_owner_id;
        Ok(())
    }

    /// The only account that may register from now on; null lets everybody.
    #[handle_result]
    pub fn set_init_worker_account(&mut self, init_worker_account: Option<AccountId>) -> Result<(), OwnerError> {
        self.assert_owner()?;
        self.init_worker_account = init_worker_account;
        Ok(())
    }

    /// What each key may spend on gas, in yoctoNEAR; keys that are on the account get it when they renew.
    #[handle_result]
    pub fn set_key_allowance(&mut self, allowance: U128) -> Result<(), OwnerError> {
        self.assert_owner()?;
        self.key_allowance = check_allowance(NearToken::from_yoctonear(allowance.0))?;
        Ok(())
    }

    /// Changes what is named. Registered workers stay until they expire or are revoked. Returns the policy as it is now.
    #[handle_result]
    #[allow(clippy::too_many_arguments)] // one argument is one field of the JSON that the owner sends
    pub fn set_policy(
        &mut self,
        accepted_tcb_statuses: Option<Vec<String>>,
        accepted_advisories: Option<Vec<String>>,
        min_tcb_evaluation_data_number: Option<u32>,
        max_tcb_evaluation_data_number: Option<u32>,
        registration_lifetime_seconds: Option<U64>,
        max_collateral_age_seconds: Option<U64>,
    ) -> Result<PolicyView, PolicyError> {
        self.assert_owner()?;
        self.policy = self.policy.with(PolicyChange {
            accepted_tcb_statuses,
            accepted_advisories,
            min_tcb_evaluation_number: min_tcb_evaluation_data_number,
            max_tcb_evaluation_number: max_tcb_evaluation_data_number,
            lifetime_s: registration_lifetime_seconds.map(u64::from),
            max_collateral_age_s: max_collateral_age_seconds.map(u64::from),
        })?;
        let view = self.policy.view();
        Event::PolicySet([view.clone()]).emit();
        Ok(view)
    }

    pub fn get_policy(&self) -> PolicyView {
        self.policy.view()
    }

    /// In yoctoNEAR.
    pub fn get_key_allowance(&self) -> U128 {
        self.key_allowance.as_yoctonear().into()
    }
}
