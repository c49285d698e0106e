//! The main contract: a request with a deposit comes in, its promise yields, the operator answers, the promise resumes, what was not used goes back.
//!
//! Rules this crate keeps:
//! - The balance always covers pending payments, claims and the storage stake (`ledger.rs`); a request that would break that is refused.
//! - Every request is settled exactly once: whoever removes its record settles it, and the record goes before any money does.
//! - The callback of the yield never panics: that would undo the refund.
//! - No entry point's gas grows with the number of past requests.

mod api;
mod error;
mod events;
mod gas;
mod ledger;
mod limits;
mod money;
mod outcome;
mod output;
mod pricing;
mod projects;
mod request;
mod secrets;
mod source;
mod storage;
#[cfg(test)]
mod tests;
mod text;
#[cfg(test)]
mod world;

use kit::text::shorten;
use near_sdk::{near, AccountId, FunctionError, PanicOnDefault};

use error::OwnerError;
use ledger::Ledger;
use limits::Caps;
use pricing::Pricing;

/// What `get_version` tells without arguments.
pub const CONTRACT_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Layout of the state below; `migrate` reads every layout up to this one.
pub const STATE_VERSION: u16 = 1;

#[near(contract_state)]
#[derive(PanicOnDefault)]
pub struct Outlayer {
    /// First, so that `migrate` can tell the layout before it reads the rest.
    state_version: u16,
    owner_id: AccountId,
    operator_id: AccountId,
    paused: bool,
    event_standard: String,
    event_version: String,
    pricing: Pricing,
    caps: Caps,
    ledger: Ledger,
    next_request_id: u64,
    /// How many requests wait; the length of the roster of their ids.
    pending_count: u32,
    total_executions: u64,
    /// The lowest request id whose outcome may still be kept; all below have expired.
    oldest_outcome_id: u64,
    next_project_number: u64,
}

#[near]
impl Outlayer {
    /// The operator answers requests and is the owner unless named; standard and version are those of the events.
    #[init]
    pub fn new(owner_id: AccountId, operator_id: Option<AccountId>, event_standard: Option<String>, event_version: Option<String>) -> Self {
        let event_standard = event_standard.unwrap_or_else(|| events::DEFAULT_STANDARD.to_string());
        let event_version = event_version.unwrap_or_else(|| events::DEFAULT_VERSION.to_string());
        for label in [&event_standard, &event_version] {
            if !text::is_label(label, events::MAX_LABEL_BYTES) {
                OwnerError::EventLabel { value: shorten(label, 80) }.panic()
            }
        }
        Self {
            state_version: STATE_VERSION,
            operator_id: operator_id.unwrap_or_else(|| owner_id.clone()),
            owner_id,
            paused: false,
            event_standard,
            event_version,
            pricing: Pricing::DEFAULT,
            caps: Caps::DEFAULT,
            ledger: Ledger::default(),
            next_request_id: 0,
            pending_count: 0,
            total_executions: 0,
            oldest_outcome_id: 0,
            next_project_number: 0,
        }
    }
}

impl Outlayer {
    fn assert_owner(&self) -> Result<(), OwnerError> {
        Ok(kit::owner::check(&self.owner_id)?)
    }

    fn assert_running(&self) -> Result<(), OwnerError> {
        if self.paused {
            return Err(OwnerError::Paused);
        }
        Ok(())
    }
}
