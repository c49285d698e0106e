//! Taking an older state into newer code, and saying which code this is.

use kit::migration::{check_caller, read_state, stored_state, MigrationError};
use near_sdk::near;

use crate::{Register, RegisterExt, CONTRACT_VERSION, STATE_VERSION};

#[near]
impl Register {
    /// After a deploy: reads the state in the layout it was written in, and writes it in this code's. Harmless when there is nothing to do.
    #[init(ignore_state)]
    #[handle_result]
    pub fn migrate() -> Result<Self, MigrationError> {
        let contract: Self = read_state(&stored_state()?, STATE_VERSION)?;
        check_caller(&contract.owner_id)?;
        Ok(contract)
    }

    pub fn get_version(&self) -> String {
        CONTRACT_VERSION.to_string()
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
        assert_eq!(borsh::to_vec(&read_state::<Register>(&bytes, STATE_VERSION).unwrap()).unwrap(), bytes);
    }
}
