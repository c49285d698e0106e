//! What the owner may set, and the fees.

use kit::text::shorten;
use near_sdk::json_types::U128;
use near_sdk::{env, near, AccountId};

use crate::error::OwnerError;
use crate::events::MAX_LABEL_BYTES;
use crate::limits::Caps;
use crate::pricing::Pricing;
use crate::{money, text, Outlayer, OutlayerExt};

#[near]
impl Outlayer {
    #[handle_result]
    pub fn set_owner(&mut self, new_owner_id: AccountId) -> Result<(), OwnerError> {
        self.assert_owner()?;
        self.owner_id = new_owner_id;
        Ok(())
    }

    #[handle_result]
    pub fn set_operator(&mut self, new_operator_id: AccountId) -> Result<(), OwnerError> {
        self.assert_owner()?;
        self.operator_id = new_operator_id;
        Ok(())
    }

    /// While paused nothing new is taken in; answers, cancels and claims go on.
    #[handle_result]
    pub fn set_paused(&mut self, paused: bool) -> Result<(), OwnerError> {
        self.assert_owner()?;
        self.paused = paused;
        Ok(())
    }

    /// Changes the prices that are named, in yoctoNEAR. Pending requests keep theirs.
    #[handle_result]
    pub fn set_pricing(
        &mut self,
        base_fee: Option<U128>,
        per_million_instructions_fee: Option<U128>,
        per_ms_fee: Option<U128>,
        per_compile_ms_fee: Option<U128>,
    ) -> Result<(), OwnerError> {
        self.assert_owner()?;
        if [base_fee, per_million_instructions_fee, per_ms_fee, per_compile_ms_fee].iter().all(Option::is_none) {
            const NAMES: &str = "base_fee, per_million_instructions_fee, per_ms_fee, per_compile_ms_fee";
            return Err(OwnerError::NothingToChange(NAMES));
        }
        let now = self.pricing;
        self.pricing = Pricing {
            base_fee: base_fee.map_or(now.base_fee, |fee| fee.0),
            per_million_instructions_fee: per_million_instructions_fee.map_or(now.per_million_instructions_fee, |fee| fee.0),
            per_ms_fee: per_ms_fee.map_or(now.per_ms_fee, |fee| fee.0),
            per_compile_ms_fee: per_compile_ms_fee.map_or(now.per_compile_ms_fee, |fee| fee.0),
        }
        .guarded()?;
        Ok(())
    }

    /// Changes the caps that are named, up to 500e9 instructions and 180 s.
    #[handle_result]
    pub fn set_max_limits(&mut self, max_instructions: Option<u64>, max_execution_seconds: Option<u64>) -> Result<(), OwnerError> {
        self.assert_owner()?;
        if max_instructions.is_none() && max_execution_seconds.is_none() {
            return Err(OwnerError::NothingToChange("max_instructions, max_execution_seconds"));
        }
        let caps = Caps {
            max_instructions: max_instructions.unwrap_or(self.caps.max_instructions),
            max_execution_seconds: max_execution_seconds.unwrap_or(self.caps.max_execution_seconds),
        };
        self.caps = caps.settable()?;
        Ok(())
    }

    /// Changes how events are labelled; workers that look for another standard no longer see them.
    #[handle_result]
    pub fn set_event_metadata(&mut self, standard: Option<String>, version: Option<String>) -> Result<(), OwnerError> {
        self.assert_owner()?;
        if standard.is_none() && version.is_none() {
            return Err(OwnerError::NothingToChange("standard, version"));
        }
        for label in [&standard, &version].into_iter().flatten() {
            if !text::is_label(label, MAX_LABEL_BYTES) {
                return Err(OwnerError::EventLabel { value: shorten(label, 80) });
            }
        }
        if let Some(standard) = standard {
            self.event_standard = standard;
        }
        if let Some(version) = version {
            self.event_version = version;
        }
        Ok(())
    }

    /// Sends fees to the owner: all that are free, or the amount. Returns what was sent.
    #[handle_result]
    pub fn withdraw_fees(&mut self, amount: Option<U128>) -> Result<U128, OwnerError> {
        self.assert_owner()?;
        let available = self.withdrawable_fees();
        let asked = amount.map_or(available, |amount| amount.0);
        if asked > available {
            return Err(OwnerError::FeesNotFree { asked, available });
        }
        self.ledger.fees_withdrawn += asked;
        money::pay(&self.owner_id, asked);
        Ok(asked.into())
    }
}

impl Outlayer {
    pub(crate) fn withdrawable_fees(&self) -> u128 {
        self.ledger.withdrawable(env::account_balance().as_yoctonear(), self.required_balance())
    }
}
