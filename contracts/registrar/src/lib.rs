//! Makes accounts under the name it is deployed on, for whoever asks and pays: the local chain puts it on its top-level names, because
//! near-cli creates `name.TLA` by calling `TLA.create_account` (the interface of NEAR's linkdrop contract).

use near_sdk::serde_json::json;
use near_sdk::{env, near, AccountId, Gas, NearToken, PanicOnDefault, Promise, PublicKey};

/// For the callback, which refunds the deposit of an account that could not be made.
const ON_ACCOUNT_CREATED: Gas = Gas::from_tgas(13);

#[near(contract_state)]
#[derive(PanicOnDefault)]
pub struct Registrar {}

#[near]
impl Registrar {
    #[init]
    pub fn new() -> Self {
        Self {}
    }

    /// Creates `new_account_id` with the attached deposit and a full-access key; returns whether it was created. A failure refunds the deposit.
    #[payable]
    pub fn create_account(&mut self, new_account_id: AccountId, new_public_key: PublicKey) -> Promise {
        let deposit = env::attached_deposit();
        assert_is_ours(&new_account_id);
        let payer = env::predecessor_account_id();
        Promise::new(new_account_id).create_account().transfer(deposit).add_full_access_key(new_public_key).then(
            Promise::new(env::current_account_id()).function_call(
                "on_account_created".to_string(),
                json!({"predecessor_account_id": payer, "amount": deposit}).to_string().into_bytes(),
                NearToken::from_yoctonear(0),
                ON_ACCOUNT_CREATED,
            ),
        )
    }

    #[private]
    pub fn on_account_created(&mut self, predecessor_account_id: AccountId, amount: NearToken) -> bool {
        let created = env::promise_result_checked(0, 0).is_ok();
        if !created && !amount.is_zero() {
            Promise::new(predecessor_account_id).transfer(amount).detach();
        }
        created
    }
}

fn assert_is_ours(new_account_id: &AccountId) {
    let ours = env::current_account_id();
    if !new_account_id.is_sub_account_of(&ours) {
        env::panic_str(&format!("{new_account_id} is not a direct sub-account of {ours}: name it NAME.{ours}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use near_sdk::test_utils::VMContextBuilder;

    fn ask(new_account_id: &str) {
        near_sdk::testing_env!(VMContextBuilder::new().current_account_id("near".parse().unwrap()).build());
        assert_is_ours(&new_account_id.parse().unwrap());
    }

    #[test]
    fn accounts_directly_below_are_made() {
        ask("alice.near");
    }

    #[test]
    #[should_panic(expected = "alice.testnet is not a direct sub-account of near: name it NAME.near")]
    fn accounts_elsewhere_are_refused_by_name() {
        ask("alice.testnet");
    }

    #[test]
    #[should_panic(expected = "not a direct sub-account")]
    fn accounts_two_levels_below_are_refused() {
        ask("a.b.near");
    }
}
