//! What the chain calls back: the yield, answered or timed out, and transfers, delivered or not. Nothing here may panic.

use near_sdk::borsh::BorshDeserialize;
use near_sdk::json_types::U128;
use near_sdk::{env, near, AccountId, Gas};

use crate::api::requests;
use crate::events::Extended;
use crate::outcome::{End, Status};
use crate::output::{Resumed, MAX_RESUME_BYTES};
use crate::request::Request;
use crate::storage::{id_key, CLAIMS, OUTPUTS, REQUESTS};
use crate::{gas, Outlayer, OutlayerExt};

const TIMED_OUT: &str = "timed out: no answer came within the 200 blocks of the yield";

#[near]
impl Outlayer {
    /// The end of a yield. The caller's callback receives the output, or null; a request that is gone (cancelled) gives null.
    #[private]
    pub fn on_execution_response(&mut self, request_id: u64) {
        let Some(request) = REQUESTS.get(&id_key(request_id)) else {
            return env::value_return(b"null");
        };
        // Resumes are made by this contract alone, within the bound; nothing else can be read as one.
        let resumed = env::promise_result_checked(0, MAX_RESUME_BYTES).ok();
        match resumed.and_then(|bytes| Resumed::try_from_slice(&bytes).ok()) {
            Some(resumed) => {
                let output = self.settle_answer(request_id, &request, resumed);
                env::value_return(output.as_deref().unwrap_or(b"null"));
            }
            None if may_wait_on(&request) => self.wait_on(request_id, request),
            None => {
                self.settle(request_id, &request, &End::without_run(Status::TimedOut, TIMED_OUT));
                env::value_return(b"null");
            }
        }
    }

    /// The end of a transfer: one that failed has come back, and is kept as a claim.
    #[private]
    pub fn on_refund(account_id: AccountId, amount: U128) {
        const NOTHING: usize = 0;
        if env::promise_result_checked(0, NOTHING).is_ok() {
            return;
        }
        let Some(mut contract) = env::state_read::<Outlayer>() else { return };
        contract.ledger.claims += amount.0;
        let kept = CLAIMS.get(account_id.as_bytes()).unwrap_or(0);
        CLAIMS.put(account_id.as_bytes(), &(kept + amount.0));
        env::state_write(&contract);
    }
}

impl Outlayer {
    /// Settles an answered request and returns what the caller receives.
    pub(crate) fn settle_answer(&mut self, request_id: u64, request: &Request, resumed: Resumed) -> Option<Vec<u8>> {
        let wants_output = resumed.success && request.limits.is_some();
        let output = match resumed.output_json {
            Some(json) => Some(json),
            None if wants_output => OUTPUTS.take(&id_key(request_id)).map(|stored| stored.json),
            None => None,
        };
        let end = End {
            status: if resumed.success { Status::Succeeded } else { Status::Failed },
            metrics: resumed.metrics,
            error: resumed.error,
            compilation_note: resumed.compilation_note,
            receipt_sha256: resumed.receipt_sha256,
        };
        self.settle(request_id, request, &end);
        output
    }

    /// Yields again in the place of the yield that timed out: whoever waits for that one now waits for this.
    fn wait_on(&mut self, request_id: u64, mut request: Request) {
        let promise = requests::yield_again(&format!(r#"{{"request_id":{request_id}}}"#), request.settlement_gas());
        request.data_id = requests::data_id();
        request.progress_announced = false;
        REQUESTS.put(&id_key(request_id), &request);
        self.emit_extended(&Extended {
            request_id,
            data_id: request.data_id,
            deadline: request.deadline_ns(),
            timestamp: env::block_timestamp(),
        });
        env::promise_return(promise);
    }
}

/// The worker has said that work goes on, the deadline has not passed, and the next callback will have gas for any answer.
fn may_wait_on(request: &Request) -> bool {
    let left = Gas::from_gas(env::prepaid_gas().as_gas().saturating_sub(env::used_gas().as_gas()));
    request.progress_announced && env::block_timestamp() < request.deadline_ns() && gas::can_yield_again(left, request.settlement_gas())
}
