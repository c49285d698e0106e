//! Gas that is set aside or asked for. Figures measured in nearcore's VM; the acceptance tests hold them.

use near_sdk::account_id::AccountType;
use near_sdk::{AccountId, Gas};

/// Set aside for the callback of a yield; what the caller attached beyond the minimum comes on top.
pub const YIELD_CALLBACK: Gas = Gas::from_tgas(50);

/// For `on_refund`: it writes a claim when a transfer has failed, else does nothing.
pub const ON_REFUND: Gas = Gas::from_tgas(3);

/// The dearest settlement without an input: the longest output handed to a caller's callback, a refund and its callback.
/// Measured at 17 Tgas in nearcore's VM; the rest is for the depth of a real chain's trie.
const SETTLEMENT_BASE: Gas = Gas::from_tgas(24);

/// Each byte of an input is freed (NEAR `storage_remove_ret_value_byte`).
const FREED_GAS_A_BYTE: u64 = 12_000_000;

/// A transfer to an implicit account is charged as if it made the account and its key, whether or not it is there.
const IMPLICIT_PAYER: Gas = Gas::from_tgas(9);

/// What the timed-out callback itself needs to yield again.
pub const YIELD_AGAIN: Gas = Gas::from_tgas(4);

/// `request_execution` with an empty input and the longest source: the callback's share and what the call burns.
const REQUEST_BASE: Gas = Gas::from_tgas(55);

/// An input that travels in the event is logged (0.3 Ggas a byte for decoding alone), each quote in it as four bytes.
const LOGGED_GAS_A_BYTE: u64 = 2_000_000_000;

/// No event is longer than 16 KiB.
const MOST_LOGGED_GAS: u64 = 8_000_000_000_000;

/// Each byte of input is parsed and written to state.
const STORED_GAS_A_BYTE: u64 = 220_000_000;

/// The least gas to attach to `request_execution`.
pub fn least_for_request(input_bytes: u64) -> Gas {
    let logged = input_bytes.saturating_mul(LOGGED_GAS_A_BYTE).min(MOST_LOGGED_GAS);
    let stored = input_bytes.saturating_mul(STORED_GAS_A_BYTE);
    Gas::from_gas(REQUEST_BASE.as_gas().saturating_add(logged).saturating_add(stored))
}

/// What settling a request may need, whatever its answer, when one promise waits for that.
pub fn settlement(input_bytes: u32, payer_id: &AccountId) -> Gas {
    let freed = u64::from(input_bytes).saturating_mul(FREED_GAS_A_BYTE);
    let gas = Gas::from_gas(SETTLEMENT_BASE.as_gas().saturating_add(freed));
    match payer_id.get_account_type() {
        AccountType::NamedAccount => gas,
        _ => gas.saturating_add(IMPLICIT_PAYER),
    }
}

/// Whether a timed-out callback with this much gas left may yield again and leave the next one enough for any answer.
pub fn can_yield_again(left: Gas, settlement: Gas) -> bool {
    left >= YIELD_AGAIN.saturating_add(settlement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_gas_grows_with_the_input_and_holds_the_callbacks_share() {
        assert!(least_for_request(0) > YIELD_CALLBACK);
        assert!(least_for_request(1_000_000) > least_for_request(0));
        assert_eq!(least_for_request(u64::MAX).as_gas(), u64::MAX);
    }

    #[test]
    fn the_share_of_a_callback_pays_for_yielding_again_and_for_the_dearest_answer() {
        let dearest = settlement(500_000, &"0".repeat(64).parse().unwrap());
        assert!(can_yield_again(YIELD_CALLBACK, dearest));
        assert!(!can_yield_again(dearest, dearest));
    }

    #[test]
    fn an_implicit_payer_and_a_long_input_make_a_settlement_dearer() {
        let named: AccountId = "alice.near".parse().unwrap();
        let ether: AccountId = format!("0x{}", "a".repeat(40)).parse().unwrap();
        assert!(settlement(0, &ether) > settlement(0, &named));
        assert!(settlement(500_000, &named) > settlement(0, &named));
    }
}
