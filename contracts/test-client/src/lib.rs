//! A client that misbehaves, for tests: its callback panics, it attaches the gas it is told to, lets any number of promises wait for one answer,
//! deletes itself and leaves no account for the refund.

use near_sdk::json_types::{U128, U64};
use near_sdk::{env, near, AccountId, Gas, NearToken, Promise};

/// What the callback does.
#[near(serializers = [json])]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Callback {
    /// Keep the result for `get_result`.
    Keep,
    /// Panic.
    Panic,
    /// There is none: the result of the request is the result of the call.
    None,
}

const RESULT_KEY: &[u8] = b"result";

/// The longest answer, escaped.
const MAX_RESULT_BYTES: usize = 2 * 64 * 1024 + 2;

#[derive(Default)]
#[near(contract_state)]
pub struct TestClient {}

#[near]
impl TestClient {
    /// Calls `request_execution` with exactly these arguments (JSON text) and this gas, passing the deposit on.
    #[payable]
    pub fn ask(&mut self, oracle_id: AccountId, request_json: String, gas: U64, callback: Callback, callback_gas: Option<U64>) -> Promise {
        let request = call(oracle_id, "request_execution", request_json.into_bytes(), env::attached_deposit(), gas);
        let method = match callback {
            Callback::Keep => "keep",
            Callback::Panic => "panic",
            Callback::None => return request,
        };
        let gas = callback_gas.unwrap_or(U64(Gas::from_tgas(20).as_gas()));
        request.then(call(env::current_account_id(), method, Vec::new(), NearToken::ZERO, gas))
    }

    /// Calls `request_execution` and lets this many promises wait for the answer, which is sent to each of them.
    #[payable]
    pub fn ask_for_many(&mut self, oracle_id: AccountId, request_json: String, gas: U64, waiting: u32) {
        let (deposit, gas) = (env::attached_deposit(), Gas::from_gas(gas.0));
        let request = env::promise_create(oracle_id, "request_execution", request_json.as_bytes(), deposit, gas);
        for _ in 0..waiting {
            env::promise_batch_then(request, &env::predecessor_account_id());
        }
        env::promise_return(request);
    }

    /// Calls any method of the oracle as this account.
    #[payable]
    pub fn call_oracle(&mut self, oracle_id: AccountId, method: String, args_json: String, gas: U64) -> Promise {
        call(oracle_id, &method, args_json.into_bytes(), env::attached_deposit(), gas)
    }

    /// Deletes this account.
    pub fn delete_self(&mut self, beneficiary_id: AccountId) -> Promise {
        env::storage_remove(RESULT_KEY);
        Promise::new(env::current_account_id()).delete_account(beneficiary_id)
    }

    #[private]
    pub fn keep() {
        let result = env::promise_result_checked(0, MAX_RESULT_BYTES).unwrap_or_else(|_| b"the promise failed".to_vec());
        env::storage_write(RESULT_KEY, &result);
    }

    #[private]
    pub fn panic() {
        env::panic_str("this callback always panics");
    }

    /// What the last `Keep` callback received, as JSON text.
    pub fn get_result() -> Option<String> {
        env::storage_read(RESULT_KEY).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// This account's balance, in yoctoNEAR.
    pub fn get_balance() -> U128 {
        env::account_balance().as_yoctonear().into()
    }
}

fn call(receiver_id: AccountId, method: &str, args: Vec<u8>, deposit: NearToken, gas: U64) -> Promise {
    Promise::new(receiver_id).function_call(method.to_string(), args, deposit, Gas::from_gas(gas.0))
}
