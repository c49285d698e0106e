//! Gas that is set aside or asked for. Figures measured in nearcore's VM; the acceptance tests hold them.

use near_sdk::{env, Gas};

use crate::error::GasError;

/// For `on_key_added`: it logs the event, or takes a registration back.
pub const ON_KEY_ADDED: Gas = Gas::from_tgas(10);

/// The least to attach to a method that verifies a quote. The dearest burns 137 and sets the callback's share aside; the rest is for
/// collateral with more levels and the depth of a real chain's trie, and goes back when it is not burnt.
pub const LEAST_FOR_A_QUOTE: Gas = Gas::from_tgas(200);

/// Refuses at once what would end in the middle.
pub fn assert_enough() -> Result<(), GasError> {
    let attached = env::prepaid_gas();
    if attached >= LEAST_FOR_A_QUOTE {
        return Ok(());
    }
    Err(GasError::TooLittle { attached: attached.as_gas(), needed: LEAST_FOR_A_QUOTE.as_gas() })
}
