//! Views. Every listing is paged.

use kit::storage::storage_cost;
use near_sdk::json_types::U128;
use near_sdk::{env, near, AccountId};

use crate::limits::{Limits, ResourceLimits, MAX_COMPILE_SECONDS};
use crate::outcome::OutcomeView;
use crate::output::ExecutionOutput;
use crate::request::RequestView;
use crate::storage::{id_key, INPUTS, OUTCOMES, OUTPUTS, REQUESTS};
use crate::{gas, Outlayer, OutlayerExt};

const DEFAULT_PAGE: u64 = 100;
const MAX_PAGE: u64 = 500;

/// How many items a listing gives when `asked` for.
pub fn page_size(asked: Option<u64>) -> u64 {
    asked.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE)
}

/// What the contract holds and owes, in yoctoNEAR: `balance` is never below `required`.
#[near(serializers = [json])]
pub struct Balances {
    pub balance: U128,
    pub required: U128,
    pub pending_payments: U128,
    pub claims: U128,
    pub storage_stake: U128,
    pub fees_withdrawable: U128,
    pub pending_count: u32,
}

#[near]
impl Outlayer {
    /// A pending request, its input included; null when it is unknown or settled.
    pub fn get_request(&self, request_id: u64) -> Option<RequestView> {
        let key = id_key(request_id);
        let request = REQUESTS.get(&key)?;
        let input = INPUTS.get(&key).unwrap_or_default();
        Some(request.view(request_id, input, OUTPUTS.has(&key)))
    }

    /// How a request ended; null while it is pending, when it is unknown, and some time after 10,000 blocks.
    pub fn get_outcome(&self, request_id: u64) -> Option<OutcomeView> {
        OUTCOMES.get(&id_key(request_id)).map(|outcome| outcome.view(request_id))
    }

    /// Ids that wait for an answer. Their order changes when one is settled: who needs all of them asks again until a round finds none new.
    pub fn get_pending_request_ids(&self, from_index: Option<u64>, limit: Option<u64>) -> Vec<u64> {
        let page = self.pending_ids().page(from_index.unwrap_or(0), page_size(limit));
        page.into_iter().filter_map(|key| key.try_into().ok()).map(u64::from_be_bytes).collect()
    }

    /// An output that was submitted and not yet handed on.
    pub fn get_pending_output(&self, request_id: u64) -> Option<ExecutionOutput> {
        OUTPUTS.get(&id_key(request_id)).and_then(|stored| stored.decode())
    }

    pub fn has_pending_output(&self, request_id: u64) -> bool {
        OUTPUTS.has(&id_key(request_id))
    }

    /// Requests settled with or without success, and fees ever charged.
    pub fn get_stats(&self) -> (u64, U128) {
        (self.total_executions, self.ledger.fees_collected.into())
    }

    /// Base fee, fee a million instructions, a ms of running, a ms of compiling; in yoctoNEAR.
    pub fn get_pricing(&self) -> (U128, U128, U128, U128) {
        let pricing = &self.pricing;
        (pricing.base_fee.into(), pricing.per_million_instructions_fee.into(), pricing.per_ms_fee.into(), pricing.per_compile_ms_fee.into())
    }

    /// Owner and operator.
    pub fn get_config(&self) -> (AccountId, AccountId) {
        (self.owner_id.clone(), self.operator_id.clone())
    }

    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// The payment that these limits need; left out, that of the default limits.
    pub fn estimate_execution_cost(&self, resource_limits: Option<ResourceLimits>) -> U128 {
        let limits = Limits::of(&resource_limits.unwrap_or_default());
        self.pricing.estimate(Some(&limits)).into()
    }

    /// Instructions, seconds of running, seconds of compiling.
    pub fn get_max_limits(&self) -> (u64, u64, u64) {
        (self.caps.max_instructions, self.caps.max_execution_seconds, MAX_COMPILE_SECONDS)
    }

    /// The least gas to attach to `request_execution` with an input of this length.
    pub fn get_minimum_gas(&self, input_bytes: Option<u64>) -> u64 {
        gas::least_for_request(input_bytes.unwrap_or(0)).as_gas()
    }

    /// Standard and version of the events.
    pub fn get_event_metadata(&self) -> (String, String) {
        (self.event_standard.clone(), self.event_version.clone())
    }

    /// What the contract holds and owes.
    pub fn get_balances(&self) -> Balances {
        Balances {
            balance: env::account_balance().as_yoctonear().into(),
            required: self.required_balance().into(),
            pending_payments: self.ledger.pending_payments.into(),
            claims: self.ledger.claims.into(),
            storage_stake: storage_cost(env::storage_usage()).into(),
            fees_withdrawable: self.withdrawable_fees().into(),
            pending_count: self.pending_count,
        }
    }
}
