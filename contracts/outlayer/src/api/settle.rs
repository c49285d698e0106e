//! The one place where a request ends: its record goes, the ledger closes, the outcome is kept, the event is told, the rest goes back.

use near_sdk::env;

use crate::events::Completed;
use crate::ledger::Bill;
use crate::money;
use crate::outcome::{End, Outcome, Status, DROPPED_AT_ONCE};
use crate::request::Request;
use crate::storage::{id_key, INPUTS, OUTCOMES, OUTPUTS, REQUESTS};
use crate::Outlayer;

impl Outlayer {
    /// Ends a request that is pending.
    pub(crate) fn settle(&mut self, request_id: u64, request: &Request, end: &End) -> Bill {
        self.forget(request_id, request);
        let bill = self.ledger.close(request.payment, request.storage_deposit, charge(request, end));
        if end.status != Status::Cancelled {
            self.total_executions += 1;
        }
        self.drop_expired_outcomes();
        let outcome = Outcome::new(end, bill.charged, bill.refunded, env::block_height(), env::block_timestamp());
        OUTCOMES.put(&id_key(request_id), &outcome);
        self.emit_completed(&Completed {
            request_id,
            sender_id: &request.signer_id,
            code_source: &request.source,
            resources_used: end.metrics,
            success: end.status == Status::Succeeded,
            error_message: end.error.as_deref(),
            payment_charged: bill.charged.into(),
            payment_refunded: bill.refunded.into(),
            compilation_note: end.compilation_note.as_deref(),
            timestamp: env::block_timestamp(),
        });
        money::pay(&request.payer_id, bill.refunded);
        bill
    }

    fn forget(&mut self, request_id: u64, request: &Request) {
        REQUESTS.remove(&id_key(request_id));
        if request.input_bytes > 0 {
            INPUTS.remove(&id_key(request_id));
        }
        OUTPUTS.remove(&id_key(request_id));
        let mut pending = self.pending_ids();
        pending.remove(&id_key(request_id));
        self.pending_count = pending.len();
    }

    /// Ids below `oldest_outcome_id` are gone, those above have an outcome or are pending: a pending one holds the others until it ends.
    fn drop_expired_outcomes(&mut self) {
        for _ in 0..DROPPED_AT_ONCE {
            let key = id_key(self.oldest_outcome_id);
            match OUTCOMES.get(&key) {
                Some(outcome) if outcome.has_expired(env::block_height()) => OUTCOMES.remove(&key),
                _ => return,
            };
            self.oldest_outcome_id += 1;
        }
    }
}

/// Success is billed by what was used, failure and time-out by the base fee, a cancel not at all.
fn charge(request: &Request, end: &End) -> u128 {
    match end.status {
        Status::Succeeded => request.pricing.charge(&end.metrics, request.limits.as_ref(), request.payment),
        Status::Failed | Status::TimedOut => request.pricing.base_fee,
        Status::Cancelled => 0,
    }
}
