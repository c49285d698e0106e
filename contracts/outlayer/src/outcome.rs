//! How a request ended: told for at least 10,000 blocks afterwards, then dropped two at a time.

use kit::text::{shorten, to_hex};
use near_sdk::json_types::U128;
use near_sdk::near;

/// What a run has used, as the operator reports it.
#[near(serializers = [borsh, json])]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ResourceMetrics {
    pub instructions: u64,
    pub time_ms: u64,
    pub compile_time_ms: Option<u64>,
}

/// Variants are appended, never reordered: they are stored.
#[near(serializers = [borsh, json])]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Status {
    Succeeded,
    Failed,
    TimedOut,
    Cancelled,
}

/// The end of a request, as the code that settles it knows it.
pub struct End {
    pub status: Status,
    pub metrics: ResourceMetrics,
    pub error: Option<String>,
    pub compilation_note: Option<String>,
    pub receipt_sha256: Option<[u8; 32]>,
}

impl End {
    /// An end without a run.
    pub fn without_run(status: Status, error: &str) -> Self {
        Self { status, metrics: ResourceMetrics::default(), error: Some(error.to_string()), compilation_note: None, receipt_sha256: None }
    }
}

/// An end as it is kept.
#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub status: Status,
    pub metrics: ResourceMetrics,
    pub error: Option<String>,
    pub charged: u128,
    pub refunded: u128,
    pub receipt_sha256: Option<[u8; 32]>,
    pub block_height: u64,
    pub timestamp_ns: u64,
}

/// `get_outcome`.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeView {
    pub request_id: u64,
    pub status: Status,
    pub success: bool,
    pub error: Option<String>,
    pub resources_used: ResourceMetrics,
    pub payment_charged: U128,
    pub payment_refunded: U128,
    pub receipt_sha256: Option<String>,
    pub block_height: u64,
    pub timestamp: u64,
}

/// An outcome is kept for this many blocks after the one that settled the request.
pub const KEPT_BLOCKS: u64 = 10_000;

/// Each settled request drops at most this many, so that a burst is worked off and no call pays for all of it.
pub const DROPPED_AT_ONCE: usize = 2;

/// An error is kept up to here; the event tells more of it.
pub const MAX_KEPT_ERROR_BYTES: usize = 256;

impl Outcome {
    pub fn new(end: &End, charged: u128, refunded: u128, block_height: u64, timestamp_ns: u64) -> Self {
        Self {
            status: end.status,
            metrics: end.metrics,
            error: end.error.as_deref().map(|error| shorten(error, MAX_KEPT_ERROR_BYTES)),
            charged,
            refunded,
            receipt_sha256: end.receipt_sha256,
            block_height,
            timestamp_ns,
        }
    }

    pub fn has_expired(&self, block_height: u64) -> bool {
        block_height > self.block_height.saturating_add(KEPT_BLOCKS)
    }

    pub fn view(self, request_id: u64) -> OutcomeView {
        OutcomeView {
            request_id,
            status: self.status,
            success: self.status == Status::Succeeded,
            error: self.error,
            resources_used: self.metrics,
            payment_charged: self.charged.into(),
            payment_refunded: self.refunded.into(),
            receipt_sha256: self.receipt_sha256.map(|hash| to_hex(&hash)),
            block_height: self.block_height,
            timestamp: self.timestamp_ns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::HEADROOM_BYTES;
    use kit::storage::record_bytes;

    fn longest() -> Outcome {
        let end = End {
            metrics: ResourceMetrics { compile_time_ms: Some(1), ..Default::default() },
            receipt_sha256: Some([1; 32]),
            ..End::without_run(Status::Failed, &"x".repeat(1_000))
        };
        Outcome::new(&end, 1, 2, 500, 3)
    }

    #[test]
    fn an_outcome_and_a_claim_fit_the_headroom_of_a_request() {
        assert!(record_bytes(8, &longest()) + record_bytes(64, &0u128) <= HEADROOM_BYTES);
    }

    #[test]
    fn an_outcome_lives_ten_thousand_blocks_and_not_for_ever() {
        assert!(!longest().has_expired(500 + KEPT_BLOCKS));
        assert!(longest().has_expired(501 + KEPT_BLOCKS));
    }
}
