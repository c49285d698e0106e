//! Ask, hear, look up.

use near_sdk::borsh::{self, BorshDeserialize};
use near_sdk::{env, near, AccountId, Gas, GasWeight, NearToken, Promise, PromiseError};

use crate::oracle::{RequestExecution, ResourceLimits, ResponseFormat, SecretsRef, Source};
use crate::{answer_key, Answer, Client, ClientExt, ClientError, KEPT_ANSWERS};

/// Set aside for `on_answer`: storing 64 KiB, the longest answer there is.
const ON_ANSWER: Gas = Gas::from_tgas(20);

/// What this call itself burns, with room to spare.
const ASK: Gas = Gas::from_tgas(6);

/// What the oracle needs for a short input (its `get_minimum_gas`).
const ORACLE_AT_LEAST: Gas = Gas::from_tgas(58);

/// The longest answer, escaped, as the oracle hands it over.
const MAX_ANSWER_BYTES: usize = 400_000;

#[near]
impl Client {
    /// Asks. The deposit must cover the price of the limits; the result of the whole transaction is the answer, or null.
    #[payable]
    #[handle_result]
    pub fn ask(
        &mut self,
        input: Option<String>,
        source: Option<Source>,
        resource_limits: Option<ResourceLimits>,
        response_format: Option<ResponseFormat>,
        secrets_ref: Option<SecretsRef>,
    ) -> Result<Promise, ClientError> {
        let needed = ASK.saturating_add(ON_ANSWER).saturating_add(ORACLE_AT_LEAST);
        if env::prepaid_gas() < needed {
            return Err(ClientError::TooLittleGas { attached: env::prepaid_gas().as_gas(), needed: needed.as_gas() });
        }
        let asked_by = env::predecessor_account_id();
        let request = RequestExecution {
            source: source.or_else(|| self.source.clone()).ok_or(ClientError::NoSource)?,
            resource_limits: resource_limits.unwrap_or_default(),
            input_data: input.unwrap_or_default(),
            secrets_ref,
            response_format: response_format.unwrap_or_default(),
            payer_account_id: asked_by.clone(),
        };
        let question_id = self.asked;
        self.asked += 1;
        let deposit = env::attached_deposit();
        Ok(self.request(&request, deposit).then(hear(question_id, &asked_by, deposit)))
    }

    /// The oracle has answered: null means that the run failed, timed out or was cancelled. Never panic here without need: the answer is paid for.
    #[private]
    pub fn on_answer(&mut self, question_id: u64, asked_by: AccountId, deposit: NearToken) {
        let result = match env::promise_result_checked(0, MAX_ANSWER_BYTES) {
            Ok(bytes) => String::from_utf8(bytes).ok(),
            Err(PromiseError::Failed) => {
                // The oracle refused the question itself: NEAR gave the deposit back to this contract, and it is not ours.
                Promise::new(asked_by.clone()).transfer(deposit).detach();
                None
            }
            Err(_) => None,
        };
        let answer = result.filter(|json| json != "null");
        let returned = answer.clone().unwrap_or_else(|| "null".to_string());
        let kept = Answer { question_id, asked_by, succeeded: answer.is_some(), answer, answered_at: env::block_timestamp() };
        env::storage_write(&answer_key(question_id), &borsh::to_vec(&kept).unwrap_or_default());
        self.last = Some(question_id);
        env::value_return(returned.as_bytes());
    }

    /// The answer to a question; null while it is open and once 100 newer questions were answered.
    pub fn get_answer(&self, question_id: u64) -> Option<Answer> {
        let kept = env::storage_read(&answer_key(question_id))?;
        Answer::try_from_slice(&kept).ok().filter(|answer| answer.question_id == question_id)
    }

    /// The answer that came last.
    pub fn get_last(&self) -> Option<Answer> {
        self.last.and_then(|question_id| self.get_answer(question_id))
    }

    /// How many questions were asked, and how many answers are kept at most.
    pub fn get_counts(&self) -> (u64, u64) {
        (self.asked, KEPT_ANSWERS)
    }
}

impl Client {
    /// All gas that is not set aside goes with the request.
    fn request(&self, request: &RequestExecution, deposit: NearToken) -> Promise {
        let args = near_sdk::serde_json::to_vec(request).unwrap_or_default();
        Promise::new(self.oracle_id.clone()).function_call_weight(
            "request_execution".to_string(),
            args,
            deposit,
            ORACLE_AT_LEAST,
            GasWeight(1),
        )
    }
}

fn hear(question_id: u64, asked_by: &AccountId, deposit: NearToken) -> Promise {
    let deposit = deposit.as_yoctonear();
    let args = format!(r#"{{"question_id":{question_id},"asked_by":"{asked_by}","deposit":"{deposit}"}}"#);
    Promise::new(env::current_account_id()).function_call("on_answer".to_string(), args.into_bytes(), NearToken::ZERO, ON_ANSWER)
}
