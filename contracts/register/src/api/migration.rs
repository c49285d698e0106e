//! Taking an older state into newer code, and saying which code this is.

use near_sdk::borsh::BorshDeserialize;
use near_sdk::{env, near};

use crate::error::MigrationError;
use crate::{Register, RegisterExt, CONTRACT_VERSION, STATE_VERSION};

const STATE_KEY: &[u8] = b"STATE";

#[near]
impl Register {
    /// After a deploy: reads the state in the layout it was written in, and writes it in this code's. Harmless when there is nothing to do.
    #[init(ignore_state)]
    #[handle_result]
    pub fn migrate() -> Result<Self, MigrationError> {
        let state = env::storage_read(STATE_KEY).ok_or(MigrationError::NoState)?;
        let contract = read_state(&state)?;
        let caller = env::predecessor_account_id();
        if caller != contract.owner_id && caller != env::current_account_id() {
            return Err(MigrationError::NotAllowed { caller });
        }
        Ok(contract)
    }

    pub fn get_version(&self) -> String {
        CONTRACT_VERSION.to_string()
    }
}

fn read_state(state: &[u8]) -> Result<Register, MigrationError> {
    let layout = state.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes));
    match layout {
        STATE_VERSION => Register::try_from_slice(state).map_err(|_| MigrationError::Damaged(layout)),
        found => Err(MigrationError::UnknownLayout { found, known: STATE_VERSION }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use near_sdk::borsh;

    #[test]
    fn a_state_of_this_layout_reads_as_it_was_written() {
        near_sdk::testing_env!(near_sdk::test_utils::VMContextBuilder::new().build());
        let contract = Register::new("owner.near".parse().unwrap(), "outlayer.near".parse().unwrap(), None, None);
        let bytes = borsh::to_vec(&contract).unwrap();
        assert_eq!(borsh::to_vec(&read_state(&bytes).unwrap()).unwrap(), bytes);
    }

    #[test]
    fn a_state_of_an_unknown_layout_is_refused_by_its_number() {
        assert_eq!(read_state(&[9, 0, 1]).err(), Some(MigrationError::UnknownLayout { found: 9, known: STATE_VERSION }));
        assert_eq!(read_state(&[1, 0]).err(), Some(MigrationError::Damaged(1)));
        assert!(read_state(&[]).is_err());
    }
}
