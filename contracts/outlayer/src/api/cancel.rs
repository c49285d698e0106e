//! Requests that end without an answer: by who made them, after the deadline, or by the owner.

use near_sdk::{env, near};

use crate::error::{AnswerError, OwnerError};
use crate::outcome::{End, Status};
use crate::request::Request;
use crate::storage::{id_key, REQUESTS};
use crate::{Outlayer, OutlayerExt};

/// Each cancelled request sends a refund and a resume; this many fit a transaction of 300 Tgas.
pub const MAX_CANCELLED_AT_ONCE: usize = 20;

#[near]
impl Outlayer {
    /// Gives the whole payment back after the request's deadline; only for who made the request.
    #[handle_result]
    pub fn cancel_stale_execution(&mut self, request_id: u64) -> Result<(), AnswerError> {
        let request = REQUESTS.get(&id_key(request_id)).ok_or(AnswerError::NotPending(request_id))?;
        let caller = env::predecessor_account_id();
        if caller != request.predecessor_id {
            return Err(AnswerError::NotRequester { request_id, caller, requester: request.predecessor_id });
        }
        let (now_ns, deadline_ns) = (env::block_timestamp(), request.deadline_ns());
        if now_ns < deadline_ns {
            return Err(AnswerError::NotStale { request_id, deadline_ns, now_ns });
        }
        self.cancel(request_id, &request, "cancelled after its deadline by who made it");
        Ok(())
    }

    /// Owner: gives the whole payment of a request back at once.
    #[handle_result]
    pub fn emergency_cancel_execution(&mut self, request_id: u64) -> Result<(), OwnerError> {
        self.assert_owner()?;
        let request = REQUESTS.get(&id_key(request_id)).ok_or(AnswerError::NotPending(request_id))?;
        self.cancel(request_id, &request, "cancelled by the owner");
        Ok(())
    }

    /// Owner: the same for several; those that are not pending are passed over. Returns how many were cancelled.
    #[handle_result]
    pub fn cancel_pending_requests(&mut self, request_ids: Vec<u64>) -> Result<u64, OwnerError> {
        self.assert_owner()?;
        if request_ids.len() > MAX_CANCELLED_AT_ONCE {
            return Err(OwnerError::TooManyToCancel { count: request_ids.len(), max: MAX_CANCELLED_AT_ONCE });
        }
        let mut cancelled = 0;
        for request_id in request_ids {
            if let Some(request) = REQUESTS.get(&id_key(request_id)) {
                self.cancel(request_id, &request, "cancelled by the owner");
                cancelled += 1;
            }
        }
        Ok(cancelled)
    }
}

impl Outlayer {
    /// The callback finds no request and returns null, so that the caller hears. A yield that is over by itself has its callback on the way.
    fn cancel(&mut self, request_id: u64, request: &Request, reason: &str) {
        self.settle(request_id, request, &End::without_run(Status::Cancelled, reason));
        env::promise_yield_resume(&request.data_id, []);
    }
}
