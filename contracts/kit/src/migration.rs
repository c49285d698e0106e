//! Taking an older state into newer code. A state begins with the number of its layout (u16, little endian), so that it can be told before
//! the rest is read.

use near_sdk::borsh::BorshDeserialize;
use near_sdk::{env, AccountId, FunctionError};
use thiserror::Error;

const STATE_KEY: &[u8] = b"STATE";

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum MigrationError {
    #[error("only the owner or the contract itself may migrate, not {caller}")]
    NotAllowed { caller: AccountId },
    #[error("there is no state to migrate: call new")]
    NoState,
    #[error("the state has layout {found}, and this code reads up to {known}")]
    UnknownLayout { found: u16, known: u16 },
    #[error("the state does not read as layout {0}")]
    Damaged(u16),
}

/// The bytes of the contract's state.
pub fn stored_state() -> Result<Vec<u8>, MigrationError> {
    env::storage_read(STATE_KEY).ok_or(MigrationError::NoState)
}

/// Reads a state of the layout that this code writes.
pub fn read_state<S: BorshDeserialize>(state: &[u8], known: u16) -> Result<S, MigrationError> {
    let layout = state.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes));
    if layout != known {
        return Err(MigrationError::UnknownLayout { found: layout, known });
    }
    S::try_from_slice(state).map_err(|_| MigrationError::Damaged(layout))
}

/// The owner may migrate, and the contract itself, which calls it in the transaction that deploys.
pub fn check_caller(owner: &AccountId) -> Result<(), MigrationError> {
    let caller = env::predecessor_account_id();
    if caller == *owner || caller == env::current_account_id() {
        return Ok(());
    }
    Err(MigrationError::NotAllowed { caller })
}

#[cfg(test)]
mod tests {
    use super::*;
    use near_sdk::test_utils::VMContextBuilder;

    type State = (u16, u32);

    #[test]
    fn a_state_of_the_known_layout_is_read() {
        assert_eq!(read_state::<State>(&[1, 0, 7, 0, 0, 0], 1), Ok((1, 7)));
    }

    #[test]
    fn a_state_of_an_unknown_layout_is_refused_by_its_number() {
        assert_eq!(read_state::<State>(&[9, 0, 7, 0, 0, 0], 1), Err(MigrationError::UnknownLayout { found: 9, known: 1 }));
        assert_eq!(read_state::<State>(&[], 1), Err(MigrationError::UnknownLayout { found: 0, known: 1 }));
    }

    #[test]
    fn a_state_that_is_cut_short_or_goes_on_is_damaged() {
        assert_eq!(read_state::<State>(&[1, 0, 7, 0, 0], 1), Err(MigrationError::Damaged(1)));
        assert_eq!(read_state::<State>(&[1, 0, 7, 0, 0, 0, 0], 1), Err(MigrationError::Damaged(1)));
    }

    #[test]
    fn without_a_state_there_is_nothing_to_migrate() {
        near_sdk::testing_env!(VMContextBuilder::new().build());
        assert_eq!(stored_state(), Err(MigrationError::NoState));
        env::storage_write(STATE_KEY, &[1, 0]);
        assert_eq!(stored_state(), Ok(vec![1, 0]));
    }

    #[test]
    fn the_owner_and_the_contract_itself_may_migrate_and_nobody_else() {
        let owner: AccountId = "owner.near".parse().unwrap();
        for (caller, may) in [("owner.near", true), ("contract.near", true), ("bob.near", false)] {
            let mut context = VMContextBuilder::new();
            context.current_account_id("contract.near".parse().unwrap()).predecessor_account_id(caller.parse().unwrap());
            near_sdk::testing_env!(context.build());
            assert_eq!(check_caller(&owner).is_ok(), may, "{caller}");
        }
    }
}
