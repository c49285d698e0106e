//! Ask, hear, look up.

use near_sdk::borsh::{self, BorshDeserialize};
use near_sdk::{env, near, AccountId, Gas, GasWeight, NearToken, Promise, PromiseError};

use crate::oracle::{RequestExecution, ResourceLimits, ResponseFormat, SecretsRef, Source};
use crate::{answer_key, Answer, Client, ClientError, ClientExt, KEPT_ANSWERS};

/// Set aside for `on_answer`: storing 64 KiB, the longest answer there is.
const ON_ANSWER: Gas = Gas::from_tgas(20);

/// What this call itself burns, with room to spare.
const ASK: Gas = Gas::from_tgas(6);

/// What the oracle needs for a short input (its `get_minimum_gas`), with some room.
const ORACLE_AT_LEAST: Gas = Gas::from_tgas(58);

/// The longest answer, escaped, as the oracle hands it over.
const MAX_ANSWER_BYTES: usize = 2 * 64 * 1024 + 2;

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

#[cfg(test)]
mod tests {
    use super::*;
    use near_sdk::mock::MockAction;
    use near_sdk::test_utils::VMContextBuilder;
    use near_sdk::{test_vm_config, testing_env, PromiseResult, RuntimeFeesConfig};

    fn context() -> near_sdk::VMContext {
        VMContextBuilder::new().prepaid_gas(Gas::from_tgas(100)).build()
    }

    fn client(source: Option<Source>) -> Client {
        testing_env!(context());
        Client::new("outlayer.near".parse().unwrap(), source)
    }

    fn wasm() -> Source {
        Source::WasmUrl { url: "https://example.org/guest.wasm".into(), hash: "ab".repeat(32), build_target: None }
    }

    fn hear(client: &mut Client, question_id: u64, result: PromiseResult) {
        testing_env!(context(), test_vm_config(), RuntimeFeesConfig::test(), Default::default(), vec![result]);
        client.on_answer(question_id, "alice.near".parse().unwrap(), NearToken::from_millinear(7));
    }

    #[test]
    fn a_question_needs_a_source_and_enough_gas() {
        assert_eq!(client(None).ask(None, None, None, None, None).err(), Some(ClientError::NoSource));
        let mut client = client(Some(wasm()));
        testing_env!(VMContextBuilder::new().prepaid_gas(Gas::from_tgas(83)).build());
        assert!(matches!(client.ask(None, None, None, None, None), Err(ClientError::TooLittleGas { .. })));
    }

    #[test]
    fn questions_are_numbered() {
        let mut client = client(Some(wasm()));
        for _ in 0..2 {
            testing_env!(context());
            client.ask(Some("in".into()), None, None, None, None).unwrap().detach();
        }
        assert_eq!(client.get_counts(), (2, KEPT_ANSWERS));
        assert_eq!(client.get_answer(0), None);
    }

    #[test]
    fn an_answer_is_kept_and_null_is_a_failure() {
        let mut client = client(None);
        hear(&mut client, 0, PromiseResult::Successful(br#""42""#.to_vec()));
        let kept = client.get_last().unwrap();
        assert_eq!((kept.question_id, kept.succeeded, kept.answer.as_deref()), (0, true, Some(r#""42""#)));
        for (question_id, result) in [(1, PromiseResult::Successful(b"null".to_vec())), (2, PromiseResult::Failed)] {
            hear(&mut client, question_id, result);
            let kept = client.get_answer(question_id).unwrap();
            assert_eq!((kept.succeeded, kept.answer), (false, None));
        }
        assert_eq!(client.get_last().unwrap().question_id, 2);
    }

    #[test]
    fn a_deposit_that_the_oracle_refused_goes_to_who_paid_it() {
        let mut client = client(None);
        hear(&mut client, 0, PromiseResult::Failed);
        let receipts = near_sdk::test_utils::get_created_receipts();
        assert_eq!(receipts[0].receiver_id, "alice.near");
        assert!(matches!(receipts[0].actions[..], [MockAction::Transfer { deposit, .. }] if deposit == NearToken::from_millinear(7)));
        hear(&mut client, 1, PromiseResult::Successful(b"null".to_vec()));
        assert!(near_sdk::test_utils::get_created_receipts().is_empty());
    }

    #[test]
    fn only_the_newest_answers_are_kept() {
        let mut client = client(None);
        hear(&mut client, 0, PromiseResult::Successful(b"1".to_vec()));
        hear(&mut client, KEPT_ANSWERS, PromiseResult::Successful(b"2".to_vec()));
        assert_eq!(client.get_answer(0), None);
        assert_eq!(client.get_answer(KEPT_ANSWERS).unwrap().answer.as_deref(), Some("2"));
    }
}
