//! What the operator brings: answers, outputs too large for a resume, and word that work goes on.

use kit::text::{array_from_hex, shorten};
use near_sdk::{borsh, env, near};

use crate::error::AnswerError;
use crate::outcome::ResourceMetrics;
use crate::output::{self, ExecutionOutput, Resumed, StoredOutput, MAX_ERROR_BYTES, MAX_NOTE_BYTES, MAX_RESUME_BYTES};
use crate::request::Request;
use crate::storage::{id_key, OUTPUTS, REQUESTS};
use crate::{Outlayer, OutlayerExt};

/// `response` as the operator sends it.
#[near(serializers = [json])]
#[derive(Clone, Debug)]
pub struct ExecutionResponse {
    pub success: bool,
    pub output: Option<ExecutionOutput>,
    pub error: Option<String>,
    pub resources_used: ResourceMetrics,
    pub compilation_note: Option<String>,
    /// Accepted and without effect: this contract keeps no stablecoin balances.
    pub refund_usd: Option<u64>,
    /// sha256 of the execution's receipt, 64 hex digits.
    pub receipt_sha256: Option<String>,
}

const REASON_UNKNOWN: &str = "the operator gave no reason";

#[near]
impl Outlayer {
    /// Answers a request; its promise resumes in the next block. A request whose callback has run and failed is settled at once.
    #[handle_result]
    pub fn resolve_execution(&mut self, request_id: u64, response: ExecutionResponse) -> Result<(), AnswerError> {
        let request = self.answerable(request_id)?;
        self.resume(request_id, &request, response)
    }

    /// Stores an output that does not fit a resume; a `resolve_execution` without output follows. Bringing it again replaces it.
    #[handle_result]
    pub fn submit_execution_output(&mut self, request_id: u64, output: ExecutionOutput) -> Result<(), AnswerError> {
        let request = self.answerable(request_id)?;
        self.store_output(request_id, &output::encode(output, request.response_format)?)
    }

    /// Both in one call.
    #[handle_result]
    pub fn submit_execution_output_and_resolve(
        &mut self,
        request_id: u64,
        output: ExecutionOutput,
        success: bool,
        error: Option<String>,
        resources_used: ResourceMetrics,
        compilation_note: Option<String>,
        receipt_sha256: Option<String>,
    ) -> Result<(), AnswerError> {
        let request = self.answerable(request_id)?;
        let output = Some(output);
        let response = ExecutionResponse { success, output, error, resources_used, compilation_note, refund_usd: None, receipt_sha256 };
        self.resume(request_id, &request, response)
    }

    /// Announces that work goes on: should the yield time out before the answer, it is renewed until the request's deadline.
    #[handle_result]
    pub fn extend_execution(&mut self, request_id: u64) -> Result<(), AnswerError> {
        let mut request = self.answerable(request_id)?;
        let (now_ns, deadline_ns) = (env::block_timestamp(), request.deadline_ns());
        if now_ns >= deadline_ns {
            return Err(AnswerError::PastDeadline { request_id, deadline_ns, now_ns });
        }
        request.progress_announced = true;
        REQUESTS.put(&id_key(request_id), &request);
        Ok(())
    }
}

impl Outlayer {
    fn answerable(&self, request_id: u64) -> Result<Request, AnswerError> {
        let caller = env::predecessor_account_id();
        if caller != self.operator_id {
            return Err(AnswerError::NotOperator { caller, operator: self.operator_id.clone() });
        }
        REQUESTS.get(&id_key(request_id)).ok_or(AnswerError::NotPending(request_id))
    }

    fn resume(&mut self, request_id: u64, request: &Request, response: ExecutionResponse) -> Result<(), AnswerError> {
        let (mut resumed, output) = judged(response, request)?;
        if let Some(output) = output {
            resumed.output_json = Some(output.json);
            if written(&resumed).len() > MAX_RESUME_BYTES {
                let json = resumed.output_json.take().unwrap_or_default();
                self.store_output(request_id, &StoredOutput { format: output.format, json })?;
            }
        }
        if !env::promise_yield_resume(&request.data_id, written(&resumed)) {
            // A yield ends in the moment its callback runs, and the callback settles: this one has failed, for want of gas, as an answer is
            // paid for by every promise that waits for it and there may be any number. The caller has heard that; the run is billed all the same.
            self.settle_answer(request_id, request, resumed);
        }
        Ok(())
    }

    fn store_output(&mut self, request_id: u64, output: &StoredOutput) -> Result<(), AnswerError> {
        OUTPUTS.put(&id_key(request_id), output);
        self.assert_reserve().map_err(|short| AnswerError::ReserveExhausted { short })
    }
}

/// The answer as it will be settled. An output that does not fit turns a success into a failure: the caller always hears.
fn judged(response: ExecutionResponse, request: &Request) -> Result<(Resumed, Option<StoredOutput>), AnswerError> {
    let receipt_sha256 = match response.receipt_sha256 {
        None => None,
        Some(hex) => match array_from_hex::<32>(&hex) {
            Some(hash) => Some(hash),
            None => return Err(AnswerError::ReceiptHash { value: shorten(&hex, 80) }),
        },
    };
    let mut success = response.success;
    let mut error = response.error.map(|error| shorten(&error, MAX_ERROR_BYTES));
    let mut output = None;
    if success && request.limits.is_some() {
        match response.output.map(|output| output::encode(output, request.response_format)).transpose() {
            Ok(encoded) => output = encoded,
            Err(unfit) => (success, error) = (false, Some(unfit.to_string())),
        }
    }
    let error = match (success, error) {
        (true, _) => None,
        (false, error) => Some(error.unwrap_or_else(|| REASON_UNKNOWN.to_string())),
    };
    let compilation_note = response.compilation_note.map(|note| shorten(&note, MAX_NOTE_BYTES));
    let metrics = response.resources_used;
    Ok((Resumed { success, metrics, error, compilation_note, receipt_sha256, output_json: None }, output))
}

fn written(resumed: &Resumed) -> Vec<u8> {
    borsh::to_vec(resumed).unwrap_or_default()
}
