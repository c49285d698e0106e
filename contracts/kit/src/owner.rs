//! What only the owner may do.

use near_sdk::{env, AccountId, FunctionError};
use thiserror::Error;

#[derive(Debug, Error, FunctionError, PartialEq)]
#[error("only the owner {owner} may call this, not {caller}")]
pub struct NotOwner {
    pub caller: AccountId,
    pub owner: AccountId,
}

/// Refuses every caller but the owner.
pub fn check(owner: &AccountId) -> Result<(), NotOwner> {
    let caller = env::predecessor_account_id();
    if caller == *owner {
        return Ok(());
    }
    Err(NotOwner { caller, owner: owner.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use near_sdk::test_utils::VMContextBuilder;

    #[test]
    fn the_owner_passes_and_others_are_told_who_it_is() {
        let owner: AccountId = "owner.near".parse().unwrap();
        near_sdk::testing_env!(VMContextBuilder::new().predecessor_account_id(owner.clone()).build());
        assert_eq!(check(&owner), Ok(()));
        near_sdk::testing_env!(VMContextBuilder::new().predecessor_account_id("bob.near".parse().unwrap()).build());
        assert_eq!(check(&owner).unwrap_err().to_string(), "only the owner owner.near may call this, not bob.near");
    }
}
